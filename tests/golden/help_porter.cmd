porter --help
