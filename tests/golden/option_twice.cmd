load x.tar --to docker --to docker
