fetch nginx -o x.tar --map nothing
