"""The second pair of eyes: whoever wrote a text version does not approve its first mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from worker.mail.texts import FILES, ROOT, included_blocks
from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.users import PROGRAM, names_of
from worker.store.eyes_queries import count_eyes, seen_by_others, uncount_eyes, versions_under
from worker.store.messages import Message
from worker.store.running import DocumentVersion

_RELEASE = "release:"


def raise_where_own_words(session: Session, ctx: Context, message: Message, by: str) -> None:
    """Raise Refused where ``review.four_eyes`` asks for somebody else than ``by``.

    That is until others have let as many mails of the version go as ``review.canary`` says. A
    program is nobody's second pair of eyes.
    """
    rules = ctx.documents.review
    if not rules.four_eyes or not message.text_key:
        return
    authors = authors_of(session, message)
    own = names_of(session, by)
    if not authors or not (own & authors or by.startswith(PROGRAM)):
        return
    wanted = max(1, rules.canary)
    key, version = message.text_key, message.text_version
    seen = seen_by_others(session, key, version, own | authors, PROGRAM)
    if seen < wanted:
        raise Refused("four_eyes", n=wanted - seen)


def authors_of(session: Session, message: Message) -> frozenset[str]:
    """Who made the text what it is: authors of what changed last among its parts and blocks.

    Nobody where the text is not published but a file: whoever may write files writes the rules.
    """
    kind, _, number = message.release.partition(":")
    if f"{kind}:" != _RELEASE or not number.isdigit():
        return frozenset()
    versions = _parts(session, int(number), message.text_key)
    newest = max((version.at for version in versions), default=None)
    return frozenset(version.author for version in versions if version.at == newest)


def _parts(session: Session, release_id: int, text_key: str) -> list[DocumentVersion]:
    """The text's own documents and the blocks they include, each included block by its own."""
    locale, _kind, family, *_rest = text_key.split("/")
    found: dict[str, DocumentVersion] = {}
    wanted = {f"{ROOT}/{text_key}/{name}" for name in FILES}
    while wanted:
        rows = versions_under(session, release_id, sorted(wanted))
        found |= {row.path: row for row in rows}
        wanted = {
            f"{ROOT}/{locale}/_blocks/{family}/{block}.{row.path.rpartition('.')[2]}"
            for row in rows
            for block in included_blocks(row.content)
        } - set(found)
    return list(found.values())


def count_reader(session: Session, message: Message, by: str) -> None:
    """Remember whose eyes an unchanged mail of this text version has passed."""
    if not message.edited and message.text_key:
        count_eyes(session, message.text_key, message.text_version, by)


def uncount_reader(session: Session, message: Message, by: str) -> None:
    """Forget it again: the approval was taken back."""
    if not message.edited and message.text_key:
        uncount_eyes(session, message.text_key, message.text_version, by)
