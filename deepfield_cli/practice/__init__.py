"""Questions that are made up afresh each time, with answers that explain themselves; it knows no workspace."""
