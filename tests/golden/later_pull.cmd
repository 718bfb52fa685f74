pull a b
