fetch nginx -o
