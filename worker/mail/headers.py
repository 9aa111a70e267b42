"""Writes header fields by hand: encoded words, folds and refusals that never depend on a library.

The email package turns a long List-Unsubscribe into encoded words, which no mail client reads,
and loses the quotes of old phone addresses; its line length cannot be widened without new faults.
"""

from __future__ import annotations

import base64
import re

LINE = 76
"""Longest header line with encoded words (RFC 2047, section 2)."""

_WORD_BYTES = 45
"""Bytes that fit one encoded word of at most 75 characters."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]+@[A-Za-z0-9.\-]+")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+\-/=?^_`{|}~]+")


class HeaderRefused(ValueError):
    """A value that must not reach a header: control characters, line breaks, a broken address."""


def checked(name: str, value: str) -> str:
    """Return the value; raises HeaderRefused for control characters in it."""
    if _CONTROL.search(value):
        raise HeaderRefused(f"{name} holds a control character or line break")
    return value


def checked_address(name: str, value: str) -> str:
    """Return a bare ASCII address; raises HeaderRefused for anything else."""
    if not _ADDRESS.fullmatch(checked(name, value)):
        raise HeaderRefused(f"{name} is not a plain address")
    return value


def text_field(name: str, value: str) -> str:
    """An unstructured field such as Subject: folded ASCII, or encoded words."""
    checked(name, value)
    if value.isascii() and "=?" not in value and _longest(value) < LINE - len(name) - 2:
        return _folded(name, value)
    return f"{name}: " + "\r\n ".join(encoded_words(value, LINE - len(name) - 2))


def mailbox_field(name: str, display: str | None, address: str) -> str:
    """From or Reply-To: display name and exactly one address."""
    checked_address(name, address)
    if not display:
        return f"{name}: {address}"
    checked(name, display)
    if display.isascii() and "=?" not in display and len(display) < LINE - len(name) - 4:
        plain = _ATOMS.fullmatch(display)
        quoted = display if plain else '"' + re.sub(r'(["\\])', r"\\\1", display) + '"'
        line = f"{name}: {quoted} <{address}>"
        return line if len(line) <= LINE else f"{name}: {quoted}\r\n <{address}>"
    words = encoded_words(display, LINE - len(name) - 2)
    return f"{name}: " + "\r\n ".join([*words, f"<{address}>"])


def token_field(name: str, tokens: list[str]) -> str:
    """A field of tokens that must stay whole, each on a line of its own (List-Unsubscribe)."""
    for token in tokens:
        if not checked(name, token).isascii():
            raise HeaderRefused(f"{name} must be ASCII")
    return f"{name}: " + ",\r\n ".join(tokens)


def plain_field(name: str, value: str) -> str:
    """A short ASCII field that is never folded (Message-ID, Date). Raises HeaderRefused."""
    if not checked(name, value).isascii():
        raise HeaderRefused(f"{name} must be ASCII")
    return f"{name}: {value}"


def encoded_words(value: str, first_room: int) -> list[str]:
    """Split into UTF-8 base64 encoded words, never inside a character.

    ``first_room`` is how many characters the first line leaves.
    """
    words: list[str] = []
    room, chunk = _bytes_for(first_room), b""
    for char in value:
        encoded = char.encode()
        if len(chunk) + len(encoded) > room:
            words.append(_word(chunk))
            room, chunk = _WORD_BYTES, b""
        chunk += encoded
    return [*words, _word(chunk)]


def _bytes_for(room: int) -> int:
    return max(3, min(_WORD_BYTES, (room - len("=?utf-8?b??=")) // 4 * 3))


def _word(chunk: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(chunk).decode()}?="


def _longest(value: str) -> int:
    return max((len(part) for part in value.split(" ")), default=0)


def _folded(name: str, value: str) -> str:
    lines, line = [], f"{name}:"
    for part in value.split(" "):
        # A fold needs something before and after it; runs of spaces stay on their line.
        if part and line.strip() and len(line) + 1 + len(part) > LINE and not line.endswith(" "):
            lines.append(line)
            line = ""
        line += f" {part}"
    return "\r\n".join([*lines, line])
