"""Sentences about worker.rules."""
