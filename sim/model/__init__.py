"""What exists: frozen values that check themselves."""
