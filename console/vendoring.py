"""Rebuilds ``console/static/vendor`` from pinned npm packages: for developers, never at install.

Run ``python -m console.vendoring FOLDER`` where FOLDER holds the unpacked npm packages
``htmx.org``, ``tabler-core`` and ``tabler-icons`` in the versions that ``VENDOR.toml`` names.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"

ICONS = (
    "alert-circle",
    "alert-triangle",
    "arrow-back-up",
    "arrow-left",
    "arrow-narrow-right",
    "arrow-up-right",
    "ban",
    "calendar-due",
    "chart-bar",
    "check",
    "chevron-down",
    "chevron-right",
    "circle-check",
    "clock",
    "download",
    "file-text",
    "flag",
    "gift",
    "git-compare",
    "hand-stop",
    "history",
    "info-circle",
    "keyboard",
    "language",
    "link",
    "lock",
    "logout",
    "mail",
    "mail-check",
    "mail-off",
    "menu-2",
    "note",
    "notes",
    "package",
    "pencil",
    "phone",
    "player-pause",
    "player-play",
    "plus",
    "plug-connected",
    "point",
    "printer",
    "refresh",
    "search",
    "send",
    "settings",
    "shield-check",
    "shopping-cart",
    "sun-high",
    "template",
    "ticket",
    "user",
    "users",
    "x",
)
"""Outline icons that the pages use; each becomes a ``<symbol>`` of one sprite file."""

_DATA_URL = re.compile(r"""url\((?:"data:[^"]*"|'data:[^']*'|data:[^)]*)\)""")
_SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/\s*")
_SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def without_data_urls(css: str) -> str:
    """Replace every ``data:`` image by none, so that ``default-src 'self'`` needs no exception.

    ``desk.css`` draws the form controls from files of its own.
    """
    return _SOURCE_MAP.sub("", _DATA_URL.sub("none", css))


def sprite(icons: Path) -> str:
    """Gather the outline icons of the folder into one SVG of symbols ``i-<name>``."""
    symbols = [_symbol(name, (icons / f"{name}.svg").read_text()) for name in ICONS]
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def _symbol(name: str, svg: str) -> str:
    found = _SHAPES.search(svg)
    if found is None:
        raise ValueError(f"{name}.svg holds no <svg> element")
    shapes = " ".join(found.group(1).split())
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def rebuild(packages: Path) -> dict[str, str]:
    """Write the vendored files anew; gives file name to SHA-256 for ``VENDOR.toml``."""
    css = (packages / "tabler-core" / "dist" / "css" / "tabler.min.css").read_text()
    (VENDOR / "tabler.min.css").write_text(without_data_urls(css))
    (VENDOR / "icons.svg").write_text(sprite(packages / "tabler-icons" / "icons" / "outline"))
    shutil.copyfile(packages / "htmx.org" / "dist" / "htmx.min.js", VENDOR / "htmx.min.js")
    names = ("tabler.min.css", "icons.svg", "htmx.min.js")
    return {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in names}


if __name__ == "__main__":
    for file, digest in rebuild(Path(sys.argv[1])).items():
        sys.stdout.write(f"{file} {digest}\n")
