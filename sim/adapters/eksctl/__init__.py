"""eksctl ClusterConfigs, read and written."""
