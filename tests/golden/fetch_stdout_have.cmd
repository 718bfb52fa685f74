fetch nginx -o - --have-archive x.tar
