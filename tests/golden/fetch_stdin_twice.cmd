fetch -o x.tar --images - --password-stdin --username me
