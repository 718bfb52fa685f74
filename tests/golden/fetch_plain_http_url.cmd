fetch nginx -o x.tar --plain-http http://registry.local
