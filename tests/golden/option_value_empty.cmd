fetch nginx --output=
