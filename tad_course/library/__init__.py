"""Sounds with all that is needed to make them again: kept, exported, read back."""
