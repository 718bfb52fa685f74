load x.tar --verify-key k
