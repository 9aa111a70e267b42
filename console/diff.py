"""Texts as pieces that a page marks: filled in for this person, gone, come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from worker.pipeline.review_diff import diff_text

Mark = Literal["", "v", "ins", "del"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: plain, filled in for this person (v), gone (del) or come (ins)."""

    text: str
    mark: Mark = ""


def difference(before: str, after: str) -> tuple[Piece, ...]:
    """What became of ``before``, to be read as one text."""
    return tuple(
        Piece(piece.text, "" if piece.op == "same" else piece.op)
        for piece in diff_text(before, after)
    )


def changes(pieces: Sequence[Piece]) -> int:
    """How many places differ; a word replaced is one place."""
    count, inside = 0, False
    for piece in pieces:
        marked = piece.mark in ("ins", "del")
        count += marked and not inside
        inside = marked
    return count


def filled_in(text: str, values: Iterable[str]) -> tuple[Piece, ...]:
    """Mark where the values that were filled in stand; the longest value wins."""
    wanted = sorted({value for value in values if len(value) > 1}, key=len, reverse=True)
    if not wanted:
        return (Piece(text),)
    pieces: list[Piece] = []
    at = 0
    for found in re.compile("|".join(re.escape(value) for value in wanted)).finditer(text):
        pieces += [Piece(text[at : found.start()]), Piece(found.group(), "v")]
        at = found.end()
    pieces.append(Piece(text[at:]))
    return tuple(piece for piece in pieces if piece.text)
