"""What AWS decides: Fargate sizes, admission and quotas."""
