load a.tar --name nginx:1
