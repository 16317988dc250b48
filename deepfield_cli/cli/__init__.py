"""The commands: each parses, calls one library function, renders what came back, and chooses the exit code."""
