"""The learner's side of the road: the workspace, attempts, hints, progress."""
