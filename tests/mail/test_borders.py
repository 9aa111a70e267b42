"""Who may talk SMTP, and what the mail package may know."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_only_the_transport_talks_smtp() -> None:
    talking = {
        path.relative_to(ROOT).as_posix()
        for folder in ("worker", "connectors", "console")
        for path in (ROOT / folder).rglob("*.py")
        if imported(path) & {"smtplib", "aiosmtplib"}
    }
    assert talking == {"worker/mail/transport/smtp.py"}


def test_the_mail_package_knows_neither_store_nor_pipeline() -> None:
    ours = {name for path in (ROOT / "worker/mail").rglob("*.py") for name in imported(path)}
    inside = {name.split(".")[1] for name in ours if name.startswith("worker.")}
    assert inside == {"mail", "rules"}
    assert not {
        name for name in ours if name.split(".")[0] in {"connectors", "console", "requests"}
    }
