"""XML of strangers, read without entities, and written without letting a value break out."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

Tree = dict[str, Any]
"""Element name to its text, to its children as a Tree, or to a list of several of its name."""

MOST_DEPTH = 32
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BROKEN_OFF = frozenset({3, 5, 20})
"""expat: no element found, unclosed token, unclosed CDATA section."""


class BrokenXml(Exception):
    """A body that is no XML, or holds what no answer needs; ``cut`` where it merely breaks off."""

    def __init__(self, reason: str, *, cut: bool = False) -> None:
        super().__init__(reason)
        self.cut = cut


class _Reader:
    """Builds trees from expat's events; attributes are left out."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Tree, list[str]]] = []
        self.root: Tree = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MOST_DEPTH:
            raise BrokenXml("nested too deeply")
        self._open.append((name, {}, []))

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def end(self, name: str) -> None:
        _, children, texts = self._open.pop()
        value: Any = children or "".join(texts).strip()
        into = self._open[-1][1] if self._open else self.root
        known = into.get(name)
        if known is None:
            into[name] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            into[name] = [known, value]

    def refuse(self, *told: Any) -> None:
        raise BrokenXml("a document type or an entity is declared")


def parse(body: bytes) -> Tree:
    """Read a document to ``{root name: …}``.

    A document type is refused: no answer needs one, and entities are how XML reads files and
    fills memory. Control characters that XML forbids are left out. Raises BrokenXml.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = None
    try:
        parser.Parse(_FORBIDDEN.sub(b"", body), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code) or "not XML"
        raise BrokenXml(reason, cut=error.code in _BROKEN_OFF) from error
    return reader.root


def element(name: str, *children: str) -> str:
    """An element around children that are elements already."""
    return f"<{name}>{''.join(children)}</{name}>"


def leaf(name: str, text: str) -> str:
    """An element around a text, escaped."""
    return f"<{name}>{escape(text)}</{name}>"
