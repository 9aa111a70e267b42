"""The path, step by step: pull, ingest, identify, rank, plan, render, review, dispatch."""
