copy a:1 r.local/x@sha256:00
