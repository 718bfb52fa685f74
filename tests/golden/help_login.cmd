login --help
