"""What changed between two versions of a mail, as pieces that a page can mark ins and del."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

FIELDS = ("sender", "recipient", "subject", "text", "html")
_FINE_LIMIT = 2000
"""Longer stretches are not compared letter by letter: it takes the square of their length."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stayed, came or went."""

    op: Literal["same", "ins", "del"]
    text: str


def diff_text(before: str, after: str) -> list[Piece]:
    """Compare by lines, and letter by letter within lines that changed (Japanese has no words)."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[i1:i2]), "".join(new[j1:j2])
        if op == "replace" and len(gone) + len(come) <= _FINE_LIMIT:
            pieces += _letters(gone, come)
        else:
            pieces += _pieces(op, gone, come)
    return _joined(pieces)


def _letters(gone: str, come: str) -> Iterator[Piece]:
    for op, i1, i2, j1, j2 in SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
        yield from _pieces(op, gone[i1:i2], come[j1:j2])


def _pieces(op: str, gone: str, come: str) -> Iterator[Piece]:
    if op == "equal":
        yield Piece("same", gone)
        return
    if gone:
        yield Piece("del", gone)
    if come:
        yield Piece("ins", come)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].op == piece.op:
            joined[-1] = Piece(piece.op, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def diff_mail(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Piece]]:
    """Compare the fields that both versions know; gives only those that differ."""
    found = {}
    for name in FIELDS:
        if name not in before or name not in after:
            continue
        old, new = before[name] or "", after[name] or ""
        if old != new:
            found[name] = diff_text(old, new)
    return found
