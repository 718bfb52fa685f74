fetch nginx -o x.tar --connections 0
