fetch nginx -o - --json
