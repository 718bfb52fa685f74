rules explain registry.k8s.io/coredns/coredns:v1.8.0 quay.io/x/y:1 nginx
