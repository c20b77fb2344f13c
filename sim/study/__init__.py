"""What is best: replications, paired comparison and search."""
