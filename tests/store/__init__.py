"""Sentences about worker.store."""
