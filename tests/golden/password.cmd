fetch nginx -o x.tar --password hunter2
