"""Reads the places where mail comes back to, and has each mail taken in once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from worker import log
from worker.mail.coming_back.folder import Maildir
from worker.mail.coming_back.imap import ImapMailbox, ImapSettings
from worker.mail.coming_back.mailbox import Delivered, Mailbox, MailboxUnreachable
from worker.pipeline.coming_back import NotYet, Taken, take_mail
from worker.pipeline.context import Context
from worker.runtime import Runtime
from worker.settings import Settings, SettingsWrong

_log = log.get("returns")
BATCH = 200
"""Mails of one round and place; a flood is taken in round by round."""
_LEASE_SECONDS = 600.0


@dataclass
class Returned:
    """What one round took in: ``counts`` by outcome; ``problems`` in words."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def mailboxes(settings: Settings) -> list[Mailbox]:
    """The places that the settings name. Raises SettingsWrong."""
    found: list[Mailbox] = []
    if settings.returns_folder is not None:
        found.append(Maildir(settings.returns_folder.absolute()))
    if settings.imap_host:
        if not settings.imap_user:
            raise SettingsWrong("OKAERI_IMAP_USER: needed with OKAERI_IMAP_HOST.")
        found.append(
            ImapMailbox(
                ImapSettings(
                    host=settings.imap_host,
                    port=settings.imap_port,
                    user=settings.imap_user,
                    password=settings.imap_password.get_secret_value(),
                    folder=settings.imap_folder,
                    security=settings.imap_tls,
                )
            )
        )
    return found


def take_returns(runtime: Runtime, now: datetime) -> Returned:
    """Take in what lies in the folder and the mailbox; one round at a time."""
    done = Returned()
    places = mailboxes(runtime.settings)
    if not places:
        return done
    with runtime.hold("returns", _LEASE_SECONDS) as token:
        if token is None:
            return done
        context = runtime.context()
        for place in places:
            try:
                _take_place(runtime, context, place, now, done)
            except MailboxUnreachable as error:
                done.problems.append(str(error))
                _log.warning("returns_unreachable", source=place.source, error=str(error))
            finally:
                place.close()
    _log.info("returns_taken", count=sum(done.counts.values()))
    return done


def _take_place(
    runtime: Runtime, context: Context, place: Mailbox, now: datetime, done: Returned
) -> None:
    for mail in place.waiting(BATCH):
        taken = take_one(runtime, context, mail, place.source, now)
        if taken is None:
            done.counts["later"] += 1
            continue
        # Only after the commit: a crash in between brings the same bytes, which do nothing.
        place.settle(mail, known=taken.known)
        done.counts["again" if taken.again else taken.outcome] += 1


def take_one(
    runtime: Runtime, context: Context, mail: Delivered, source: str, now: datetime
) -> Taken | None:
    """Take in one mail in a transaction of its own; None while its message is being sent."""
    try:
        with runtime.transaction() as session:
            return take_mail(session, context, mail.raw, source=source, now=now)
    except NotYet:
        return None
