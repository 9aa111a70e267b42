"""OAuth 1.0a without a token, for shops that PHP does not see behind https (RFC 5849)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

WINDOW_SECONDS = 900
"""How far the timestamp may be from the shop's clock."""


def signed(
    method: str,
    url: str,
    params: Mapping[str, str],
    *,
    key: str,
    secret: str,
    timestamp: int,
    nonce: str,
) -> dict[str, str]:
    """Give the query arguments with their signature; ``url`` has no query.

    ``timestamp`` is in Unix seconds; ``nonce`` must not repeat within WINDOW_SECONDS.
    """
    told = dict(params) | {
        "oauth_consumer_key": key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(timestamp),
    }
    return told | {"oauth_signature": signature(method, url, told, secret)}


def signature(method: str, url: str, params: Mapping[str, str], secret: str) -> str:
    """Sign the sorted arguments with the consumer secret; the token's part stays empty."""
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in params.items())
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join([method.upper(), _encoded(url), _encoded(joined)])
    digest = hmac.new(f"{secret}&".encode(), base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
