"""Geometry of the charts in reports: plain numbers in, rectangles and labels out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.rules.reporting import first_day

_LEFT, _RIGHT, _TOP, _BASE = 56.0, 716.0, 22.0, 290.0
_NICE = (1, 2, 4, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; ``look`` is a class of the style sheet."""

    x: float
    y: float
    w: float
    h: float
    look: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing: bars, lines of the scale, labels of the bars and below them."""

    title: str
    bars: tuple[Bar, ...]
    ticks: tuple[Text, ...]
    labels: tuple[Text, ...]
    below: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One month of a stack, from the base up."""

    month: int
    values: tuple[int, ...]
    label: str
    """Its sum in words."""


def month_words(month: int, locale: str) -> str:
    """``11月`` or ``Nov``."""
    number = first_day(month).month
    return f"{number}月" if locale == "ja" else f"{first_day(month):%b}"


def stacked(
    title: str, columns: Sequence[Column], looks: Sequence[str], ticks: Sequence[str], top: int,
    locale: str,
) -> Chart:  # fmt: skip
    """Columns of stacked values; ``ticks`` are the words of the scale from 0 to ``top``."""
    step = (_RIGHT - _LEFT) / max(1, len(columns))
    width = min(34.0, step * 0.62)
    height = _BASE - _TOP
    bars: list[Bar] = []
    labels: list[Text] = []
    below: list[Text] = []
    for place, column in enumerate(columns):
        middle = _LEFT + step * (place + 0.5)
        y = _BASE
        for value, look in zip(column.values, looks, strict=True):
            tall = height * value / top if top else 0.0
            if tall > 0:
                y -= tall
                bars.append(_bar(middle - width / 2, y, width, max(tall - 0.8, 0.6), look))
        if sum(column.values) and len(columns) <= _LABELLED:
            labels.append(_text(middle, y - 5, column.label))
        below += _month_below(column.month, place, middle, len(columns), locale)
    scale = [
        _text(_LEFT - 8, _BASE - height * place / max(1, len(ticks) - 1), words)
        for place, words in enumerate(ticks)
    ]
    return Chart(title, tuple(bars), tuple(scale), tuple(labels), tuple(below))


_LABELLED = 12


def _month_below(month: int, place: int, x: float, columns: int, locale: str) -> list[Text]:
    found = []
    if columns <= _LABELLED or first_day(month).month % 3 == 1:
        found.append(_text(x, _BASE + 17, month_words(month, locale)))
    if place == 0 or first_day(month).month == 1:
        year = first_day(month).year
        found.append(_text(x, _BASE + 33, f"{year}年" if locale == "ja" else str(year)))
    return found


def nice_top(most: int) -> int:
    """A round number at or above the largest, divisible by four where it is not tiny."""
    size = 1
    while size * _NICE[-1] < most:
        size *= 10
    top = next(size * step for step in _NICE if size * step >= max(1, most))
    return max(top, _QUARTERS)


_QUARTERS = 4


def up_and_down(title: str, columns: Sequence[tuple[int, int, int]], locale: str) -> Chart:
    """(month, up, down): bars above and below one line at 138."""
    most_up = max((up for _, up, _ in columns), default=0)
    most_down = max((down for _, _, down in columns), default=0)
    room = _UP_ROOM / max(1, most_up), _DOWN_ROOM / max(1, most_down)
    scale = min(room) if most_down else room[0]
    step = (560.0 - 70.0) / max(1, len(columns))
    width = min(40.0, step * 0.55)
    bars, labels, below = [], [], []
    for place, (month, up, down) in enumerate(columns):
        middle = 70.0 + step * (place + 0.5)
        left = middle - width / 2
        bars.append(_bar(left, _LINE - up * scale, width, up * scale, "f-accent"))
        bars.append(_bar(left, _LINE + 1, width, down * scale, "f-down"))
        labels.append(_text(middle, _LINE - up * scale - 5, str(up)))
        labels.append(_text(middle, _LINE + down * scale + 14, str(down)))
        below.append(_text(middle, 206, month_words(month, locale)))
    return Chart(title, tuple(bars), (), tuple(labels), tuple(below))


_LINE, _UP_ROOM, _DOWN_ROOM = 138.0, 112.0, 40.0


def _bar(x: float, y: float, w: float, h: float, look: str) -> Bar:
    return Bar(round(x, 1), round(y, 1), round(w, 1), round(max(h, 0.0), 1), look)


def _text(x: float, y: float, words: str) -> Text:
    return Text(round(x, 1), round(y, 1), words)


@dataclass(frozen=True, slots=True)
class Heat:
    """A cell of the cohort table; ``shade`` 0 means that its time has not passed."""

    words: str
    shade: int


def shade_of(part: float | None, lowest: float, highest: float) -> int:
    """1 (least) to 5 (most) among the shares of the table; 0 for none."""
    if part is None:
        return 0
    if highest <= lowest:
        return 2
    return 1 + round(4 * (part - lowest) / (highest - lowest))
