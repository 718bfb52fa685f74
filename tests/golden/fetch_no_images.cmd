fetch -o x.tar
