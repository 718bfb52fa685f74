wants x -o -
