"""Heads: embeddings or images in, classes or masks out; trained on what was labelled."""
