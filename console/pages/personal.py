"""個別メール: a mail that a clerk writes to one customer, from the card or from the history."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.personal import letter_form
from console.visit import Editor, NoSuchPlace, Reading
from worker.pipeline.plan_personal import PersonalRefused, write_personal

router = APIRouter(prefix="/customers/{customer_id}/write")

_KEY = r"^[A-Za-z0-9_-]{16,64}$"


@router.get("")
def ask(visit: Reading, customer_id: int, order: int | None = None) -> Response:
    """The form; its key makes one mail of it, however often it is sent."""
    with visit.read() as (session, ctx):
        model = letter_form(
            session,
            ctx,
            customer_id,
            visit.words,
            visit.now,
            key=secrets.token_urlsafe(18),
            order_id=order,
        )
    return page(visit, "write.html", f=model)


@router.post("")
def write(
    visit: Editor,
    customer_id: int,
    about: Annotated[str, Form(max_length=40)],
    key: Annotated[str, Form(pattern=_KEY)],
    subject: Annotated[str, Form(max_length=998)] = "",
    text: Annotated[str, Form(max_length=65536)] = "",
) -> Response:
    """Make the mail, to be read like every other; a refused one keeps its words on the page."""
    channel_id, order_id = _about(about)
    try:
        with visit.act("write_personal", f"customer:{customer_id}") as (session, ctx):
            message_id = write_personal(
                session,
                ctx,
                customer_id,
                channel_id,
                subject,
                text,
                visit.login.name,
                visit.now,
                order_id,
                key=key,
            )
    except PersonalRefused as no:
        with visit.read() as (session, ctx):
            model = letter_form(
                session,
                ctx,
                customer_id,
                visit.words,
                visit.now,
                key=key,
                chosen=about,
                subject=subject,
                text=text,
                trouble=no.words(visit.locale),
            )
        return page(visit, "write.html", 409, f=model)
    return go(f"/messages/{message_id}")


def _about(said: str) -> tuple[int, int | None]:
    """Channel and order that the form names. Raises NoSuchPlace."""
    channel, _, order = said.partition(":")
    if not channel.isdecimal() or not (order.isdecimal() or not order):
        raise NoSuchPlace
    return int(channel[:15]), int(order[:15]) if order else None
