"""The Cluster Autoscaler's loop over its decisions."""
