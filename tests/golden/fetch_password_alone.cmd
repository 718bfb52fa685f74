load x.tar --password-stdin
