"""Tests of texts, rendering, composition and transport."""
