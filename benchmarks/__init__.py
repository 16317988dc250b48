"""Speed as ratios within one run, so that the figures mean the same on any machine."""
