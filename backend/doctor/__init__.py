"""The doctor: every precondition looked at, each fault with its mend. `examination.examine` is the way in."""
