"""Sentences about worker.pipeline."""
