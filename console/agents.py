"""Browser and system of a login in a few words, so that its user knows it again."""

from __future__ import annotations

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Signs in the order in which they decide: nearly every browser also names the others."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def agent_of(header: str) -> str:
    """``Chrome, Windows``; empty where neither is known. Nothing else of the header is kept."""
    parts = (_first(_BROWSERS, header), _first(_SYSTEMS, header))
    return ", ".join(part for part in parts if part)


def _first(signs: tuple[tuple[str, str], ...], header: str) -> str:
    return next((name for sign, name in signs if sign in header), "")
