"""What you have and what to deploy: each file reads and writes one real format."""
