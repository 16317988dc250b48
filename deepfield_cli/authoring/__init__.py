"""The author's tools: judge a problem with its own solutions and mistakes, mutate a solution, begin a new problem."""
