fetch nginx -o x.tar -qv
