"""A real HTTP server on the loopback that pretends to be a marketplace, with faults on order."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    host: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What to send back; ``cut`` bytes of the body never arrive, ``delay`` is in seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    delay: float = 0.0


def told(data: Any, status: int = 200, **headers: str) -> Answered:
    """Answer with JSON; ``x_wp_total="3"`` becomes the header ``x-wp-total``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(data, ensure_ascii=False).encode()
    return Answered(status, body, {"content-type": "application/json; charset=UTF-8", **named})


def web_page(status: int = 503) -> Answered:
    """What a shop in maintenance, or a shield in front of it, answers."""
    page = "<!DOCTYPE html><title>メンテナンス中</title>".encode()
    return Answered(status, page, {"content-type": "text/html; charset=UTF-8"})


class Loopback:
    """Serves ``handle`` until ``stop``; answers waiting in ``faults`` are given first."""

    def __init__(self, handle: Callable[[Asked], Answered]) -> None:
        self.handle = handle
        self.faults: deque[Answered] = deque()
        self.asked: list[Asked] = []
        self.clock_offset = timedelta(0)
        """What the Date header is off by."""
        self._lock = threading.Lock()
        self._server = self._open(0)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Give the port back; whoever asks from now on is refused."""
        self._server.shutdown()
        self._server.server_close()

    def again(self) -> None:
        """Come back after ``stop`` at the address of before."""
        self._server = self._open(urlsplit(self.url).port or 0)

    def _open(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def _answer(self, asked: Asked) -> Answered:
        with self._lock:
            self.asked.append(asked)
            return self.faults.popleft() if self.faults else self.handle(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                asked = Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                    self.headers.get("host", ""),
                )
                self.send(loopback._answer(asked))

            def send(self, answer: Answered) -> None:
                time.sleep(answer.delay)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                with contextlib.suppress(
                    ConnectionError
                ):  # who asked has given up: slow on purpose
                    self.wfile.write(answer.body[: len(answer.body) - answer.cut])
                self.close_connection = True

            def date_time_string(self, timestamp: float | None = None) -> str:
                now = time.time() if timestamp is None else timestamp
                return super().date_time_string(now + loopback.clock_offset.total_seconds())

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        return Handler
