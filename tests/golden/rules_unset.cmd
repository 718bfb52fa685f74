rules explain gcr.io/x/y:1 gcr.io/X --map gcr-mirror
