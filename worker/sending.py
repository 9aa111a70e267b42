"""Builds the ways out from the settings and runs one round of dispatch with them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from worker import log
from worker.documents import is_sample
from worker.mail.journal import Journal
from worker.mail.limits import Limiter, LocalLimiter
from worker.mail.transport.capture import CaptureTransport
from worker.mail.transport.smtp import Security, SmtpSettings, SmtpTransport
from worker.pipeline.dispatch import DispatchResult, Swept, Transports, dispatch_due, sweep
from worker.pipeline.instance import Standing, check_instance, open_installation, set_mode
from worker.pipeline.render import recheck_many
from worker.rules.states import RunMode
from worker.runtime import Runtime, clock
from worker.settings import Settings, SettingsWrong
from worker.store.running import Instance

_log = log.get("dispatch")
ROUND_SECONDS = 120.0
"""A round takes no new batch after this: see the dispatch limit in ``worker.celery``."""
BATCH = 50


@dataclass
class Round:
    """What one round did; ``counts`` as in DispatchResult, added up."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    swept: dict[str, int] = field(default_factory=dict)
    lock: str = ""
    """Why nothing may leave, a key of ``worker.pipeline.instance.LOCKS``; empty: it may."""

    @property
    def sent(self) -> int:
        """Mails accepted by a transport, captured ones included."""
        return self.counts.get("sent", 0) + self.counts.get("captured", 0)

    def add(self, result: DispatchResult) -> None:
        """Add a batch."""
        for name, count in result.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        self.problems += result.problems


def open_journal(settings: Settings) -> Journal:
    """The journal of this data directory."""
    settings.journal.mkdir(parents=True, exist_ok=True)
    return Journal(settings.journal / "dispatch.jsonl")


def open_transports(settings: Settings) -> Transports:
    """Capture always; SMTP where the settings ask for it. Raises SettingsWrong."""
    capture = CaptureTransport(settings.outbox)
    if settings.transport == "capture":
        return Transports(capture=capture)
    if not settings.smtp_host:
        raise SettingsWrong("OKAERI_SMTP_HOST: needed with OKAERI_TRANSPORT=smtp.")
    smtp = SmtpTransport(
        SmtpSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=Security(settings.smtp_tls),
            user=settings.smtp_user or None,
            password=settings.smtp_password.get_secret_value() or None,
        )
    )
    return Transports(capture=capture, default=smtp, bounce_domain=settings.bounce_domain)


def open_limiter(settings: Settings) -> Limiter:
    """The pace of all workers through Redis, or this process's own where there is none."""
    url = os.environ.get("OKAERI_BROKER_URL") or settings.broker_url
    if not url.startswith(("redis", "rediss", "unix")):
        return LocalLimiter()
    import redis

    from worker.mail.shared_limits import RedisLimiter

    plain = url.replace("redis+socket://", "unix://").replace("?virtual_host=", "?db=")
    client = redis.Redis.from_url(plain, socket_timeout=2.0, socket_connect_timeout=2.0)
    return RedisLimiter(client)


def standing(runtime: Runtime, now: datetime) -> Standing:
    """Whether this installation may mail; the settings choose between capture and live.

    A lock (restored or copied database) stands over both until ``okaeri rearm``. With the sample
    shop's documents nothing leaves, whatever the settings say: its footer is nobody's.
    """
    settings = runtime.settings
    live = settings.transport == "smtp" and not is_sample(runtime.context().documents)
    wanted = RunMode.LIVE if live else RunMode.CAPTURE
    installation = open_installation(settings.data.absolute())
    with runtime.transaction() as session:
        check_instance(session, installation, open_journal(settings), now)
        if session.get_one(Instance, 1).mode is not wanted:
            set_mode(session, wanted, by="settings", now=now)
        return check_instance(session, installation, open_journal(settings), now)


def dispatch_round(runtime: Runtime, now: datetime) -> Round:
    """Look after what died on the way, then send what is due, batch after batch."""
    settings = runtime.settings
    done = Round(lock=standing(runtime, now).lock)
    journal, context = open_journal(settings), runtime.context()
    done.swept = _counts(sweep(runtime.durable, context, journal, now))
    transports, limiter = open_transports(settings), open_limiter(settings)
    installation = open_installation(settings.data.absolute())
    deadline = monotonic() + ROUND_SECONDS
    try:
        while monotonic() < deadline:
            result = dispatch_due(
                runtime.durable, context, transports, journal, installation, clock(), BATCH,
                recheck=recheck_many, limiter=limiter, clock=clock,
            )  # fmt: skip
            done.add(result)
            if sum(result.counts.values()) < BATCH or result.problems:
                break
    finally:
        transports.close()
    _log.info("round_done", sent=done.sent, count=sum(done.counts.values()))
    return done


def _counts(swept: Swept) -> dict[str, int]:
    names = ("sent", "retry", "failed", "unconfirmed", "expired", "returned")
    return {name: len(getattr(swept, name)) for name in names if getattr(swept, name)}
