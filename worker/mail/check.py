"""Looks a text over before it is saved: what is wrong, on which line, and why."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from jinja2 import TemplateSyntaxError, meta, nodes

from worker.mail.placeholders import canonical
from worker.mail.sandbox import ENVIRONMENTS, SOURCE_LIMIT, refused_nodes

TRIAL_SECONDS = 10.0
"""How long the caller waits for the child, which itself may use two seconds of processor."""

_IMPORTS_FROM = Path(__file__).resolve().parents[2]
"""The child finds the package there, wherever the service was started from."""

_UNSAFE_HTML = {
    "active": re.compile(
        r"<(?:script|iframe|form|object|embed|base|link|video|audio|svg)\b|\bon[a-z]+\s*="
        r"|javascript:|http-equiv",
        re.IGNORECASE,
    ),
    "unquoted": re.compile(r"=\s*\{\{"),
    "scheme": re.compile(r"\b(?:href|src)\s*=\s*[\"']\s*\{\{(?!\s*\w*(?:url|URL)\w*\s*\}\})"),
}
_UNSAFE_WHY = {
    "active": "mail programs refuse or distrust scripts, forms and embedded things",
    "unquoted": "a value in an attribute needs quotes around it",
    "scheme": "only an address placeholder may begin a link",
}

_ARITHMETIC = (nodes.Mul, nodes.Pow)


@dataclass(frozen=True, slots=True)
class LintMessage:
    """One finding; ``line`` counts from 1, ``what`` is the part meant, ``why`` a sentence."""

    line: int
    code: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a text in the child process: its output, or why there is none."""

    ok: bool
    output: str = ""
    reason: str = ""


def check_source(source: str, *, html: bool = False) -> list[LintMessage]:
    """List everything that keeps a source from being saved; empty when it may be."""
    if len(source.encode()) > SOURCE_LIMIT:
        return [LintMessage(0, "too_long", "", f"longer than {SOURCE_LIMIT // 1024} KB")]
    try:
        tree = ENVIRONMENTS[html].parse(source)
    except TemplateSyntaxError as error:
        return [LintMessage(error.lineno, "syntax", "", error.message or "syntax error")]
    found = [*_refused(tree), *_unknown(tree), *(_unsafe(source) if html else ())]
    return sorted(found, key=lambda message: (message.line, message.code))


def _refused(tree: nodes.Template) -> Iterator[LintMessage]:
    for node in refused_nodes(tree):
        what = type(node).__name__.lower()
        if isinstance(node, _ARITHMETIC):
            yield LintMessage(
                node.lineno, "multiplies", what, "multiplying can fill the memory and has no use"
            )
        else:
            yield LintMessage(
                node.lineno, "not_allowed", what, "a mail text holds words, values and conditions"
            )


def _unsafe(source: str) -> Iterator[LintMessage]:
    for number, row in enumerate(source.split("\n"), start=1):
        for code, pattern in _UNSAFE_HTML.items():
            if match := pattern.search(row):
                yield LintMessage(number, code, match.group(0), _UNSAFE_WHY[code])


def _unknown(tree: nodes.Template) -> Iterator[LintMessage]:
    lines = {node.name: node.lineno for node in reversed(list(tree.find_all(nodes.Name)))}
    for name in sorted(meta.find_undeclared_variables(tree)):
        if canonical(name) is None:
            why = f"there is no placeholder called {name}"
            yield LintMessage(lines.get(name, 0), "unknown_placeholder", name, why)


def try_in_child(source: str, values: Mapping[str, str], *, html: bool = False) -> Trial:
    """Render in a child process held to 2 s of processor time and 256 MB of memory.

    Whatever the text tries, this process goes on; the answer says how the trial ended.
    """
    question = json.dumps({"source": source, "values": dict(values), "html": html})
    command = [sys.executable, "-m", "worker.mail.trial"]
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module, no shell)
            command,
            input=question.encode(),
            capture_output=True,
            timeout=TRIAL_SECONDS,
            check=False,
            cwd=_IMPORTS_FROM,
        )
    except subprocess.TimeoutExpired:
        return Trial(ok=False, reason="the text did not finish in time")
    if done.returncode != 0:
        return Trial(ok=False, reason="the text used more time or memory than a mail may")
    answer = json.loads(done.stdout)
    return Trial(**answer)


def as_json(messages: list[LintMessage]) -> list[dict[str, object]]:
    """Findings as plain data for the desk and the command line."""
    return [asdict(message) for message in messages]
