"""Images that came later: how new they are, what drifted, whether the audit estimate still holds."""
