logout --help
