fetch nginx -o x.tar --connections 4x
