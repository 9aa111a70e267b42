"""A running installation for stories: `okaeri run` in an empty folder, and eyes on its store."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.folders import ROOT
from tests.processes import Process, Processes, until
from worker.celery import make_app
from worker.pipeline.export import EXPORTS
from worker.rules.states import MailKind
from worker.runtime import Runtime, clock
from worker.settings import Settings
from worker.store.channels import Channel, ChannelKind
from worker.store.migrate import upgrade

HEADER = (
    "order_number,ordered_at,status,payment_method,customer_id,email,name,item,quantity,"
    "unit_price,total"
)
OWN = "own:main"


def order_line(number: str, person: str, *, total: int = 1200, hours_ago: float = 2.0) -> str:
    """One row of the generic order file: a paid order of a person known by member id and mail."""
    moment = datetime.now(UTC) - timedelta(hours=hours_ago)
    at = moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    mail = f"{person}@example.jp"
    return (
        f"{number},{at},paid,クレジットカード,{person},{mail},見本 {person},煎茶,1,{total},{total}"
    )


def order_file(path: Path, lines: Sequence[str]) -> Path:
    """Write a generic order file as a whole: it appears under its name when it is complete."""
    half = path.with_name(f".{path.name}")
    half.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    half.rename(path)
    return path


class Service:
    """One data directory with the documents of a shop that mails at any hour."""

    def __init__(self, data: Path, processes: Processes) -> None:
        self.data, self._processes = data, processes
        self.config = data / "config"
        self.port = _free_port()
        self.settings = Settings(data=data, config=self.config, port=self.port)
        self.runtime = Runtime(self.settings)
        self.process: Process | None = None

    def set_up(self) -> None:
        """Documents, store and one own channel that mails from ten days ago on."""
        shutil.copytree(ROOT / "config", self.config)
        self.change("mails.toml", "[08:00:00, 21:00:00]", "[00:00:00, 23:59:59]")
        self.change("review.toml", "undo_seconds = 300", "undo_seconds = 1")
        upgrade(self.settings.store_url, backup_dir=None)
        with self.runtime.transaction() as session:
            channel = Channel(
                name=OWN, kind="csv_file", family="own", settings={"settle_seconds": 0},
                created_at=clock(),
            )  # fmt: skip
            session.add(channel)
            session.flush()
            session.add(
                ChannelKind(
                    channel_id=channel.id, kind=MailKind.ORDER_THANKS, by="test",
                    active_from=clock() - timedelta(days=10),
                )
            )  # fmt: skip

    def change(self, document: str, old: str, new: str) -> None:
        """Replace words in one of the shop's documents."""
        path = self.config / document
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, **env: str) -> Process:
        """Start `okaeri run`."""
        self.process = self._processes.start(
            [sys.executable, "-m", "worker.cli", "run", "--data", str(self.data)],
            env={"OKAERI_PORT": str(self.port), **env},
        )
        return self.process

    def command(self, *arguments: str, **env: str) -> Process:
        """Run another command on the same folder and wait for its end."""
        process = self._processes.start(
            [sys.executable, "-m", "worker.cli", *arguments, "--data", str(self.data)], env=env
        )
        process.wait(60)
        return process

    def drop(self, name: str, lines: Sequence[str]) -> Path:
        """Put a file into the channel's drop folder."""
        folder = self.data / "drop" / "own_main"
        folder.mkdir(parents=True, exist_ok=True)
        dropped = order_file(folder / name, lines)
        with self.runtime.transaction() as session:
            session.execute(update(Channel).values(next_poll_at=None))
        return dropped

    def wake(self, step: str) -> None:
        """Make a step sooner than its next sweep."""
        with make_app(f"redis+socket://{self.data / 'broker.sock'}?virtual_host=0") as app:
            app.send_task(f"okaeri.{step}", expires=30)

    def rows(self, what: str) -> list[dict[str, Any]]:
        """An export of the ledger."""
        with self.runtime.look() as session:
            return list(EXPORTS[what](session, self.runtime.context(), clock()))

    def states(self) -> list[str]:
        """The states of all mails."""
        return [str(row["state"]) for row in self.rows("messages")]

    def captured(self) -> list[Path]:
        """The mails that the capture transport took."""
        folder = self.data / "outbox"
        return sorted(folder.glob("*.eml")) if folder.is_dir() else []

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something to become true while the service runs."""
        until(holds, seconds, self.words)

    def words(self) -> str:
        """What the service and its processes have said."""
        logs = sorted((self.data / "log").glob("*.log"))
        said = self.process.words() if self.process else ""
        return said + "".join(f"\n--- {p.name}\n{p.read_text()[-2000:]}" for p in logs)

    def pid_of(self, name: str) -> int:
        """The number of one supervised process, as the supervisor told last."""
        found = 0
        for line in (self.process.words() if self.process else "").splitlines():
            if '"process_started"' in line and f'"process": "{name}"' in line:
                found = int(line.partition('"pid": ')[2].split(",")[0].rstrip("}"))
        return found

    def until_all_gone(self, seconds: float = 30) -> None:
        """Wait until no supervised process lives; the broker hides its test mark, so by number."""
        pids = [self.pid_of(name) for name in ("broker", "worker", "beat", "console")]
        until(
            lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids if pid),
            seconds,
            lambda: f"still there: {pids}",
        )

    def channels(self) -> list[str]:
        """Names of the channels."""
        with self.runtime.look() as session:
            return list(session.scalars(select(Channel.name).order_by(Channel.name)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(data_dir: Path, processes: Processes) -> Iterator[Service]:
    """An installation that is set up but not running."""
    made = Service(data_dir, processes)
    made.set_up()
    yield made
    processes.end_all()
    made.runtime.dispose()
