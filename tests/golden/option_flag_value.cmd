fetch nginx --plan=yes
