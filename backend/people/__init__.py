"""The people who label: what they read in common, how far they agree, which labels look wrong, how fast it goes."""
