"""The Cluster Autoscaler's flags, chart values and manifests, read and written."""
