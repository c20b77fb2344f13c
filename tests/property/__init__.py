"""What must hold for every scenario."""
