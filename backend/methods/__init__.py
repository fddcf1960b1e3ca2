"""The methods section in plain words, from the records and nothing else."""
