"""Turns the shipped sample exports into files of today: their dates are told relative to now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent / "samples"
ENCODINGS: Mapping[str, str] = {
    "own_main.csv": "utf-8-sig",
    "rakuten_main.csv": "cp932",  # as RMS writes it
    "yahoo_main_orders.csv": "cp932",
    "yahoo_main_items.csv": "cp932",
    "amazon_jp.txt": "cp932",
}
_TOKEN = re.compile(r"\{([a-zA-Z]?)([+-]\d+)(?: (\d\d:\d\d))?\}")


def write_samples(folder: Path, now: datetime) -> dict[str, Path]:
    """Write every sample into ``folder`` with real dates; ``now`` carries the shop's zone.

    ``{-3 10:12}`` is three days ago at 10:12, ``{d-3}`` the day alone, ``{D-3}`` the day as
    digits, ``{R…}`` with dashes as Rakuten writes it, ``{Z…}`` an ISO instant as Amazon does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, encoding in ENCODINGS.items():
        text = (SAMPLES / name).read_text(encoding="utf-8")
        dated = _TOKEN.sub(lambda found: _date(found, now), text)
        written[name] = folder / name
        written[name].write_bytes(dated.encode(encoding))
    return written


def _date(found: re.Match[str], now: datetime) -> str:
    form, days, clock = found.groups()
    day = now.date() + timedelta(days=int(days))
    if form == "D":
        return f"{day:%Y%m%d}"
    if form == "d":
        return f"{day:%Y/%m/%d}"
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}").replace(tzinfo=now.tzinfo)
    moment = min(moment, now)  # an order of today has not been placed later than now
    if form == "Z":
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if form == "R" else f"{moment:%Y/%m/%d %H:%M:%S}"
