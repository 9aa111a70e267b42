"""What the SMTP tests share: a mail, a misbehaving server, and the failure it leads to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.mail.wire import Wire
from worker.mail.transport import Accepted, Prepared, TransportError
from worker.mail.transport.smtp import SmtpTransport

MAIL = Prepared(
    message_ref="m1",
    message_id="<m1.1@order.example>",
    envelope_from="b+m1@bounce.example",
    envelope_to="hanako@example.com",
    data=b"Subject: x\r\n\r\nhello\r\n.dot\r\n..two\r\n",
)

Serve = Callable[..., tuple[Wire, SmtpTransport]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def failure(transport: SmtpTransport, mail: Prepared = MAIL) -> TransportError:
    said: list[Accepted] = []
    with pytest.raises(TransportError) as caught:
        transport.send(mail, said.append)
    assert said == []
    return caught.value


class Keeper:
    """Keeps what a real server took."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        """Take the mail."""
        self.mails.append(envelope.original_content)
        return "250 kept"
