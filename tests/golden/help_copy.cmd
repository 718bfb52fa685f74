copy --help
