"""The shop's own mailboxes: the only ones that a mail to oneself may go to."""

from __future__ import annotations

from email.utils import parseaddr

from worker.pipeline.context import Context
from worker.store.messages import Message, MessageBody

TEST_STEP = "test"
"""``Message.step`` of a mail to oneself."""


def own_mailboxes(ctx: Context) -> tuple[str, ...]:
    """Every address that stands in the shop's settings, each once."""
    shop = ctx.documents.shop
    written = [
        address
        for contact in (shop.contact, *shop.channels.values())
        for address in (contact.mail, contact.reply_to, contact.sender)
    ]
    found = (parseaddr(each)[1] for each in written if each)
    return tuple(dict.fromkeys(address for address in found if address))


def changed_since(ctx: Context, message: Message, body: MessageBody | None) -> list[str]:
    """What forbids handing a mail to oneself over: its address is the shop's no more."""
    mine = body is not None and message.customer_id is None and body.recipient in own_mailboxes(ctx)
    return [] if mine else ["recipient"]
