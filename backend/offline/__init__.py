"""For machines without a network: everything in one bundle, and what is in it."""
