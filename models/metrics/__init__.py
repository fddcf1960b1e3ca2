"""What a held-out set says of a head: figures with their intervals, by scikit-learn and MONAI."""
