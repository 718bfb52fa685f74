"$(printf 'fe\033[2Jtch\342\200\256')"
