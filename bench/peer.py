"""The peer beside us: django-post-office, in an environment of its own, where it installs."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

_HOME = Path("build") / "peer"
_PINS = ("django-post-office==3.12.0", "Django==5.2.19")


class PeerAbsent(Exception):
    """The peer does not install or run here; the message says why."""


def prepare() -> Path:
    """Python of an environment that holds the peer, made at first use. Raises PeerAbsent."""
    python = _HOME / "bin" / "python"
    ready = _HOME / "ready"
    if ready.exists():
        return python
    venv.create(_HOME, clear=True, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *_PINS]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        raise PeerAbsent(f"django-post-office does not install here: {last[0]}")
    ready.touch()
    return python


def send(python: Path, host: str, port: int, count: int) -> dict[str, float]:
    """Let the peer queue and send ``count`` mails; mails per second of ``queue`` and ``send``.

    Raises PeerAbsent.
    """
    script = str(Path(__file__).with_name("peer_script.py"))
    with TemporaryDirectory() as folder:
        command = [str(python), script, host, str(port), str(count), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerAbsent(f"django-post-office failed here:\n{done.stderr[-2000:]}")
    rates: dict[str, float] = json.loads(done.stdout)
    return rates
