wants --help
