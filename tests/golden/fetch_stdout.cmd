fetch nginx -o -
