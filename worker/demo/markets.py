"""The pretend marketplaces of `okaeri demo --live`: found beside the connectors' tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class NoMarkets(RuntimeError):
    """This installation holds no pretend marketplaces; the text says where they are."""


@dataclass
class Market:
    """One pretend marketplace, running; its clock is the real one.

    Made by ``market(now)`` of ``tests/connectors/<kind>/demo.py``.
    """

    channel: str
    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    happen: Callable[[datetime], str]
    """Lets one thing happen, e.g. an order arrives, and says what in a few words."""
    count: Callable[[], int]
    """How many orders it holds that a reader must know."""
    stop: Callable[[], None]
    disturb: Callable[[], str] | None = None
    """Makes the next answers wrong for a while, and says how."""
    expires: Mapping[str, datetime] = field(default_factory=dict)


def open_markets(now: datetime) -> list[Market]:
    """Start every pretend marketplace there is. Raises NoMarkets outside a checkout."""
    folder = ROOT / "tests" / "connectors"
    found = sorted(path.parent.name for path in folder.glob("*/demo.py"))
    if not found:
        raise NoMarkets(
            "見本のモールはソースコード一式にだけ入っています。\n"
            "The pretend marketplaces come with the source: git clone, then okaeri demo --live."
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        made = [import_module(f"tests.connectors.{kind}.demo") for kind in found]
    except ImportError as error:
        raise NoMarkets(
            f"見本のモールに必要な部品「{error.name}」がありません。"
            "make install を実行してください。\n"
            f"The pretend marketplaces need {error.name!r}: run make install."
        ) from error
    return [module.market(now) for module in made]
