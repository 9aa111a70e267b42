"""Received mails of all kinds, and what they are read as."""
