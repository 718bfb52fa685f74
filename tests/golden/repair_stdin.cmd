repair -
