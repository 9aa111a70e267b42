"""The last step: claim, journal, hand over, record; the one place from which mail leaves.

Each message passes three short transactions. The claim leases it and looks at everything again.
``sending`` is committed, and journalled outside the database, just before the first byte goes to
the server. The outcome is committed before the server hears another word. Whatever dies in
between leaves the message where no machine sends it a second time:

- before ``sending``: nothing went; the lease runs out and the message is claimed anew;
- after it: perhaps something went; the journal's outcome settles it, else a person does.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Engine

from worker.mail.addresses import lane
from worker.mail.journal import Journal, JournalUnwritable
from worker.mail.limits import Limiter
from worker.mail.transport import (
    Accepted,
    Paused,
    Scope,
    Temporary,
    Transport,
    TransportError,
)
from worker.pipeline.context import Context
from worker.pipeline.dispatch_claim import Claim, Claimed, claim
from worker.pipeline.dispatch_outcome import (
    RETRY,
    RETRY_AFTER,
    Outcome,
    accepted_outcome,
    failed_outcome,
    record,
)
from worker.pipeline.dispatch_ports import (
    CHUNK,
    POSTPONED,
    SMTP_LEASE,
    Clock,
    Probe,
    Tools,
    Transports,
    no_probe,
    ticking,
)
from worker.pipeline.dispatch_rearm import Rearmed, rearm
from worker.pipeline.dispatch_sweep import Swept, reconcile_journal, sweep
from worker.pipeline.instance import Installation, Standing, check_instance
from worker.pipeline.review_verdict import RecheckMany
from worker.store.engine import reading, writing
from worker.store.message_queries import release_lease, take_for_sending

__all__ = [
    "DispatchResult",
    "NotDurable",
    "Rearmed",
    "Swept",
    "Transports",
    "dispatch_due",
    "rearm",
    "reconcile_journal",
    "sweep",
]

_SHORT_WAIT = 1.0
_log = structlog.get_logger(__name__)


class NotDurable(RuntimeError):
    """The engine was opened without ``durable=True``: a power cut could undo ``sending``."""


@dataclass(slots=True)
class DispatchResult:
    """How one run ended. ``counts`` by sent, captured, retry_wait, failed, unconfirmed, moved
    (the claim sent them elsewhere), passed (changed since) and postponed (lane or limit)."""

    standing: Standing
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    """Sentences for a person: what stopped a way out."""


def dispatch_due(
    engine: Engine,
    ctx: Context,
    transports: Transports,
    journal: Journal,
    installation: Installation,
    now: datetime,
    limit: int = 50,
    *,
    recheck: RecheckMany,
    limiter: Limiter | None = None,
    clock: Clock | None = None,
    probe: Probe = no_probe,
    patience: float = 300.0,
) -> DispatchResult:
    """Send up to ``limit`` approved messages whose time has come; connections stay open.

    ``engine`` must be a durable one. Raises NotDurable otherwise, JournalUnwritable when
    the journal takes no more lines (then nothing was handed over), and the database's error
    when it stays away for longer than ``patience`` seconds after a hand-over.
    """
    _require_durable(engine)
    clock = clock or ticking(now)
    with writing(engine) as session:
        standing = check_instance(session, installation, journal, clock())
    tools = Tools(
        ctx=ctx,
        transports=transports,
        journal=journal,
        installation=installation,
        standing=standing,
        recheck=recheck,
        clock=clock,
        owner=f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(8)}",
        limiter=limiter,
        probe=probe,
        patience=patience,
    )
    return _Run(engine, tools).go(limit)


def _require_durable(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with reading(engine) as session:
        level = session.connection().exec_driver_sql("PRAGMA synchronous").scalar_one()
    if int(level) < 2:
        raise NotDurable("open the dispatch engine with durable=True (synchronous=FULL)")


class _Run:
    """One run over what is due; a way out that failed is not tried again within it."""

    def __init__(self, engine: Engine, tools: Tools) -> None:
        self._engine, self._tools = engine, tools
        self.result = DispatchResult(tools.standing)
        self._closed: set[int] = set()

    def go(self, limit: int) -> DispatchResult:
        """Claim and send chunk by chunk until nothing is due or the limit is reached."""
        left = limit
        while left > 0:
            found = self._claim(min(CHUNK, left))
            if not found.leased:
                break
            left -= found.leased
            self.result.counts["moved"] += found.leased - len(found.claimed)
            for item in found.claimed:
                self._handle(item)
        self.result.counts = +self.result.counts
        return self.result

    def _claim(self, limit: int) -> Claim:
        with writing(self._engine) as session:
            return claim(
                session,
                self._tools,
                now=self._tools.clock(),
                limit=limit,
            )

    def _handle(self, item: Claimed) -> None:
        if id(item.transport) in self._closed or not self._has_room(item):
            self._give_back(item, "postponed", POSTPONED)
            return
        self._tools.probe("claimed", item.taking.message_id)
        attempt = self._take(item)
        if attempt is None:
            self._give_back(item, "passed")
            return
        self._tools.probe("sending_committed", item.taking.message_id)
        self._note_sending(item, attempt)
        self._tools.probe("sending_journalled", item.taking.message_id)
        self._hand_over(item, attempt)
        self._tools.probe("done", item.taking.message_id)

    def _take(self, item: Claimed) -> int | None:
        with self._engine.begin() as connection:
            taken = take_for_sending(connection, item.taking, self._tools.clock(), SMTP_LEASE)
        return taken[1] if taken else None

    def _note_sending(self, item: Claimed, attempt: int) -> None:
        """Journal the attempt; where that fails nothing was sent, and nothing will be."""
        tools = self._tools
        try:
            tools.journal.sending(
                item.taking.message_id,
                item.generation,
                item.taking.mail_id,
                tools.installation.instance_id,
                tools.clock(),
            )
        except JournalUnwritable as error:
            when = tools.clock() + RETRY_AFTER[0]
            # Not an attempt: the journal's count and the database's must stay the same.
            undone = {"next_attempt_at": when, "attempts": attempt - 1}
            outcome = Outcome(RETRY, "retry", str(error), undone)
            record(self._engine, tools, item, outcome, tools.clock())
            raise

    def _hand_over(self, item: Claimed, attempt: int) -> None:
        try:
            item.transport.send(item.mail, partial(self._accepted, item))
        except TransportError as error:
            self._failed(item, attempt, error)

    def _accepted(self, item: Claimed, accepted: Accepted) -> None:
        """Runs before another word is said to the server."""
        tools, now = self._tools, self._tools.clock()
        tools.probe("accepted", item.taking.message_id)
        outcome = accepted_outcome(item, accepted, now)
        record(self._engine, tools, item, outcome, now)
        self.result.counts[outcome.event] += 1
        if tools.limiter is not None and not item.captured:
            tools.limiter.accepted(_lane(item))

    def _failed(self, item: Claimed, attempt: int, error: TransportError) -> None:
        tools, now = self._tools, self._tools.clock()
        with reading(self._engine) as session:
            outcome = failed_outcome(session, item, attempt, error, now)
        record(self._engine, tools, item, outcome, now)
        self.result.counts[outcome.event] += 1
        if tools.limiter is not None and error.scope is Scope.RATE:
            tools.limiter.throttled(_lane(item))
        if _closes(error):
            self._close(item.transport, error)

    def _close(self, transport: Transport, error: TransportError) -> None:
        self._closed.add(id(transport))
        self.result.problems.append(f"{transport.name}: {error.reply}")
        _log.warning("way_out_closed", transport=transport.name, reply=error.reply)

    def _has_room(self, item: Claimed) -> bool:
        """Ask the limiter; a short wait is waited, a long one leaves the mail for later."""
        limiter = self._tools.limiter
        if limiter is None or item.captured:
            return True
        wait = limiter.wait(_lane(item))
        if 0 < wait <= _SHORT_WAIT:
            self._tools.sleep(wait)
            wait = limiter.wait(_lane(item))
        return wait == 0

    def _give_back(self, item: Claimed, why: str, seconds: float = 0.0) -> None:
        with writing(self._engine) as session:
            release_lease(session, item.taking.message_id, self._tools.owner, seconds)
        self.result.counts[why] += 1


def _lane(item: Claimed) -> str:
    return lane(item.sender, item.mail.envelope_to)


def _closes(error: TransportError) -> bool:
    """Whether the whole way out is in trouble, and not this one mail."""
    if isinstance(error, Paused):
        return True
    unreachable = error.scope is Scope.NETWORK and error.code is None
    return isinstance(error, Temporary) and (error.stop_lane or unreachable)
