"""Against what was not written here."""
