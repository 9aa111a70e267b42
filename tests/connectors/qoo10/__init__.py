"""Tests of the Qoo10 connector."""
