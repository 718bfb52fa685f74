copy quay.io/x:1
