inventory a b
