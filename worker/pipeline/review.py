"""The review step: people read what was rendered, and nothing leaves that nobody released.

The parts stand beside this file: the queue's order in ``review_queue``, one mail with its
surroundings in ``review_detail``, what staff do in ``review_actions``, ``review_edit`` and
``review_many``, kill switches in ``stops``. Roles are the caller's business.
"""

from __future__ import annotations

from worker.pipeline.resend import send_again
from worker.pipeline.review_actions import (
    approve,
    cancel,
    changes_since_approval,
    expire,
    hand_off_done,
    hold,
    release,
    resolve_unconfirmed,
    send_back,
    undo,
)
from worker.pipeline.review_approval import bind_approval, clear_approval, content_hash
from worker.pipeline.review_detail import (
    CustomerCard,
    MessageDetail,
    customer_card,
    detail,
    lapsed,
)
from worker.pipeline.review_diff import Piece, diff_mail, diff_text
from worker.pipeline.review_edit import edit
from worker.pipeline.review_many import (
    Left,
    ManyApproved,
    Selection,
    approve_many,
    select_many,
)
from worker.pipeline.review_queue import (
    SOON_HOURS,
    QueueCounts,
    QueueFilter,
    QueueRow,
    counts,
    queue,
    rank_groups,
    state_counts,
)
from worker.pipeline.review_reading import (
    read_mail,
    reader_of,
    readers,
    take_over,
)
from worker.pipeline.review_trust import TrustOffer, trust_offers
from worker.pipeline.review_words import Refused, StaleEdit, Words, hold_words
from worker.pipeline.stops import Stopping, active_stops, lift, stop, stop_over
from worker.rules.states import MoveRefused

__all__ = [
    "SOON_HOURS",
    "CustomerCard",
    "Left",
    "ManyApproved",
    "MessageDetail",
    "MoveRefused",
    "Piece",
    "QueueCounts",
    "QueueFilter",
    "QueueRow",
    "Refused",
    "Selection",
    "StaleEdit",
    "Stopping",
    "TrustOffer",
    "Words",
    "active_stops",
    "approve",
    "approve_many",
    "bind_approval",
    "cancel",
    "changes_since_approval",
    "clear_approval",
    "content_hash",
    "counts",
    "customer_card",
    "detail",
    "diff_mail",
    "diff_text",
    "edit",
    "expire",
    "hand_off_done",
    "hold",
    "hold_words",
    "lapsed",
    "lift",
    "queue",
    "rank_groups",
    "read_mail",
    "reader_of",
    "readers",
    "release",
    "resolve_unconfirmed",
    "select_many",
    "send_again",
    "send_back",
    "state_counts",
    "stop",
    "stop_over",
    "take_over",
    "trust_offers",
    "undo",
]
