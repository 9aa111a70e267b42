"""Cards as they are printed: A6, four on a sheet; the text's parts find their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console import formats
from worker.pipeline.packing import PackingRow

PER_SHEET = 4


@dataclass(frozen=True, slots=True)
class CardParts:
    """The lines of a card's text; every line of it stands in exactly one part."""

    to: str
    text: str
    before: str
    """What stands before the code in its line; the box is left out where there is no code."""
    code: str
    after: str
    signature: str


@dataclass(frozen=True, slots=True)
class PrintedCard:
    """One card, and the small mark that matches it to its slip."""

    item_id: int
    parts: CardParts
    mark: str


def parts_of(text: str, code: str) -> CardParts:
    """Cut a card's text: salutation, words, the box from the code's line on, signature.

    Where a shop has written its card otherwise, what has no place of its own stays in the words.
    """
    lines = [line.rstrip() for line in text.strip().split("\n")]
    to, rest = lines[0], lines[1:]
    signature = rest.pop() if len(rest) > 1 else ""
    place = next((n for n, line in enumerate(rest) if code and code in line), None)
    if place is None:
        return CardParts(to, "\n".join(rest).strip("\n"), "", "", "", signature)
    before, _, after = rest[place].partition(code)
    below = [after.strip(), *rest[place + 1 :]]
    return CardParts(
        to=to,
        text="\n".join(rest[:place]).strip("\n"),
        before=before.strip(),
        code=code,
        after="\n".join(line for line in below if line),
        signature=signature,
    )


def card_of(row: PackingRow, shop: str, locale: str) -> PrintedCard:
    """A row's card; ``shop`` as staff call it."""
    number = "" if row.milestone is None else formats.nth(row.milestone, locale)
    mark = " ".join(part for part in (row.order_number[-4:].lstrip("-"), shop, number) if part)
    return PrintedCard(row.item_id, parts_of(row.text, row.coupon), mark)


def sheets_of(cards: Sequence[PrintedCard]) -> tuple[tuple[PrintedCard, ...], ...]:
    """Four cards on each A4 sheet."""
    starts = range(0, len(cards), PER_SHEET)
    return tuple(tuple(cards[start : start + PER_SHEET]) for start in starts)
