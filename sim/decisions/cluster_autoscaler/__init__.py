"""What the Cluster Autoscaler decides: scale-up, scale-down, and what it believes."""
