"""Sentences about what Okaeri does, arranged like the code they speak of."""
