"""Where the shipped documents lie: inside the wheel, or beside the packages in a checkout."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """Path of a shipped folder, ``config`` or ``templates``.

    Installed, the wheel carries it under ``worker/_data``; in a checkout it stands at the top.
    """
    here = Path(__file__).resolve().parent
    installed = here / "_data" / name
    return installed if installed.is_dir() else here.parent / name
