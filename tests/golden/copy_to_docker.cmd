copy a:1 --to docker
