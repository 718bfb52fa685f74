copy a/b:1 r.local/c:1 --map gcr-mirror --map USER=me
