"""Feeds the running service as a shop would, waits, and tells what happened."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from worker.demo.dating import write_samples
from worker.demo.shop import FILES
from worker.pipeline.export import summary
from worker.pipeline.render import recheck
from worker.pipeline.review import QueueFilter, QueueRow, approve, queue
from worker.polling import drop_folder
from worker.rules.states import Flag, MailKind, MessageState
from worker.runtime import Runtime, clock
from worker.store.messages import Message
from worker.store.orders import OrderRow
from worker.store.work import pending

Wake = Callable[[str], None]
"""Makes a step sooner; takes the step's name (``poll``, ``advance`` …)."""
_PAUSE = 0.25


class DemoStuck(RuntimeError):
    """The service did not finish in time; the text names the log files."""


class DemoStopped(Exception):
    """Somebody pressed Ctrl-C: there is nothing to tell."""


@dataclass
class Story:
    """One demonstration on one installation."""

    runtime: Runtime
    wake: Wake
    stopping: threading.Event = field(default_factory=threading.Event)
    patience: float = 110.0

    def tell(self) -> dict[str, Any]:
        """Drop the samples, wait for the path to run, let a clerk approve, and count."""
        self._drop()
        self._until(self._taken, "poll")
        self._until(self._quiet, "advance")
        self._until(self._rendered, "render")
        if self._approve():
            self._until(self._dispatched, "dispatch")
        with self.runtime.look() as session:
            return summary(session)

    def _drop(self) -> None:
        zone = self.runtime.context().zone
        settings = self.runtime.settings
        files = write_samples(settings.data.absolute() / "samples", clock().astimezone(zone))
        for channel, names in FILES.items():
            folder = drop_folder(settings, channel)
            folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                # Copied under another name first: a file counts as there when it is whole.
                half = folder / f".{name}"
                shutil.copyfile(files[name], half)
                half.rename(folder / name)

    def _until(self, done: Callable[[], bool], step: str) -> None:
        deadline = time.monotonic() + self.patience
        woken = 0.0
        while not done():
            if time.monotonic() > deadline:
                logs = self.runtime.settings.data.absolute() / "log"
                raise DemoStuck(f"waited too long for {step!r}. Look into {logs}.")
            if time.monotonic() - woken > 5.0:
                self.wake(step)
                woken = time.monotonic()
            if self.stopping.wait(_PAUSE):
                raise DemoStopped

    def _taken(self) -> bool:
        waiting = [
            path
            for channel, names in FILES.items()
            for path in (drop_folder(self.runtime.settings, channel) / name for name in names)
            if path.exists()
        ]
        return not waiting

    def _quiet(self) -> bool:
        with self.runtime.look() as session:
            if not session.scalar(select(func.count()).select_from(OrderRow)):
                return False
            return not pending(session, clock())["advance"]

    def _rendered(self) -> bool:
        with self.runtime.look() as session:
            return not pending(session, clock())["render"]

    def _approve(self) -> int:
        """A clerk reads the plain thank-yous of own regulars one by one and releases them."""
        context = self.runtime.context()
        filters = QueueFilter(
            kinds=frozenset({MailKind.ORDER_THANKS}), ranks=frozenset({"repeat"}),
            channels=frozenset({"own:main"}),
        )  # fmt: skip
        with self.runtime.transaction() as session:
            rows = queue(session, filters, now=clock(), limit=500)
            plain = [row for row in rows if _plain(row)]
            for row in plain:
                approve(session, context, row.id, by="demo", now=clock(), recheck=recheck)
        return len(plain)

    def _dispatched(self) -> bool:
        now = clock()
        with self.runtime.look() as session:
            due = session.scalar(
                select(func.count())
                .select_from(Message)
                .where(
                    Message.state.in_((MessageState.APPROVED, MessageState.SENDING)),
                    Message.due_at <= now,
                )
            )
        return not due


def _plain(row: QueueRow) -> bool:
    """Nothing stands out but that the text is new, which reading answers."""
    return {flag["flag"] for flag in row.flags} <= {Flag.NEW_TEMPLATE}


def words_of(found: dict[str, Any]) -> str:
    """What happened, in a few lines for a person."""
    messages, grants = found["messages"], found["grants"]
    ranks = "、".join(f"{rank} {count}" for rank, count in sorted(found["ranks"].items()))
    mails = (
        f"確認待ち {messages.get('in_review', 0)}通、保留 {messages.get('on_hold', 0)}通、"
        f"承認済み {messages.get('approved', 0)}通、送信済み(控えのみ) {messages.get('sent', 0)}通"
    )
    english = (
        f"orders {found['orders']}, customers {found['customers']}, waiting for review "
        f"{messages.get('in_review', 0)}, on hold {messages.get('on_hold', 0)}, "
        f"approved {messages.get('approved', 0)}, captured {messages.get('sent', 0)}"
    )
    lines = (
        f"受注 {found['orders']}件、顧客 {found['customers']}名(ランク: {ranks})",
        mails,
        "特典 " + ("、".join(f"{state} {n}" for state, n in sorted(grants.items())) or "なし"),
        english,
    )
    return "\n".join(lines)
