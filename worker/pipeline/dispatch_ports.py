"""What dispatch needs of the outside: ways out of the house, a clock, and a seam for drills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, sleep

from worker.mail.coming_back.return_path import return_path
from worker.mail.compose import RELAY_FAMILIES
from worker.mail.journal import Journal
from worker.mail.limits import Limiter
from worker.mail.transport import Transport
from worker.pipeline.context import Context
from worker.pipeline.instance import Installation, Standing
from worker.pipeline.review_verdict import RecheckMany

Clock = Callable[[], datetime]

Probe = Callable[[str, str], None]
"""Told (point, message id) at each step between the claim and the outcome."""

SEND_LEASE = 120.0
"""Seconds from the claim's checks to the hand-over at most: what was checked stays fresh."""

POSTPONED = 30.0
"""Seconds a mail is left alone after its way out closed or its lane was full."""

SMTP_LEASE = 900.0
"""Seconds a hand-over may take: ten minutes at the final dot and the phases before it."""

CHUNK = 25
"""Messages per claim: their checks share one transaction, which must stay short."""


def no_probe(_point: str, _message_id: str) -> None:
    """Nobody watches."""


def ticking(now: datetime) -> Clock:
    """A clock that starts at ``now`` and goes on with the process's own steady clock."""
    began = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - began)


@dataclass(frozen=True)
class Transports:
    """Which way a channel's mails leave; capture-only sends everything into the outbox."""

    capture: Transport
    default: Transport | None = None
    """For own shops and marketplaces without a relay; None: nothing is configured yet."""
    channels: Mapping[str, Transport] = field(default_factory=dict)
    """By channel name: a marketplace's relay, or a server of its own."""
    bounce_domain: str = ""
    """Where mails of the shop's own server come back to; empty: to the From address."""

    def of(self, channel: str, *, capture_only: bool, relay: bool = False) -> Transport | None:
        """The way out of one channel; None where none is configured.

        ``relay``: only the channel's own relay will do, never the shop's ordinary server.
        """
        if capture_only:
            return self.capture
        return self.channels.get(channel, None if relay else self.default)

    def envelope_from(
        self, transport: Transport, key: bytes, message_id: str, family: str, sender: str
    ) -> str:
        """MAIL FROM of one mail: its own return path, unless a relay sets or forbids it."""
        ours = transport is self.default and family not in RELAY_FAMILIES
        if not self.bounce_domain or not ours:
            return sender
        return return_path(key, message_id, self.bounce_domain)

    def captures(self, transport: Transport) -> bool:
        """Whether mails given to it stay in the house."""
        return transport is self.capture

    def close(self) -> None:
        """Let go of all connections."""
        for transport in {id(t): t for t in self._all()}.values():
            transport.close()

    def _all(self) -> list[Transport]:
        known = [self.capture, *self.channels.values()]
        return [*known, self.default] if self.default else known


@dataclass(frozen=True)
class Tools:
    """Everything one dispatch run works with, gathered so that its steps need few arguments."""

    ctx: Context
    transports: Transports
    journal: Journal
    installation: Installation
    standing: Standing
    recheck: RecheckMany
    clock: Clock
    owner: str
    """Names this run in leases and events; never used twice."""
    limiter: Limiter | None = None
    probe: Probe = no_probe
    patience: float = 300.0
    """Seconds to go on trying to record an outcome while the database is away."""
    sleep: Callable[[float], None] = sleep
