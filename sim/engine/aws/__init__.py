"""EC2 instances, Auto Scaling groups and Fargate, as AWS runs them."""
