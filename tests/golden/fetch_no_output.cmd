fetch nginx
