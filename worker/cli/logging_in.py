"""The command `okaeri channels login`: a marketplace's login in the browser, answered here."""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated
from urllib.parse import urlsplit

import typer

from connectors.contract import TryLater
from worker.browser_login import Answer, Login, begin, finish, told_redirect
from worker.cli.checking import tell_checks
from worker.cli.opening import By, Config, Data, Wrong, default_by, now, open_runtime, words
from worker.pipeline.channel_login import LIFE
from worker.runtime import Runtime

DEFAULT_REDIRECT = "http://127.0.0.1:8788/login"
"""Where the browser is sent back to where the shop told its marketplace nothing else."""

_HERE = ("127.0.0.1", "localhost")
_DONE = "受け取りました。この画面は閉じてください。 / Received. You can close this page."
_WRONG = "このログインの返事ではありません。 / This is no answer to the login that was begun."
_GO = """\
ブラウザで次のアドレスを開き、ショップの担当者でログインして許可してください。
Open this address in a browser, log in as the shop's staff and allow it:

  {address}

モールに登録しておくコールバックURL / callback URL the marketplace must know:
  {redirect}
"""
_WAIT = "返事を待っています (最長{minutes}分、Ctrl-C で中止) / waiting for the answer"
_LATER = "モールが応答しません。もう一度ログインしてください / no answer there, log in again"
_PASTE = (
    "許可したあとに開いたアドレス (またはコード) を貼り付けてください / "
    "Paste the address that opened after you allowed it, or the code"
)


def login_command(
    channel: Annotated[str, typer.Argument(help="Channel, e.g. yahoo:main.")],
    redirect: Annotated[str, typer.Option(help="Callback URL the marketplace knows.")] = "",
    paste: Annotated[bool, typer.Option("--paste", help="Paste the answer by hand.")] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Log in at a marketplace with a browser, where its keys come that way; then try them."""
    runtime = open_runtime(data, config)
    log_in(runtime, channel, by or default_by(), redirect=redirect, paste=paste)
    tell_checks(runtime, [channel], as_json=False)


def log_in(
    runtime: Runtime, channel: str, by: str, *, redirect: str = "", paste: bool = False
) -> None:
    """Lead a person through the login. Raises NeedsPerson, TryLater, Wrong, UnknownChannel."""
    address = redirect or told_redirect(runtime, channel) or DEFAULT_REDIRECT
    login = begin(runtime, channel, address, by, now())
    words.print(_GO.format(address=login.address, redirect=address), markup=False)
    by_hand = paste or not _is_here(address)
    answer = _pasted(login) if by_hand else _awaited(login)
    try:
        finish(runtime, answer, by, now())
    except TryLater as problem:
        raise Wrong(f"{_LATER}: {problem}") from problem
    words.print(f"{channel}: ログインできました / logged in", markup=False)


def _is_here(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in _HERE


def _pasted(login: Login) -> Answer:
    """What the person copies; a bare code belongs to the login that this command has begun."""
    answer = Answer.of(typer.prompt(_PASTE, err=True))
    return Answer(code=answer.code, state=login.state) if answer.bare else answer


def _awaited(login: Login) -> Answer:
    """Listen on the loopback until the browser comes with this login's state. Raises Wrong."""
    parts = urlsplit(login.redirect_uri)
    listener = _open(parts.port or 80, parts.path or "/", login.state)
    minutes = LIFE.total_seconds() / 60
    words.print(_WAIT.format(minutes=f"{minutes:.0f}"), markup=False)
    thread = threading.Thread(target=listener.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        listener.answered.wait(LIFE.total_seconds())
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
    if listener.answer is None:
        raise Wrong("時間内に返事がありませんでした / no answer came in time")
    return listener.answer


def _open(port: int, path: str, state: str) -> _Listener:
    try:
        return _Listener(port, path, state)
    except OSError as error:
        raise Wrong(
            f"ポート {port} を使えません ({error.strerror})。--paste を付けてやり直してください / "
            f"port {port} cannot be used: try again with --paste"
        ) from error


class _Listener(ThreadingHTTPServer):
    """Takes the one request that carries the state; anything else is turned away."""

    # A browser opens connections ahead that say nothing: each has a thread of its own.
    daemon_threads = True

    def __init__(self, port: int, path: str, state: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.path, self.state = path, state
        self.answer: Answer | None = None
        self.answered = threading.Event()

    def take(self, asked: str) -> bool:
        """Whether this is the answer; the first one counts."""
        answer = Answer.of(asked) if urlsplit(asked).path == self.path else Answer()
        if not secrets.compare_digest(answer.state.encode(), self.state.encode()):
            return False
        self.answer = self.answer or answer
        self.answered.set()
        return True


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10
    """Seconds until a connection that says nothing is let go."""

    def do_GET(self) -> None:
        mine = self.server.take(self.path)
        body = (_DONE if mine else _WRONG).encode()
        self.send_response(200 if mine else 400)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the address holds the code."""
