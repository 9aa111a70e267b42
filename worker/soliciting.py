"""Plans review requests of marketplaces that send them, and carries the released ones out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import select

from connectors.contract import ConnectorError, NeedsPerson, TryLater
from connectors.kit.soliciting import Answer, Solicits
from connectors.registry import connector_class, is_live
from worker import log
from worker.live import channel_config, open_channel_connector
from worker.mail.journal import Journal, JournalUnwritable
from worker.pipeline.context import Context
from worker.pipeline.dispatch_ports import Clock, ticking
from worker.pipeline.solicit import end_requests, plan_requests
from worker.pipeline.solicit_send import (
    NOT_NOW,
    Due,
    begin_asking,
    due_requests,
    in_doubt,
    may_go,
    outcome_of,
    put_off,
    record_outcome,
    refuse,
    settle_stuck,
)
from worker.rules.soliciting import asks_for_reviews
from worker.runtime import Runtime
from worker.sending import standing
from worker.settings import Settings
from worker.store.channels import Channel
from worker.store.engine import writing

_log = log.get("solicit")
ROUND_SECONDS = 120.0
"""A round begins no new request after this; the next one goes on."""

_LEASE_SECONDS = 900.0
_LATER = timedelta(minutes=5)
_AFTER_A_PERSON = timedelta(hours=1)


def open_request_journal(settings: Settings) -> Journal:
    """The journal of review requests: beside the mails' own, of which it knows nothing."""
    settings.journal.mkdir(parents=True, exist_ok=True)
    return Journal(settings.journal / "requests.jsonl")


def plan_all_requests(runtime: Runtime, now: datetime) -> int:
    """Note what may be asked about on every channel that asks; gives how many are new."""
    made = 0
    for name in _asking_channels(runtime):
        connector = open_channel_connector(runtime, channel_config(runtime, name))
        after: int | None = 0
        while after is not None and isinstance(connector, Solicits):
            with runtime.transaction() as session:
                channel = session.scalars(select(Channel).where(Channel.name == name)).one()
                after, fresh = plan_requests(session, channel, connector, now, after=after)
            made += fresh
    with runtime.transaction() as session:
        ended = end_requests(session, now)
    if made or ended:
        _log.info("requests_planned", count=made)
    return made


def _asking_channels(runtime: Runtime) -> list[str]:
    documents = runtime.context().documents
    with runtime.look() as session:
        rows = session.execute(
            select(Channel.name, Channel.kind, Channel.family).order_by(Channel.name)
        ).all()
    return [
        row.name
        for row in rows
        if asks_for_reviews(documents, row.name, row.family)
        and is_live(row.kind)
        and hasattr(connector_class(row.kind), "ask_window")
    ]


def solicit_round(runtime: Runtime, now: datetime) -> Counter[str]:
    """Carry released requests out, channel by channel; gives how they ended.

    Nothing is asked while mails are only captured: a trial or a copy must not reach buyers.
    """
    with runtime.look() as session:
        waiting, doubtful = due_requests(session, now), in_doubt(session)
    done: Counter[str] = Counter()
    if not waiting and not doubtful:
        return done
    journal = open_request_journal(runtime.settings)
    with writing(runtime.durable) as session:
        done["settled"] += settle_stuck(session, journal, now)
    if waiting and standing(runtime, now).capture_only:
        _log.info("requests_wait", count=len(waiting))
        return +done
    ends, clock = monotonic() + ROUND_SECONDS, ticking(now)
    for name, dues in waiting.items():
        with runtime.hold(f"solicit:{name}", _LEASE_SECONDS) as token:
            if token is not None:
                done += _Round(runtime, name, journal, clock, ends).go(dues)
    _log.info("requests_done", count=sum(done.values()))
    return +done


@dataclass(frozen=True)
class _Round:
    """The requests of one channel, one after the other."""

    runtime: Runtime
    channel: str
    journal: Journal
    clock: Clock
    ends: float

    def go(self, dues: list[Due]) -> Counter[str]:
        """Ask about each until the marketplace says later, or the round is over."""
        done: Counter[str] = Counter()
        connector = open_channel_connector(self.runtime, channel_config(self.runtime, self.channel))
        if not isinstance(connector, Solicits):
            return done
        context = self.runtime.context()
        for due in dues:
            if monotonic() > self.ends:
                break
            ended = self._handle(connector, context, due)
            done[ended] += 1
            if ended in {"later", NOT_NOW}:
                break
        return done

    def _handle(self, connector: Solicits, context: Context, due: Due) -> str:
        with self.runtime.transaction() as session:
            if not may_go(session, context, due.id, self.clock()):
                return "passed"
        try:
            offered = connector.may_ask(due.order_id, due.place)
        except ConnectorError as problem:
            self._put_off(due, problem)
            return "later"
        if offered.answer is not Answer.YES:
            with self.runtime.transaction() as session:
                refuse(session, due.id, offered.said, self.clock())
            return "refused"
        return self._ask(connector, context, due)

    def _ask(self, connector: Solicits, context: Context, due: Due) -> str:
        """``sending`` is committed and journalled before the call, its outcome after it (P3)."""
        entries = self.journal.lookup(due.ref)
        with writing(self.runtime.durable) as session:
            attempt = begin_asking(session, context, due, entries, self.clock())
        if attempt is None:
            return "passed"
        self._journal_sending(due)
        until = None
        try:
            replied = connector.ask(due.order_id, due.place)
        except ConnectorError as problem:
            outcome, said, until = NOT_NOW, str(problem), self._later(problem)
        else:
            outcome, said = outcome_of(replied), replied.said
        self.journal.outcome(due.ref, 1, outcome, self.clock())
        with writing(self.runtime.durable) as session:
            record_outcome(session, due.id, outcome, said, self.clock(), until)
        return outcome

    def _journal_sending(self, due: Due) -> None:
        try:
            self.journal.sending(due.ref, 1, due.order_id, "", self.clock())
        except JournalUnwritable as error:
            # Nothing was asked. The attempt stays counted: the journal may only know of fewer.
            with writing(self.runtime.durable) as session:
                now = self.clock()
                record_outcome(session, due.id, NOT_NOW, str(error), now, now + _LATER)
            raise

    def _put_off(self, due: Due, problem: ConnectorError) -> None:
        with self.runtime.transaction() as session:
            put_off(session, due.id, str(problem), self._later(problem))
        _log.warning("requests_put_off", channel=self.channel, error_type=type(problem).__name__)

    def _later(self, problem: ConnectorError) -> datetime:
        if isinstance(problem, NeedsPerson):
            return self.clock() + _AFTER_A_PERSON
        told = problem.retry_after if isinstance(problem, TryLater) else None
        return self.clock() + (timedelta(seconds=told) if told else _LATER)
