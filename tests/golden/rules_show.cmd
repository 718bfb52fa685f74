rules show nothing
