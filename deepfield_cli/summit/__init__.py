"""The summit: what the world outside is asked, and work larger than one file. This room judges, and records nothing."""
