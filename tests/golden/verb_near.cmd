fech x
