"""There is one place from which mail leaves, and one module that speaks SMTP (P9)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.folders import ROOT

SENDERS = {"worker/pipeline/dispatch.py"}
SMTP = {"worker/mail/transport/smtp.py"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product with its syntax tree."""
    for folder in ("worker", "connectors", "console"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> set[str]:
    """Names of the modules a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def hands_over(tree: ast.Module) -> bool:
    """Whether it calls ``send`` on something called a transport."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "send"
        and "transport" in ast.unparse(node.func.value).lower()
        for node in ast.walk(tree)
    )


def test_only_dispatch_hands_mails_to_a_transport() -> None:
    assert {name for name, tree in sources() if hands_over(tree)} == SENDERS


def test_only_the_smtp_transport_speaks_smtp() -> None:
    assert {name for name, tree in sources() if "smtplib" in imports(tree)} == SMTP


def test_the_check_sees_a_second_way_out() -> None:
    assert hands_over(ast.parse("def leak(item): item.transport.send(item.mail)"))
    assert imports(ast.parse("import smtplib")) == {"smtplib"}
