"""The one way connectors talk HTTP: deadlines, polite retries, errors sorted by what to do."""

from __future__ import annotations

import json
import logging
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from connectors.contract import BadRecord, NeedsPerson, TryLater
from connectors.kit.redaction import redact_text, redact_url

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


class Http:
    """A session for one channel. ``secrets`` are values that no error or log line may show."""

    def __init__(
        self,
        *,
        user_agent: str,
        secrets: tuple[str, ...] = (),
        timeout: tuple[float, float] = TIMEOUT,
        retry: Retry | None = None,
        max_body: int = MAX_BODY,
    ) -> None:
        self._secrets, self._timeout, self._max_body = secrets, timeout, max_body
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
            raise self._needs_person("The server's certificate is not valid.", url) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            raise self._needs_person("The address is not valid.", url) from error
        except requests.exceptions.RequestException as error:
            raise TryLater(f"{redact_url(url)}: {type(error).__name__}") from error
        log.info("http_answered", extra={"url": redact_url(url), "status": status})
        answer = Answer(status, dict(headers), body, redact_url(url))
        if status not in judged:
            self._classify(answer)
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
                self._classify(Answer(response.status_code, headers, b"", redact_url(url)))
                return sum(target.write(part) for part in response.iter_content(1024 * 1024))
        except requests.exceptions.RequestException as error:
            raise TryLater(f"{redact_url(url)}: {type(error).__name__}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _read(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(64 * 1024):
            size += len(part)
            if size > self._max_body:
                raise TryLater(f"{redact_url(response.url)}: the answer is larger than allowed")
            parts.append(part)
        return b"".join(parts)

    def _needs_person(self, problem: str, url: str) -> NeedsPerson:
        return NeedsPerson(f"{redact_url(url)}: {problem}", "Check the channel's address.")

    def _classify(self, answer: Answer) -> None:
        if answer.status < 300:
            return
        where = f"{answer.url}: HTTP {answer.status}"
        detail = redact_text(answer.excerpt(), self._secrets)
        if answer.status in _BUSY or answer.status in {408, 425}:
            raise TryLater(where, retry_after(answer.headers))
        remedy = {
            401: "The key is refused: enter a new one in the channel's settings.",
            402: "The shop's contract is suspended: settle it with the marketplace.",
            403: "The key lacks a right, or this server's address is not registered.",
            404: "Check the shop's address and the API version in the channel's settings.",
        }.get(answer.status, "Read the message and mend the channel's settings.")
        raise NeedsPerson(f"{where} {detail}".rstrip(), remedy)


class Answer:
    """A whole answer; ``url`` is already redacted."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> None:
        self.status, self.body, self.url = status, body, url
        self.headers = {name.lower(): value for name, value in headers.items()}

    def excerpt(self, length: int = 200) -> str:
        """Show the beginning of the body for a message, on one line."""
        return " ".join(self.body[:length].decode("utf-8", "replace").split())

    def json(self) -> Any:
        """Read the body as JSON.

        Raises TryLater for an HTML page (a maintenance notice or a shield in front of the
        shop) and for a text that breaks off, BadRecord for anything else that is no JSON.
        A byte-order mark is tolerated.
        """
        text = self.body.removeprefix(b"\xef\xbb\xbf")
        if text.lstrip()[:1] == b"<" or "html" in self.headers.get("content-type", ""):
            raise TryLater(f"{self.url}: a web page came instead of data")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
                raise TryLater(f"{self.url}: the answer breaks off") from error
            raise BadRecord("bad_json", f"The answer is not JSON: {error.msg}.") from error
        except UnicodeDecodeError as error:
            raise BadRecord("bad_json", "The answer is not UTF-8.") from error


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait, from either form of Retry-After; None if unsaid."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
