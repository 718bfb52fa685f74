copy a:1 r.local/x --name a=b
