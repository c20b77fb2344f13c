"""What kube-scheduler and kubelet decide: filters, scores, preemption, allocatable."""
