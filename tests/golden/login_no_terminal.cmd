login quay.io
