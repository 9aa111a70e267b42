"""Form fields of more than one page."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Form
from pydantic import BeforeValidator


def _day_or_none(value: object) -> object:
    return None if value == "" else value


DayOrNone = Annotated[date | None, BeforeValidator(_day_or_none), Form()]
"""A day, or an empty field for none."""
