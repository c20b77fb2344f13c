"""The commands: no logic, only the public surface."""
