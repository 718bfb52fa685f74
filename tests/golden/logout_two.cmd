logout a.tar b.tar
