inspect x.tar --plan
