fetch nginx -o x.tar --have=x
