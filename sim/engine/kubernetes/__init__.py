"""kube-scheduler, kubelets and plain pods, as Kubernetes runs them."""
