"""Values: what one field may hold, how it is read, written, described; nothing of what it is for."""
