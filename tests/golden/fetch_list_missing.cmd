fetch -o x.tar --images nolist.txt
