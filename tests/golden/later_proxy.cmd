fetch nginx -o x.tar --proxy=http://p
