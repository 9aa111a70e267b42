"""Every status value of Okaeri, and the one table of the moves a message may make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is for (design, section 1)."""

    ORDER_THANKS = "order_thanks"
    SHIPPING_NOTICE = "shipping_notice"
    FOLLOW_UP = "follow_up"
    REVIEW_REQUEST = "review_request"
    MILESTONE = "milestone"
    WIN_BACK = "win_back"
    BIRTHDAY = "birthday"
    RANK_UP = "rank_up"
    PERSONAL = "personal"


ADVERTISING_KINDS = frozenset({MailKind.MILESTONE, MailKind.WIN_BACK, MailKind.BIRTHDAY})
"""Advertisements whatever their words say (mail-rules, section 2)."""

CUSTOMER_KINDS = frozenset({MailKind.MILESTONE, MailKind.WIN_BACK, MailKind.BIRTHDAY})
"""Kinds about the person, not one order: they go through one own-family channel."""


NOTE_HELD = ADVERTISING_KINDS | {MailKind.FOLLOW_UP, MailKind.REVIEW_REQUEST}
"""Kinds that wait while a contact note is open (mail-texts, section 2)."""


class Certainty(StrEnum):
    """How much a visit number may be trusted."""

    PROVED = "proved"
    PROVISIONAL = "provisional"
    UNCERTAIN = "uncertain"


class MessageState(StrEnum):
    """The life of a message (design, section 4)."""

    SCHEDULED = "scheduled"
    IN_REVIEW = "in_review"
    ON_HOLD = "on_hold"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SENT_BACK = "sent_back"
    RETRY_WAIT = "retry_wait"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    HANDOFF = "handoff"
    HANDED_OFF = "handed_off"


S = MessageState

WAITING = frozenset({S.SCHEDULED, S.IN_REVIEW, S.ON_HOLD, S.SENT_BACK, S.APPROVED, S.RETRY_WAIT})
"""Not yet out, may still be changed, recalled or cancelled."""

REVIEWABLE = frozenset({S.IN_REVIEW, S.ON_HOLD, S.SENT_BACK})
"""What a person sees in the queue and may edit."""

OUT = frozenset({S.SENT, S.BOUNCED, S.COMPLAINED})
"""Has certainly left the house; read-only for ever."""

MAYBE_OUT = OUT | {S.SENDING, S.UNCONFIRMED}
"""Has left or may have left: counts as said to the customer, never repeated by itself."""

FINAL = frozenset(
    {S.BOUNCED, S.COMPLAINED, S.CANCELLED, S.EXPIRED, S.SUPPRESSED, S.HANDED_OFF, S.FAILED}
)
"""Nothing moves it any more, except where MOVES says so (failed may be sent again as new)."""


class Actor(StrEnum):
    """Who may make a move."""

    SYSTEM = "system"
    STAFF = "staff"
    DISPATCH = "dispatch"


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move; ``guard`` names the check that must hold, in the words of the pipeline."""

    name: str
    sources: frozenset[MessageState]
    target: MessageState
    actors: frozenset[Actor]
    guard: str = ""


def _move(
    name: str, sources: set[S] | frozenset[S], target: S, actors: set[Actor], guard: str = ""
) -> Move:
    return Move(name, frozenset(sources), target, frozenset(actors), guard)


_SYSTEM, _STAFF, _DISPATCH = Actor.SYSTEM, Actor.STAFF, Actor.DISPATCH

MOVES: tuple[Move, ...] = (
    _move("submit", {S.SCHEDULED}, S.IN_REVIEW, {_SYSTEM}, "rendered"),
    _move("auto_approve", {S.SCHEDULED, S.IN_REVIEW}, S.APPROVED, {_SYSTEM}, "mode_and_no_flag"),
    _move("hold_unready", {S.SCHEDULED}, S.ON_HOLD, {_SYSTEM}, "missing_value_or_verdict"),
    _move("approve", {S.IN_REVIEW}, S.APPROVED, {_STAFF}, "verdict_allows"),
    _move(
        "hold", {S.SCHEDULED, S.IN_REVIEW, S.APPROVED, S.RETRY_WAIT}, S.ON_HOLD, {_STAFF, _SYSTEM}
    ),
    _move("release", {S.ON_HOLD}, S.IN_REVIEW, {_STAFF, _SYSTEM}, "rendered"),
    _move(
        "reschedule",
        {S.ON_HOLD, S.IN_REVIEW, S.APPROVED, S.SENT_BACK, S.RETRY_WAIT},
        S.SCHEDULED,
        {_SYSTEM, _STAFF},
        "to_render_again",
    ),
    _move("send_back", {S.IN_REVIEW, S.ON_HOLD}, S.SENT_BACK, {_STAFF}, "reason"),
    _move("resubmit", {S.SENT_BACK}, S.IN_REVIEW, {_STAFF}, "edited_or_rendered_again"),
    _move("undo", {S.APPROVED}, S.IN_REVIEW, {_STAFF}, "undo_window"),
    _move("lapse", {S.APPROVED, S.RETRY_WAIT}, S.IN_REVIEW, {_SYSTEM, _DISPATCH}, "facts_changed"),
    _move("send", {S.APPROVED, S.RETRY_WAIT}, S.SENDING, {_DISPATCH}, "claimed_and_verdict_allows"),
    _move("sent", {S.SENDING}, S.SENT, {_DISPATCH}),
    _move("retry", {S.SENDING, S.APPROVED}, S.RETRY_WAIT, {_DISPATCH}, "temporary"),
    _move(
        "fail",
        {S.SENDING, S.RETRY_WAIT, S.APPROVED},
        S.FAILED,
        {_DISPATCH, _SYSTEM},
        "permanent_or_exhausted",
    ),
    _move("unsure", {S.SENDING}, S.UNCONFIRMED, {_DISPATCH, _SYSTEM}),
    _move("journal_says", WAITING | {S.SENDING}, S.UNCONFIRMED, {_SYSTEM}, "journal_ahead"),
    _move("was_sent", {S.UNCONFIRMED}, S.SENT, {_STAFF, _SYSTEM}, "evidence"),
    _move("was_not_sent", {S.UNCONFIRMED}, S.IN_REVIEW, {_STAFF}, "next_generation"),
    _move("abandon", {S.UNCONFIRMED}, S.CANCELLED, {_STAFF}),
    _move("cancel", WAITING | {S.HANDOFF}, S.CANCELLED, {_STAFF, _SYSTEM, _DISPATCH}, "reason"),
    _move("expire", WAITING | {S.HANDOFF}, S.EXPIRED, {_SYSTEM, _DISPATCH}, "useless_after"),
    _move("suppress", WAITING, S.SUPPRESSED, {_SYSTEM, _DISPATCH}, "reason"),
    _move("hand_off", {S.SCHEDULED, S.IN_REVIEW}, S.HANDOFF, {_SYSTEM}, "platform_sends"),
    _move("handed_off", {S.HANDOFF}, S.HANDED_OFF, {_STAFF}, "date_and_count"),
    _move("bounce", {S.SENT}, S.BOUNCED, {_SYSTEM, _STAFF}, "evidence"),
    _move("complain", {S.SENT, S.BOUNCED}, S.COMPLAINED, {_SYSTEM}),
)

_BY_NAME = {move.name: move for move in MOVES}


class MoveRefused(ValueError):
    """A move that the table does not allow; carries what was tried."""

    def __init__(self, name: str, source: MessageState, actor: Actor) -> None:
        super().__init__(f"move {name!r} is not allowed from {source} by {actor}")
        self.name, self.source, self.actor = name, source, actor


def move(name: str, source: MessageState, actor: Actor) -> Move:
    """Look a move up; raises MoveRefused where the table has no such (name, source, actor)."""
    found = _BY_NAME.get(name)
    if found is None or source not in found.sources or actor not in found.actors:
        raise MoveRefused(name, source, actor)
    return found


def moves_from(source: MessageState, actor: Actor) -> tuple[str, ...]:
    """Names of the moves the actor may make now; buttons are drawn from it."""
    return tuple(m.name for m in MOVES if source in m.sources and actor in m.actors)


class Outcome(StrEnum):
    """What became of an occasion: it never has none (P4)."""

    WAITING = "waiting"  # its cause is not complete yet (gate, delivery date, first poll)
    MESSAGE = "message"  # carried by a message, see message_id
    NOT_ACTIVE = "not_active"  # before active_from of (channel, kind)
    OTHER_SENDER = "other_sender"
    FORBIDDEN = "forbidden"  # policy
    HANDOFF = "handoff"  # staff run it in the marketplace's own tool
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    NO_ADDRESS = "no_address"
    NO_CHANNEL = "no_channel"  # no own-family channel with that channel's own address
    CAPPED = "capped"  # frequency: at most one per N days, same text within 180 days
    TOO_LATE = "too_late"
    NOT_WANTED = "not_wanted"  # the rule's conditions do not hold, kind off, subscription repeat
    CANCELLED = "cancelled"  # its order was cancelled, refunded or merged away
    ALREADY = "already"  # the same thing was said or granted before


class ReviewMode(StrEnum):
    """How a mail passes the desk."""

    REVIEW = "review"
    SAMPLE = "sample"
    TIMED = "timed"
    AUTO = "auto"


class Sender(StrEnum):
    """Who sends a kind on a channel today."""

    MALL = "mall"
    CART = "cart"
    HUB = "hub"
    OKAERI = "okaeri"
    NOBODY = "nobody"


class Verdict(StrEnum):
    """What policy says of (family, kind, advertisement); the order is from loose to strict."""

    ALLOW = "allow"
    RELAY = "relay"
    CONSENT = "consent"
    PLATFORM = "platform"
    HOLD = "hold"
    FORBID = "forbid"


class Flag(StrEnum):
    """What stops a message for a person, in every review mode (mail-texts, section 3)."""

    BUYER_COMMENT = "buyer_comment"
    HUB_HOLD = "hub_hold"
    OPEN_INQUIRY = "open_inquiry"
    OPEN_NOTE = "open_note"
    GIFT = "gift"
    LATE_DELIVERY = "late_delivery"
    NUMBER_UNCERTAIN = "number_uncertain"
    IDENTITY_UNSURE = "identity_unsure"
    ORGANISATION = "organisation"
    DIFFERS_FROM_LAST = "differs_from_last"
    NEW_TEMPLATE = "new_template"
    FALLBACK_VALUE = "fallback_value"
    FACTS_CHANGED = "facts_changed"
    UNUSUAL_AMOUNT = "unusual_amount"
    POLICY_UNVERIFIED = "policy_unverified"
    RELAY_MISSING = "relay_missing"
    MISSING_VALUE = "missing_value"
    TEXT_MISSING = "text_missing"
    TEXT_REFUSED = "text_refused"
    POOL_EMPTY = "pool_empty"
    COUPON_PENDING = "coupon_pending"
    ODD_ADDRESS = "odd_address"
    MILESTONE_MISSED = "milestone_missed"
    UNKNOWN_STATUS = "unknown_status"
    SPENT_CURRENCY = "spent_currency"


class GrantState(StrEnum):
    """The life of a reward."""

    RESERVED = "reserved"
    EARNED = "earned"
    USED = "used"
    RELEASED = "released"
    VOIDED = "voided"
    EXPIRED = "expired"
    BEFORE_START = (
        "before_start"  # was past the milestone before go-live: no reward, no later firing
    )
    TO_DECIDE = "to_decide"  # crossed unseen: a person says give now or leave
    DECLINED = "declined"


class CouponState(StrEnum):
    """The life of a single coupon code; never back to available once attempted."""

    AVAILABLE = "available"
    PENDING = "pending"  # promised to somebody, not yet confirmed by the shop: told to nobody
    RESERVED = "reserved"
    ISSUED = "issued"
    USED = "used"
    ENDING = "ending"  # the shop is being asked to end it: told to nobody any more
    VOID = "void"
    EXPIRED = "expired"


class QuarantineState(StrEnum):
    """What became of a record that could not become an order."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISMISSED = "dismissed"


class ImportState(StrEnum):
    """How far an import got."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class IdentityKind(StrEnum):
    """A key by which a channel knows a person; the first two are strong."""

    MEMBER = "member"
    EMAIL = "email"
    RELAY_EMAIL = "relay_email"
    PHONE_NAME = "phone_name"
    NAME_ADDRESS = "name_address"
    ORDER = "order"  # last resort: an order without any key is a person of its own


STRONG = frozenset({IdentityKind.MEMBER, IdentityKind.EMAIL})


class CandidateState(StrEnum):
    """A possible same person, until somebody decides."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class ConsentAction(StrEnum):
    """One row of the append-only consent ledger; the latest row is the state."""

    GRANTED = "granted"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    IMPORTED = "imported"


class NoteState(StrEnum):
    """Whether a contact note still wants something."""

    OPEN = "open"
    DONE = "done"


class Via(StrEnum):
    """How a customer and the shop spoke."""

    PHONE = "phone"
    MAIL = "mail"
    LETTER = "letter"
    SHOP = "shop"


class Role(StrEnum):
    """Desk roles; each includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


class RunMode(StrEnum):
    """Whether mails leave: capture writes files only (rehearsal, restored databases)."""

    CAPTURE = "capture"
    LIVE = "live"
