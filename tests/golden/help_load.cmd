load --help
