"""Secrets and personal data, masked before anything reaches a log line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "***"

_OPEN_PARAMETERS = frozenset(
    [
        "page",
        "per_page",
        "limit",
        "offset",
        "order",
        "orderby",
        "sort",
        "fields",
        "status",
        "after",
        "before",
        "modified_after",
        "modified_before",
        "dates_are_gmt",
        "start",
        "result",
        "first",
        "version",
    ]
)
"""Query parameters that may be shown; every other value is masked (allow-list, not block-list)."""

_OPEN_HEADERS = frozenset(
    [
        "content-type",
        "content-length",
        "retry-after",
        "date",
        "link",
        "x-wp-total",
        "x-wp-totalpages",
        "x-amzn-ratelimit-limit",
        "x-amzn-requestid",
        "x-request-id",
        "x-shopify-api-version",
    ]
)
_MAIL = re.compile(r"[^\s@<>\"',;:/?&=]+@[^\s@<>\"',;:/?&=]+")
_LONG_DIGITS = re.compile(r"\+?\d[\d\- ]{7,}\d")


def redact_url(url: str) -> str:
    """Mask user info and every query value that is not known to be harmless."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"{host}:{parts.port}" if parts.port else host
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    shown = [(key, value if key in _OPEN_PARAMETERS else MASK) for key, value in pairs]
    return urlunsplit((parts.scheme, place, parts.path, urlencode(shown, safe="*"), ""))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep the headers that explain an answer; mask the rest."""
    return {
        name: value if name.lower() in _OPEN_HEADERS else MASK for name, value in headers.items()
    }


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask known secrets, mail addresses and long digit runs (phone, card) in free text."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _LONG_DIGITS.sub(MASK, _MAIL.sub(MASK, text))
