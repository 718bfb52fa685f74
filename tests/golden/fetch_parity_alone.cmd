fetch nginx -o x.tar --parity 2
