load -
