fetch nginx -o x.tar --zstd
