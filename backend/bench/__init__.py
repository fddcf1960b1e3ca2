"""The product's speed beside its peers', measured in one run on one machine."""
