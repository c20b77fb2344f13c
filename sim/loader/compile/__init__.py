"""Compile: what a file says, looked up, checked and put together as model values."""
