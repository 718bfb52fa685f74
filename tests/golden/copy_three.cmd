copy a/b:1 a/c:1 r.local/d
