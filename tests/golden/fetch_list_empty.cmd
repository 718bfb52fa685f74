fetch -o x.tar --images empty.txt
