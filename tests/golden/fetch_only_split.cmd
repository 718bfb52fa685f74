fetch nginx --only l -o x.blocks --split 4G
