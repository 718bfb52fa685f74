serve a b
