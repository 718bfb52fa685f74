fetch -o x.tar --images utf16.txt
