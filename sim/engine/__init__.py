"""What happens: one actor a file, in rooms by whose behaviour it is, over one mutable state."""
