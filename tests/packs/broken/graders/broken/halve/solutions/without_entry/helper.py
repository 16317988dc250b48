"""Not the entry file."""
