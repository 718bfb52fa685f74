inventory --help
