copy a b
