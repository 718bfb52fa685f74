verify x.tar --frobnicate=secret
