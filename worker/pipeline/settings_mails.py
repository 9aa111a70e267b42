"""Counts which waiting mails other documents would end, add or hold: judged twice, not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan_orders import judge_orders
from worker.pipeline.plan_people import judge_people, silence_rules
from worker.pipeline.plan_run import Planned, Run, open_run
from worker.rules.policy import Reach, verdict_of
from worker.rules.states import WAITING, MailKind, MessageState, Outcome, Verdict
from worker.store import settings_queries as store
from worker.store.messages import Occasion
from worker.store.occasion_queries import load_orders, occasions_of
from worker.store.person_queries import dormant
from worker.store.settings_queries import Carried

LOOK_BACK = timedelta(days=60)
"""As far as planning itself looks back at orders of people who changed."""

Opening = tuple[int, MailKind]
"""(channel id, kind) that Okaeri begins to send."""


@dataclass
class Mails:
    """Numbers of mails by kind, but those written anew because of the rank."""

    added: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    rewritten: int = 0
    """Another rank, another text: written anew and read again."""
    kept: int = 0
    """Another rank, but a person wrote on them: they stay and say so."""


@dataclass(frozen=True)
class _Both:
    """The same run by the documents in force and by the others."""

    now: Run
    then: Run


def count_mails(
    session: Session,
    now_ctx: Context,
    then_ctx: Context,
    now: datetime,
    ranks: Mapping[int, str | None],
    openings: Collection[Opening],
) -> Mails:
    """Judge all that may come out otherwise by both; ``ranks`` are those that orders would have."""
    run = open_run(session, now_ctx, now)
    then = open_run(session, then_ctx, now)
    then = replace(then, active={**then.active, **dict.fromkeys(openings, now)})
    both, found = _Both(run, then), Mails()
    for order_ids in store.orders_that_may_turn(session, now - LOOK_BACK):
        orders = load_orders(session, order_ids)
        turned = [replace(o, rank=ranks[o.id]) if o.id in ranks else o for o in orders]
        _compare(both, judge_orders(run, orders, ()), judge_orders(then, turned, ()), found)
    for people in _in_chunks(people_to_judge(session, then, now)):
        _compare(both, judge_people(run, people), judge_people(then, people), found)
    return found


def people_to_judge(session: Session, run: Run, now: datetime) -> list[int]:
    """Who has an open occasion as a person, or is silent by the run's rules."""
    people = set(store.people_that_may_turn(session, now - LOOK_BACK))
    rules = [rule for _via, found in silence_rules(run).values() for rule in found]
    if rules:
        least = min((rule.dormant_days for rule in rules if rule.dormant_days), default=1)
        most = max((rule.give_up_days or 2 * rule.dormant_days for rule in rules), default=365)
        people |= set(dormant(session, list(silence_rules(run)), now, least, most))
    return sorted(people)


def _in_chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), store.CHUNK):
        yield ids[start : start + store.CHUNK]


def _compare(both: _Both, now: list[Planned], then: list[Planned], found: Mails) -> None:
    before, after = {p.key: p for p in now}, {p.key: p for p in then}
    stored = occasions_of(both.now.session, {p.subject for p in (*now, *then)})
    ids = sorted({row.message_id for row in stored.values() if row.message_id})
    messages = store.carried_messages(both.now.session, ids)
    _added(both, before, after, stored, messages, found)
    for message in messages.values():
        if message.state in WAITING:
            keys = [key for key, row in stored.items() if row.message_id == message.id]
            _carried(both, message, keys, (before, after), found)


_Keyed = Mapping[tuple[MailKind, str, str], Planned]


def _added(
    both: _Both,
    before: _Keyed,
    after: _Keyed,
    stored: Mapping[tuple[MailKind, str, str], Occasion],
    messages: Mapping[str, Carried],
    found: Mails,
) -> None:
    """A group shares one mail, and joins one that waits already."""
    waiting = {m.id for m in messages.values() if m.state in WAITING}
    joined = {
        p.group_key
        for key, p in before.items()
        if (row := stored.get(key)) is not None and row.message_id in waiting
    }
    groups: dict[str, Planned] = {}
    for key, planned in after.items():
        earlier = before.get(key)
        was = earlier is not None and earlier.decision.outcome is Outcome.MESSAGE
        row = stored.get(key)
        waits = row is not None and row.message_id in waiting
        if planned.decision.outcome is Outcome.MESSAGE and not was and not waits:
            groups[planned.group_key] = planned
    for group, planned in groups.items():
        if group not in joined:
            found.added[planned.kind] += 1
            found.held[planned.kind] += _would_hold(both.then, planned.kind, planned.channel.id)


def _carried(
    both: _Both,
    message: Carried,
    keys: list[tuple[MailKind, str, str]],
    judged: tuple[_Keyed, _Keyed],
    found: Mails,
) -> None:
    stays = [_is_mail(judged[1].get(key)) for key in keys]
    stayed = [_is_mail(judged[0].get(key)) for key in keys]
    if not any(stays):
        # What would end anyway is no doing of these documents.
        found.ended[message.kind] += any(stayed)
        return
    ad = message.advertising
    held = _would_hold(both.then, message.kind, message.channel_id, advertising=ad)
    was_held = _would_hold(both.now, message.kind, message.channel_id, advertising=ad)
    if held and not was_held:
        found.held[message.kind] += 1
        return
    ranks = [judged[1][key].rank for key in keys if key in judged[1]]
    if message.state is not MessageState.SCHEDULED and ranks and message.rank not in ranks:
        found.kept += message.edited
        found.rewritten += not message.edited


def _is_mail(planned: Planned | None) -> bool:
    return planned is not None and planned.decision.outcome is Outcome.MESSAGE


def _would_hold(
    run: Run, kind: MailKind, channel_id: int, *, advertising: bool | None = None
) -> bool:
    """Whether the policy lets the mail wait for a person or for a relay that is not set up."""
    channel, documents = run.channels[channel_id], run.ctx.documents
    reach = Reach(
        family=channel.family,
        kind=kind,
        advertising=bool(advertising),
        address="-",
        incidental_ads=documents.shop.incidental_ads,
    )
    verdict = verdict_of(documents.policy, reach)
    relay = verdict is Verdict.RELAY and channel.name not in documents.shop.relays
    return verdict is Verdict.HOLD or relay
