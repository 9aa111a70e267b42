"""Sentences about the service layer: tasks, polling, sending, daily work, supervisor."""
