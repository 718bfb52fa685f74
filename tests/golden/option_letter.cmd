verify x.tar -z
