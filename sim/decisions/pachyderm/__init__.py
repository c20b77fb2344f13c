"""What Pachyderm decides: datums and their sets, replicas, requests."""
