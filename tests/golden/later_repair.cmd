repair a b
