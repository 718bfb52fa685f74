fetch nginx --only l
