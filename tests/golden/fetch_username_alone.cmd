fetch nginx -o x.tar --username me
