"""kubectl's JSON, read, and plain manifests, written."""
