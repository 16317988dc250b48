"""Rich views of what the library returned; everything of the learner's is escaped before it reaches a terminal."""
