"""Out of a project again: labels, masks, splits and why each label exists, the same bytes every time."""
