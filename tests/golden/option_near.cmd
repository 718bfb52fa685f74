fetch nginx --outptu=x.tar
