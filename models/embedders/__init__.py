"""One file, one embedder family; the registry imports every module of this folder."""
