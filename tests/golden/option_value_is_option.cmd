fetch nginx -o --plan
