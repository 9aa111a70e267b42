"""The one way connectors talk HTTP: deadlines, polite retries, errors sorted by what to do."""

from __future__ import annotations

import json
import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from connectors.contract import BadRecord, NeedsPerson, Pace, TryLater
from connectors.kit import waiting
from connectors.kit.redaction import redact_url

log = logging.getLogger(__name__)

TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and between two bytes of the answer."""

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer that are read at most."""

for _teller in ("urllib3.connectionpool", "urllib3.util.retry"):
    # Their lines show whole addresses, query values included; ours tell the same, masked.
    logging.getLogger(_teller).setLevel(logging.ERROR)

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_BUSY = frozenset({429, 500, 502, 503, 504})
_TOO_OFTEN = frozenset({429, 503})
"""Statuses whose Retry-After holds for everybody who asks there."""

_LONGEST_WAIT = 86_400.0
"""Seconds that a Retry-After is believed at most: a day's quota is the longest there is."""


def retries(total: int = 3, backoff: float = 0.5) -> Retry:
    """Repeat reads only, on busy answers, waiting as long as the server asks for."""
    return Retry(
        total=total,
        backoff_factor=backoff,
        status_forcelist=sorted(_BUSY),
        allowed_methods=_IDEMPOTENT,
        respect_retry_after_header=True,
        retry_after_max=60,
        raise_on_status=False,
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """The budget that a marketplace's own server counts, at an address that nobody mistypes.

    A Retry-After closes it for every worker, and a web page with HTTP 404 is a pause of the
    server and not a wrong address.
    """

    pace: Pace
    name: str


class Http:
    """A session for one channel, of one ``lane`` where its server counts all questions alike."""

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: tuple[float, float] = TIMEOUT,
        retry: Retry | None = None,
        max_body: int = MAX_BODY,
        lane: Lane | None = None,
    ) -> None:
        self._timeout, self._max_body, self._lane = timeout, max_body, lane
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        adapter = HTTPAdapter(max_retries=retries() if retry is None else retry)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def request(
        self, method: str, url: str, *, judged: Container[int] = (), **options: Any
    ) -> Answer:
        """Send one request and read the whole answer.

        ``options`` are those of ``requests.Session.request``. Raises NeedsPerson for a
        refused key, a missing right or a wrong address, TryLater for a busy, slow or
        unreachable source and for a body that breaks off. Answers with a status in
        ``judged`` are given back: the caller knows their words.
        """
        try:
            with self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, stream=True, **options
            ) as response:
                body = self._read(response)
                status, headers = response.status_code, response.headers
        except requests.exceptions.SSLError as error:
            raise _wrong_certificate(url) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            raise _wrong_address(url) from error
        except requests.exceptions.RequestException as error:
            raise _unanswered(url, error) from error
        log.info("http_answered", extra={"url": redact_url(url), "status": status})
        answer = Answer(status, dict(headers), body, redact_url(url))
        self._close_lane(answer)
        if status not in judged or (self._lane and status == 404 and answer.is_page()):
            _classify(answer)
        return answer

    def download(self, url: str, target: BinaryIO) -> int:
        """Write a large answer to a file, piece by piece; gives its size in bytes.

        Raises NeedsPerson or TryLater like ``request``; a body that breaks off is TryLater.
        """
        try:
            with self._session.get(
                url, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                headers = dict(response.headers)
                _classify(Answer(response.status_code, headers, b"", redact_url(url)))
                return sum(target.write(part) for part in response.iter_content(1024 * 1024))
        except requests.exceptions.RequestException as error:
            raise _unanswered(url, error) from error

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _read(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(64 * 1024):
            size += len(part)
            if size > self._max_body:
                raise waiting.unreadable("larger than allowed")
            parts.append(part)
        return b"".join(parts)

    def _close_lane(self, answer: Answer) -> None:
        wait = retry_after(answer.headers)
        if self._lane and wait and answer.status in _TOO_OFTEN:
            until = datetime.now(UTC) + timedelta(seconds=wait)
            self._lane.pace.exhausted(self._lane.name, until)


def _unanswered(url: str, error: Exception) -> TryLater:
    name = type(error).__name__
    log.info("http_unanswered", extra={"url": redact_url(url), "error_type": name})
    return waiting.silent(name)


def _wrong_certificate(url: str) -> NeedsPerson:
    return NeedsPerson(
        f"サーバーの証明書が正しくありません ({_host(url)})。"
        "The server's certificate is not valid.",
        "チャネルのアドレスと、サーバーの証明書の期限を確かめてください。"
        "Check the channel's address, and whether the server's certificate has ended.",
    )


def _wrong_address(url: str) -> NeedsPerson:
    return NeedsPerson(
        f"アドレスが正しくありません ({_host(url)})。The address is not valid.",
        "チャネルの設定のアドレスを確かめてください。Check the channel's address.",
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"


def _classify(answer: Answer) -> None:
    """Raise what a status that nobody judged asks for. What the body says is never shown."""
    if answer.status < 300:
        return
    shown = f"HTTP {answer.status}"
    if answer.status in _BUSY or answer.status in {408, 425}:
        raise waiting.busy(shown, retry_after(answer.headers))
    if answer.status == 404 and answer.is_page():
        raise waiting.unreadable(f"{shown}, a web page")
    problem, problem_en, remedy = _REFUSED.get(answer.status, _REFUSED_OTHERWISE)
    raise NeedsPerson(f"{problem} ({shown})。{problem_en} ({shown}).", remedy)


_REFUSED = {
    401: (
        "鍵が受け付けられません",
        "The key is refused",
        "チャネルの設定で新しい鍵を登録してください。Enter a new key in the channel's settings.",
    ),
    402: (
        "ショップの契約が止まっています",
        "The shop's contract is suspended",
        "モールやカートの契約と請求を確かめてください。Settle it with the marketplace.",
    ),
    403: (
        "接続が許可されていません",
        "The connection is not allowed",
        (
            "鍵の権限と、このサーバーのIPアドレスが登録されているかを確かめてください。"
            "Check the key's rights, and that this server's address is registered."
        ),
    ),
    404: (
        "接続先が見つかりません",
        "There is nothing at this address",
        (
            "チャネルの設定のアドレスとAPIのバージョンを確かめてください。"
            "Check the address and the API version in the channel's settings."
        ),
    ),
}
_REFUSED_OTHERWISE = (
    "相手のサーバーが問い合わせを断りました",
    "The other server refuses the question",
    (
        "チャネルの設定を確かめ、続く場合は番号を添えて開発者へ知らせてください。"
        "Check the channel's settings; if that does not help, report the number."
    ),
)


class Answer:
    """A whole answer; ``url`` is already redacted."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> None:
        self.status, self.body, self.url = status, body, url
        self.headers = {name.lower(): value for name, value in headers.items()}

    def excerpt(self, length: int = 200) -> str:
        """Show the beginning of the body for a message, on one line."""
        return " ".join(self.body[:length].decode("utf-8", "replace").split())

    def is_page(self) -> bool:
        """Tell a web page for people from data; XML is data."""
        head = self.body[:500].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        if head.startswith((b"{", b"[")):
            return False
        kind = self.headers.get("content-type", "").lower()
        if "html" in kind or b"<!doctype html" in head or b"<html" in head:
            return True
        return head.startswith(b"<") and not head.startswith(b"<?xml") and "xml" not in kind

    def json(self) -> Any:
        """Read the body as JSON.

        Raises TryLater for an HTML page (a maintenance notice or a shield in front of the
        shop) and for a text that breaks off, BadRecord for anything else that is no JSON.
        A byte-order mark is tolerated.
        """
        text = self.body.removeprefix(b"\xef\xbb\xbf")
        if text.lstrip()[:1] == b"<" or "html" in self.headers.get("content-type", ""):
            raise waiting.unreadable("a web page")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
                raise waiting.unreadable("half an answer") from error
            raise BadRecord("bad_json", f"The answer is not JSON: {error.msg}.") from error
        except UnicodeDecodeError as error:
            raise BadRecord("bad_json", "The answer is not UTF-8.") from error


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait, from either form of Retry-After; None if unsaid.

    Never more than a day.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_WAIT)
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    wait = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, wait), _LONGEST_WAIT)
