"""`make demo`: the main job on a real Label Studio, from nothing to a queue read back."""
