"""Which orders a marketplace may be had to ask about, and the moves of such a request."""

from __future__ import annotations

from worker.rules.shop import Documents
from worker.rules.states import Actor, MailKind, MessageState, Move, MoveRefused, Sender, Verdict

S = MessageState
_SYSTEM, _STAFF, _DISPATCH = Actor.SYSTEM, Actor.STAFF, Actor.DISPATCH


def _move(name: str, sources: set[S], target: S, actors: set[Actor], guard: str = "") -> Move:
    return Move(name, frozenset(sources), target, frozenset(actors), guard)


REQUEST_MOVES: tuple[Move, ...] = (
    _move("release", {S.HANDOFF}, S.APPROVED, {_STAFF}, "exact_number"),
    _move("recall", {S.APPROVED}, S.HANDOFF, {_SYSTEM}, "other_sender"),
    _move("ask", {S.APPROVED}, S.SENDING, {_DISPATCH}, "offered_and_checked_again"),
    _move("asked", {S.SENDING}, S.HANDED_OFF, {_DISPATCH}),
    _move("not_now", {S.SENDING}, S.APPROVED, {_DISPATCH}, "nothing_went_out"),
    _move("refused", {S.APPROVED, S.SENDING}, S.FAILED, {_DISPATCH}, "marketplace_says_no"),
    _move("unsure", {S.SENDING}, S.UNCONFIRMED, {_DISPATCH, _SYSTEM}),
    _move("journal_says", {S.APPROVED}, S.UNCONFIRMED, {_DISPATCH}, "journal_ahead"),
    _move("was_asked", {S.UNCONFIRMED}, S.HANDED_OFF, {_STAFF}),
    _move("was_not_asked", {S.UNCONFIRMED}, S.HANDOFF, {_STAFF}, "released_again"),
    _move("abandon", {S.UNCONFIRMED}, S.CANCELLED, {_STAFF}),
    _move("cancel", {S.HANDOFF, S.APPROVED}, S.CANCELLED, {_SYSTEM, _DISPATCH}, "order_unfit"),
    _move("expire", {S.HANDOFF, S.APPROVED}, S.EXPIRED, {_SYSTEM, _DISPATCH}, "window_over"),
)
"""The requests' own part of the table in ``states``: the marketplace's words need no review."""

_BY_NAME = {move.name: move for move in REQUEST_MOVES}


def request_move(name: str, source: MessageState, actor: Actor) -> Move:
    """Look a move up; raises MoveRefused where the table has no such (name, source, actor)."""
    found = _BY_NAME.get(name)
    if found is None or source not in found.sources or actor not in found.actors:
        raise MoveRefused(name, source, actor)
    return found


def asks_for_reviews(documents: Documents, channel: str, family: str) -> bool:
    """Whether the shop leaves the marketplace's own request to us, and policy to the platform."""
    kind = MailKind.REVIEW_REQUEST
    platform = documents.policy.cell(family, kind).verdict is Verdict.PLATFORM
    return platform and documents.senders.who(channel, family, kind) is Sender.OKAERI


def unfit(*, life: str, payment: str, fulfilment: str, refunded: int | None) -> str:
    """Why nobody may be asked about the order, as a code; empty where one may."""
    if life != "open":
        return "order_cancelled"
    if payment in {"refunded_part", "refunded"} or refunded:
        return "order_refunded"
    if fulfilment == "returned":
        return "order_returned"
    return "" if fulfilment in {"shipped", "delivered"} else "order_unshipped"
