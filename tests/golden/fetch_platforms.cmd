fetch nginx -o x.tar --platform linux/amd64 --all-platforms
