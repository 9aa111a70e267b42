"""Answers of a pretend marketplace, recorded once and told again with one part in a wrong shape."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import strategies as st

from connectors.contract import Connector, TryLater
from connectors.kit.http import Answer, Http
from tests.connectors.harness import Harness
from tests.connectors.loopback import Loopback

SHAPES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, math.nan, "", "x", "0", "\u0000", "9999-99-99",
    [], [[]], [None], ["x"], [1, [2, [3]]], [{}], {}, {"x": {}}, {"x": [None]},
)  # fmt: skip
"""What may stand where something else was meant."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Tape:
    """The answers of one clean reading, in their order."""

    answers: list[Answer] = field(default_factory=list)
    place: int = 0

    def tell(self) -> Answer:
        """The next answer, whatever was asked; behind the last one the line is dead."""
        self.place += 1
        if self.place > len(self.answers):
            raise TryLater("The tape is over.")
        return self.answers[self.place - 1]


@contextmanager
def opened(harness: Harness, folder: Path, *, stopped: bool) -> Iterator[Connector]:
    """A connector on the harness's source; ``stopped``: whose servers are gone already."""
    servers: list[Loopback] = []
    made = Loopback.__init__

    def noted(self: Loopback, *arguments: Any) -> None:
        made(self, *arguments)
        servers.append(self)

    folder.mkdir(exist_ok=True, parents=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loopback, "__init__", noted)
        connector = harness.open(folder)
    if stopped:
        _stop(servers)
    try:
        yield connector
    finally:
        if not stopped:
            _stop(servers)


def _stop(servers: list[Loopback]) -> None:
    for server in servers:
        server.stop()


@contextmanager
def recording(tape: Tape) -> Iterator[None]:
    """Note every answer that comes over HTTP."""
    request = Http.request

    def noted(self: Http, method: str, url: str, **options: Any) -> Answer:
        answer = request(self, method, url, **options)
        tape.answers.append(answer)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Http, "request", noted)
        yield


@contextmanager
def playing(tape: Tape) -> Iterator[None]:
    """Answer every request from the tape."""

    def told(_self: Http, _method: str, _url: str, **_options: Any) -> Answer:
        return tape.tell()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Http, "request", told)
        yield


def bent(tape: Tape, draw: Draw) -> Tape:
    """The same tape with one part of one answer in a wrong shape."""
    at = draw(st.integers(0, len(tape.answers) - 1))
    answers = list(tape.answers)
    was = answers[at]
    answers[at] = Answer(was.status, was.headers, _bent_body(was.body, draw), was.url)
    return Tape(answers)


def _bent_body(body: bytes, draw: Draw) -> bytes:
    try:
        told = json.loads(body)
    except ValueError:
        return _bent_tree(body, draw)
    return json.dumps(_bent(told, draw), ensure_ascii=False).encode()


def _bent(told: Any, draw: Draw) -> Any:
    """Walk down to some part and put another shape there."""
    if isinstance(told, dict) and told and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(told)))
        return {**told, key: _bent(told[key], draw)}
    if isinstance(told, list) and told and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(told) - 1))
        return [*told[:place], _bent(told[place], draw), *told[place + 1 :]]
    return draw(st.sampled_from(SHAPES))


def _bent_tree(body: bytes, draw: Draw) -> bytes:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return draw(st.sampled_from([b"", b"[]", b"<a/>", body[: len(body) // 2]]))  # type: ignore[no-any-return]
    node = draw(st.sampled_from(list(root.iter())))
    match draw(st.sampled_from(["empty", "text", "twice", "inside", "other", "nested"])):
        case "empty":
            node.clear()
        case "text":
            for child in list(node):
                node.remove(child)
            node.text = draw(st.sampled_from(["x", "-1", "1.5", "9" * 30, "9999-99-99", "  "]))
        case "twice":
            node.extend(deepcopy(list(node)))
        case "inside":
            ElementTree.SubElement(node, node.tag).text = "x"
        case "other":
            node.tag = "Other"
        case "nested":
            node.extend([deepcopy(node)])
    told: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return told
