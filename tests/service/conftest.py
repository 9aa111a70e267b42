"""Fixtures of the service layer's tests."""

from __future__ import annotations

from tests.service.installation import runtime

__all__ = ["runtime"]
