"""Evidence: what the statistics promise, tried out as often as it takes to see whether it holds."""
