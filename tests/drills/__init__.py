"""Failure drills: real worker processes, a real mail server, and kill -9."""
