fetch nginx --only l -o -
