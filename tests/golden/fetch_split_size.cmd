fetch nginx -o x.tar --split=4X
