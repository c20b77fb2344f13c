"""Pipeline specs, read and written."""
