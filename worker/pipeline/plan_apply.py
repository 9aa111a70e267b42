"""Stores judged occasions and makes, joins, moves and ends the messages that carry them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.pipeline.notes import NOTE_OPEN
from worker.pipeline.plan_handoffs import make_handoff
from worker.pipeline.plan_run import Planned, Run
from worker.pipeline.review_approval import clear_approval
from worker.rules.judging import Decision
from worker.rules.review_modes import rule_for
from worker.rules.states import MAYBE_OUT, WAITING, Actor, MessageState, Outcome
from worker.store.messages import Handoff, Message, MessageEvent, Occasion
from worker.store.moves import apply_move
from worker.store.occasion_queries import (
    carried_by,
    messages_by_group,
    messages_by_id,
    occasions_of,
)
from worker.store.ulids import new_ulid

SETTLED_LATER = frozenset({"same_text_recently", "text_advertises", "order_gone"})
"""Answers that rendering or an import's undoing gave: judging again must not undo them."""

_ENDS = {
    Outcome.TOO_LATE: "expire",
    Outcome.SUPPRESSED: "suppress",
    Outcome.NO_CONSENT: "suppress",
    Outcome.FORBIDDEN: "suppress",
    Outcome.NO_ADDRESS: "suppress",
    Outcome.NO_CHANNEL: "suppress",
}


@dataclass
class Board:
    """The occasions and messages of one run, as they change."""

    run: Run
    stored: dict[tuple[Any, str, str], Occasion]
    messages: dict[str, Message]
    groups: dict[str, list[Message]]
    carried: dict[str, set[str]]
    """Message id to the subjects it carries."""
    made: list[Message] = field(default_factory=list)
    events: list[MessageEvent] = field(default_factory=list)
    fresh: list[Occasion] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)
    """Rendered messages whose orders changed: their text must be written anew."""
    counts: Counter[str] = field(default_factory=Counter)

    def open_in(self, group: str) -> Message | None:
        """The message of the group that more may still join."""
        waiting = [m for m in self.groups.get(group, ()) if m.state in WAITING]
        return waiting[-1] if waiting else None

    def gone_in(self, group: str) -> bool:
        """Whether a mail of the group has left or may have left."""
        return any(m.state in MAYBE_OUT for m in self.groups.get(group, ()))


def apply_planned(run: Run, planned: Sequence[Planned]) -> Board:
    """Bring occasions and messages in line with what was judged."""
    board = _board(run, planned)
    for item in planned:
        _settle(board, item)
    # Without relationships the session does not know that messages come first.
    run.session.add_all(board.made)
    run.session.flush()
    run.session.add_all([*board.fresh, *board.events])
    run.session.flush()
    return board


def _board(run: Run, planned: Sequence[Planned]) -> Board:
    stored = occasions_of(run.session, {p.subject for p in planned})
    messages = messages_by_id(
        run.session, {row.message_id for row in stored.values() if row.message_id}
    )
    groups = messages_by_group(run.session, {p.group_key for p in planned if p.group_key})
    for members in groups.values():
        messages.update((m.id, m) for m in members)
    carried = {
        message_id: {f"{row.kind}/{row.step}/{row.subject}" for row in rows}
        for message_id, rows in carried_by(run.session, set(messages)).items()
    }
    return Board(run, stored, messages, groups, carried)


def _settle(board: Board, item: Planned) -> None:
    row = board.stored.get(item.key)
    message = board.messages.get(row.message_id) if row and row.message_id else None
    if row is not None and _is_settled(row, message):
        return
    board.counts[item.decision.outcome.value] += 1
    if row is not None and message is not None and _is_for_the_note(item, row, message):
        _hold_for_note(board, message)
        return
    if item.decision.outcome is Outcome.MESSAGE:
        _carry(board, item, row, message)
    elif item.decision.outcome is Outcome.HANDOFF:
        _hand(board, item, row, message)
    else:
        if row is not None and message is not None:
            _let_go(board, item, row, message)
        _store(board, item, row, item.decision, message.id if message else None)


def _is_settled(row: Occasion, message: Message | None) -> bool:
    """What left, was ended by a person, or was answered later than planning stays as it is."""
    if row.reason.get("code") in SETTLED_LATER:
        return True
    if row.outcome not in (Outcome.MESSAGE, Outcome.HANDOFF) or message is None:
        return False
    return message.state not in WAITING | {MessageState.HANDOFF}


def _is_for_the_note(item: Planned, row: Occasion, message: Message) -> bool:
    """A mail that was made before a note was opened waits as it is: it may be edited by hand."""
    waits = item.decision.outcome is Outcome.WAITING and item.decision.code == "open_note"
    return waits and row.outcome is Outcome.MESSAGE and message.state in WAITING


def _hold_for_note(board: Board, message: Message) -> None:
    if message.state in (MessageState.ON_HOLD, MessageState.SENT_BACK):
        return
    clear_approval(message)
    message.hold_reason = NOTE_OPEN
    reason = {"code": NOTE_OPEN}
    apply_move(board.run.session, message, "hold", Actor.SYSTEM, "system", reason, board.run.now)


# --- carrying -------------------------------------------------------------------------------


def _carry(board: Board, item: Planned, row: Occasion | None, message: Message | None) -> None:
    if row is not None and message is not None and row.outcome is Outcome.MESSAGE:
        if message.group_key == item.group_key:
            _keep(board, item, row, message)
            return
        # The order belongs to another person or day now.
        _let_go(board, item, row, message, Decision(Outcome.CANCELLED, "merged_away"))
    target, decision = _target(board, item)
    board.carried.setdefault(target.id, set()).add(_mark(item))
    _store(board, item, row, decision, target.id)


def _mark(item: Planned) -> str:
    return f"{item.kind}/{item.step}/{item.subject}"


def _target(board: Board, item: Planned) -> tuple[Message, Decision]:
    """The message that will carry the occasion, and the decision with the word for it."""
    decision = item.decision
    joined = board.open_in(item.group_key)
    if joined is not None:
        _join(board, item, joined)
        return joined, Decision(decision.outcome, "shared", decision.facts, decision.times)
    if board.gone_in(item.group_key):
        decision = Decision(decision.outcome, "added", decision.facts, decision.times)
    return _make(board, item, decision), decision


def _join(board: Board, item: Planned, message: Message) -> None:
    times = item.decision.times
    assert times is not None
    if times.due > message.due_at and message.state is MessageState.SCHEDULED:
        message.due_at, message.review_at = times.due, times.review
    if times.expires is not None and message.expires_at is not None:
        message.expires_at = max(message.expires_at, times.expires)
    _take_standing(message, item)
    if message.state is not MessageState.SCHEDULED:
        board.stale.add(message.id)


def _make(board: Board, item: Planned, decision: Decision) -> Message:
    run, times = board.run, decision.times
    assert times is not None
    rule = rule_for(run.ctx.documents.review, item.kind, item.rank, item.channel.family)
    message = Message(
        id=new_ulid(run.now),
        kind=item.kind,
        step=item.step,
        channel_id=item.channel.id,
        family=item.channel.family,
        scope=item.scope,
        customer_id=item.customer_id,
        group_key=item.group_key,
        locale=item.channel.locale or run.ctx.documents.shop.locale,
        state=MessageState.SCHEDULED,
        mode=rule.mode,
        advertising=item.advertising,
        rank=item.rank,
        visit_number=item.visit_number,
        why={**decision.reason, "review_rule": rule.mode.value},
        due_at=times.due,
        review_at=times.review,
        expires_at=times.expires,
        created_at=run.now,
    )
    board.made.append(message)
    board.messages[message.id] = message
    board.groups.setdefault(item.group_key, []).append(message)
    board.events.append(_first_event(run, message, decision))
    board.counts["made"] += 1
    return message


def _first_event(run: Run, message: Message, decision: Decision) -> MessageEvent:
    return MessageEvent(
        message_id=message.id,
        at=run.now,
        move="plan",
        from_state=None,
        to_state=message.state,
        actor=Actor.SYSTEM,
        by="system",
        reason=decision.reason,
    )


def _keep(board: Board, item: Planned, row: Occasion, message: Message) -> None:
    """The occasion has its message already: follow its cause and its standing (P11)."""
    times = item.decision.times
    assert times is not None
    if row.reason.get("cause") == item.decision.facts.get("cause"):
        if len(board.carried.get(message.id, ())) <= 1 or _is_last(message, item):
            _take_standing(message, item)
        return
    alone = len(board.carried.get(message.id, ())) <= 1
    if alone or times.due > message.due_at:
        # A shared mail waits for the latest of its orders.
        message.due_at, message.review_at = times.due, times.review
        message.expires_at = times.expires
    _take_standing(message, item)
    code = str(row.reason.get("code", item.decision.code))
    decision = Decision(Outcome.MESSAGE, code, item.decision.facts, times)
    _store(board, item, row, decision, message.id)


def _is_last(message: Message, item: Planned) -> bool:
    """Whether this order's number is the one a shared mail speaks with: the highest."""
    return (item.visit_number or 0) >= (message.visit_number or 0)


def _take_standing(message: Message, item: Planned) -> None:
    if message.rank != item.rank:
        message.rank = item.rank
    if message.visit_number != item.visit_number:
        message.visit_number = item.visit_number


# --- letting go -----------------------------------------------------------------------------


def _let_go(
    board: Board,
    item: Planned,
    row: Occasion,
    message: Message,
    decision: Decision | None = None,
) -> None:
    """Take the occasion out of its message: the rest is written anew, an empty one ends (P6)."""
    found = decision or item.decision
    if row.outcome not in (Outcome.MESSAGE, Outcome.HANDOFF):
        return
    rest = board.carried.get(message.id, set())
    rest.discard(_mark(item))
    if message.state is MessageState.HANDOFF:
        _expect(board, message, -1)
        return
    if rest:
        if message.state is not MessageState.SCHEDULED:
            board.stale.add(message.id)
        return
    clear_approval(message)
    move = _ENDS.get(found.outcome, "cancel")
    reason = {**found.reason, "subject": item.subject}
    apply_move(board.run.session, message, move, Actor.SYSTEM, "system", reason, board.run.now)
    board.counts["ended"] += 1


# --- handoffs -------------------------------------------------------------------------------


def _hand(board: Board, item: Planned, row: Occasion | None, message: Message | None) -> None:
    if row is not None and message is not None and row.outcome is Outcome.HANDOFF:
        return
    if row is not None and message is not None:
        _let_go(board, item, row, message)
    campaign = next(
        (m for m in board.groups.get(item.group_key, ()) if m.state is MessageState.HANDOFF), None
    )
    if campaign is None:
        campaign = make_handoff(board.run, item)
        board.messages[campaign.id] = campaign
        board.groups.setdefault(item.group_key, []).append(campaign)
        board.counts["made"] += 1
    _expect(board, campaign, 1)
    board.carried.setdefault(campaign.id, set()).add(_mark(item))
    _store(board, item, row, item.decision, campaign.id)


def _expect(board: Board, campaign: Message, change: int) -> None:
    handoff = board.run.session.get(Handoff, campaign.id)
    if handoff is not None:
        handoff.expected = max(0, handoff.expected + change)


# --- storing --------------------------------------------------------------------------------


def _store(
    board: Board, item: Planned, row: Occasion | None, decision: Decision, message_id: str | None
) -> None:
    due_at = decision.times.due if decision.outcome is Outcome.MESSAGE and decision.times else None
    values: dict[str, Any] = {
        "channel_id": item.channel.id,
        "order_id": item.order_id,
        "customer_id": item.customer_id,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "message_id": message_id,
        "due_at": decision.look_at or due_at,
    }
    if row is None:
        kind, step, subject = item.key
        row = Occasion(
            kind=kind,
            step=step,
            subject=subject,
            created_at=board.run.now,
            changed_at=board.run.now,
            **values,
        )
        board.stored[item.key] = row
        board.fresh.append(row)
        return
    if all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at = board.run.now
