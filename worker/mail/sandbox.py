"""The closed room in which texts of strangers are rendered: few words, no loops, no calls."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup, escape

SOURCE_LIMIT = 64 * 1024
"""Largest source of one part, in bytes."""
OUTPUT_LIMIT = 512 * 1024
"""Largest rendered part, in bytes."""

ALLOWED_FILTERS = frozenset({"lines", "trim"})
ALLOWED_TESTS = frozenset({"defined"})

_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Filter,
    nodes.Test,
)


class MissingValue(LookupError):
    """A value the text needs is not known; the mail holds instead of printing a blank."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the text needs {name}, which is not known")
        self.name = name


class TextRefused(ValueError):
    """A text that may not be rendered; ``line`` counts from 1, 0 where no line is to blame."""

    def __init__(self, code: str, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.code, self.reason, self.line = code, reason, line


class _Missing(StrictUndefined):
    """Undefined that says its bare name in an error of our own."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None
    ) -> None:
        super().__init__(hint, obj, name, exc=lambda _message: MissingValue(name or "?"))  # type: ignore[arg-type]


def _lines(value: object) -> object:
    """Keep line breaks and indents of a value in HTML."""
    if isinstance(value, Undefined):
        return str(value)  # raises MissingValue
    rows = (escape(row).replace("  ", Markup("&nbsp; ")) for row in str(value).split("\n"))
    return Markup("<br>\n").join(rows)


def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    env = ImmutableSandboxedEnvironment(
        autoescape=html,
        undefined=_Missing,
        loader=None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.clear()
    env.filters = {"lines": _lines if html else str, "trim": env.filters["trim"]}
    env.tests = {"defined": env.tests["defined"]}
    return env


ENVIRONMENTS = {False: _environment(html=False), True: _environment(html=True)}


def parse(source: str, *, html: bool) -> nodes.Template:
    """Parse and refuse everything but text, values, conditions and the allowed filters.

    Values are plain strings, so loops, calls, attributes and arithmetic have no use in a mail;
    refusing them by kind leaves nothing with which a text could run long or reach out.
    Raises TextRefused.
    """
    if len(source.encode()) > SOURCE_LIMIT:
        raise TextRefused("too_long", f"the text is longer than {SOURCE_LIMIT // 1024} KB")
    try:
        tree = ENVIRONMENTS[html].parse(source)
    except TemplateSyntaxError as error:
        raise TextRefused("syntax", error.message or "syntax error", error.lineno) from error
    for node in refused_nodes(tree):
        what = type(node).__name__.lower()
        raise TextRefused("not_allowed", f"{what} is not allowed in a mail text", node.lineno)
    return tree


def refused_nodes(tree: nodes.Template) -> list[nodes.Node]:
    """List the parts of a text that the closed room does not allow, in order."""
    return [node for node in tree.find_all(nodes.Node) if not _allowed(node)]


def _allowed(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name in ALLOWED_FILTERS and not (node.args or node.kwargs)
    if isinstance(node, nodes.Test):
        return node.name in ALLOWED_TESTS
    if isinstance(node, nodes.Const):
        return isinstance(node.value, str | int | bool)
    return isinstance(node, _ALLOWED_NODES)


@lru_cache(maxsize=1024)
def compiled(source: str, *, html: bool) -> tuple[Template, frozenset[str]]:
    """Compile once per source; returns the template and the names it speaks of."""
    tree = parse(source, html=html)
    names = frozenset(node.name for node in tree.find_all(nodes.Name))
    return ENVIRONMENTS[html].from_string(tree), names
