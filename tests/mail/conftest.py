"""The misbehaving SMTP server as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mail.smtp_parts import Serve
from tests.mail.wire import Wire
from worker.mail.transport.smtp import Security, SmtpSettings, SmtpTransport


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that misbehaves as told and a transport that talks to it."""
    started: list[tuple[Wire, SmtpTransport]] = []

    def start(settings: dict[str, Any] | None = None, **script: Any) -> tuple[Wire, SmtpTransport]:
        wire = Wire(**script)
        plain: dict[str, Any] = {"security": Security.NONE, "timeout": 2.0, "final_timeout": 2.0}
        transport = SmtpTransport(
            SmtpSettings("127.0.0.1", wire.port, **(plain | (settings or {})))
        )
        started.append((wire, transport))
        return wire, transport

    yield start
    for wire, transport in started:
        transport.close()
        wire.close()
