load - --username me --password-stdin
