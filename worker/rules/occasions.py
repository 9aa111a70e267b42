"""What an order or a person gives reason for: its names, its milestones, the rule that speaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from worker.rules.shop import MailRule
from worker.rules.states import MailKind

ORDER_KINDS = (
    MailKind.ORDER_THANKS,
    MailKind.SHIPPING_NOTICE,
    MailKind.FOLLOW_UP,
    MailKind.REVIEW_REQUEST,
)
"""Kinds planned order by order; milestone mails follow an order too but belong to the person."""

RECORDED_DAYS = 35
"""Orders older than this before ``active_from`` get no occasion row: history never mails (P8)."""

# --- names ----------------------------------------------------------------------------------


def order_subject(channel: str, external_id: str) -> str:
    """Subject of everything an order gives reason for."""
    return f"order:{channel}:{external_id}"


def milestone_subject(customer_id: int, scope: str, number: int) -> str:
    """Subject of a milestone mail."""
    return f"customer:{customer_id}:{scope}:{number}"


def dormancy_subject(customer_id: int, last_external_id: str) -> str:
    """Subject of the win-back steps of one dormancy."""
    return f"dormancy:{customer_id}:{last_external_id}"


def thanks_group(scope: str, customer_id: int, day: date) -> str:
    """Orders of one person, scope and day share one thank-you."""
    return f"thanks:{scope}:{customer_id}:{day.isoformat()}"


def handoff_group(kind: MailKind, channel: str, month: date) -> str:
    """One campaign for staff per kind, channel and month."""
    return f"handoff:{kind}:{channel}:{month:%Y-%m}"


# --- milestones -----------------------------------------------------------------------------


# --- rules ----------------------------------------------------------------------------------


def choose_rule(
    rules: Sequence[MailRule],
    kind: MailKind,
    family: str,
    rank: str | None,
    number: int | None,
    step: str = "",
) -> MailRule | None:
    """The first enabled rule of kind and step that fits family, rank and visit number."""
    for rule in speaking(rules, kind, family):
        if rule.step == step and fits(rule, rank, number):
            return rule
    return None


def speaking(rules: Sequence[MailRule], kind: MailKind, family: str) -> list[MailRule]:
    """Enabled rules of the kind that speak to the family."""
    return [r for r in rules if r.enabled and r.kind is kind and family in r.families]


def fits(rule: MailRule, rank: str | None, number: int | None) -> bool:
    """Whether rank and visit number are those the rule speaks to; an unknown number is 1."""
    shown = number or 1
    if rule.ranks and rank not in rule.ranks:
        return False
    return rule.min_order <= shown and not (rule.max_order and shown > rule.max_order)
