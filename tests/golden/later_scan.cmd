scan a b
