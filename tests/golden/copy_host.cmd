copy a:1 localhost:5000
