"""What you have and what to deploy: a room for each real format, which reads and writes it."""
