load a.tar b.tar
