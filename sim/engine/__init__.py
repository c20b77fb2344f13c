"""What happens: one SimPy actor per file, over one mutable state."""
