"""Reads words that a clerk wrote as the marketplace and the law would, like rendered ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.lint import Severity, is_advertisement, lint_content
from worker.mail.render import Rendered
from worker.pipeline.context import Context
from worker.pipeline.render_shop import lint_context
from worker.rules.lint_words import lint_words
from worker.rules.states import ADVERTISING_KINDS
from worker.store.channels import Channel
from worker.store.messages import Message, MessageBody


@dataclass(frozen=True, slots=True)
class Inspection:
    """``fault`` is the first thing that refuses the words; empty: none does."""

    fault: str
    advertising: bool
    """Whether the law sees an advertisement in them, or in the kind of the mail."""


def inspect_words(
    session: Session, ctx: Context, message: Message, body: MessageBody, given: Mapping[str, Any]
) -> Inspection:
    """Inspect the mail as it would be with the given parts in it."""
    mail = Rendered(
        subject=given.get("subject", body.subject),
        body_text=given.get("text", body.text),
        body_html=given.get("html", body.html),
        used={name: str(value) for name, value in (body.values or {}).items()},
    )
    channels = session.scalars(select(Channel).order_by(Channel.id)).all()
    mine = next(channel for channel in channels if channel.id == message.channel_id)
    others = [channel for channel in channels if channel is not mine]
    by_kind = message.kind in ADVERTISING_KINDS
    plain = lint_context(ctx, mine, others, message.locale, kind=message.kind, ad=by_kind)
    advertising = by_kind or bool(is_advertisement(mail, plain.own_hosts))
    context = lint_context(ctx, mine, others, message.locale, kind=message.kind, ad=advertising)
    for finding in lint_content(mail, context):
        if finding.severity is Severity.ERROR:
            return Inspection(lint_words(finding.code, finding.detail), advertising)
    return Inspection("", advertising)
