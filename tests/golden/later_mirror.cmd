fetch nginx -o x.tar --mirror=docker.io=m.local
