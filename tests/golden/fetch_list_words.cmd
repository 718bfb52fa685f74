fetch -o x.tar --images words.txt
