"""How the desk speaks of channels: their kind, how they are, how long ago, in one language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Credential, NeedsPerson
from console.words import Words
from worker.pipeline.channel_admin import FILES, credentials_of, missing_credentials
from worker.pipeline.channel_health import WARN_DAYS, days_left
from worker.store.channels import Channel

LATE = timedelta(hours=1)
"""So long without a successful poll is worth a word."""

_SENTENCE = re.compile(r".+?(?:。|[.!?](?=\s)|$)\s*", re.DOTALL)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel is at a glance."""

    look: str
    """``ok``, ``warn``, ``bad`` or empty."""
    icon: str
    label: str


def channel_kind(channel: Channel, words: Words) -> str:
    """What a channel is; one of files is called by its marketplace, from whom the files come."""
    if channel.kind == FILES:
        return words("channels.files_of", family=words(f"family.{channel.family}"))
    return kind_label(channel.kind, words)


def kind_label(kind: str, words: Words) -> str:
    """The marketplace or cart as its shops call it; the kind's own name where it is not ours."""
    key = f"channel_kind.{kind}"
    return words(key) if words.has(key) else kind


def credential_label(credential: Credential, locale: str) -> str:
    """What the shop calls it."""
    return credential.label_en if locale == "en" else credential.label


def known_credentials(kind: str) -> tuple[Credential, ...]:
    """The credentials of a kind; none where it is not installed any more."""
    try:
        return credentials_of(kind)
    except NeedsPerson:
        return ()


def stream_label(stream: str, words: Words) -> str:
    """What a stream brings; its own name where no words are known."""
    past = stream.startswith("backfill:")
    key = "stream.backfill" if past else f"stream.{stream}"
    return words(key) if words.has(key) else stream


def ago(moment: datetime | None, now: datetime, words: Words) -> str:
    """How long ago, in the largest unit that says enough; empty for never."""
    if moment is None:
        return ""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return words("channels.just_now")
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            return words("channels.ago", span=words(f"channels.{unit}", n=seconds // size))
    return ""


def lasting(seconds: float, words: Words) -> str:
    """How long something takes, rounded up to a minute."""
    minutes = max(1, -int(-seconds // 60))
    if minutes < 60:
        return words("channels.minutes", n=minutes)
    hours, rest = divmod(minutes, 60)
    told = words("channels.hours", n=hours)
    return f"{told} {words('channels.minutes', n=rest)}" if rest else told


def standing_of(channel: Channel, now: datetime, words: Words) -> Standing:
    """The one thing to say about a channel first."""
    if channel.paused and channel.last_error:
        return Standing("bad", "alert-circle", words("channels.stopped"))
    if channel.paused:
        return Standing("warn", "player-pause", words("channels.paused"))
    if missing_of(channel):
        return Standing("warn", "lock", words("channels.no_keys"))
    if channel.last_error:
        late = channel.last_success_at is None or now - channel.last_success_at > LATE
        look, icon = ("bad", "alert-circle") if late else ("warn", "refresh")
        return Standing(look, icon, words("channels.late" if late else "channels.retrying"))
    if channel.kind == FILES:
        return Standing("", "file-text", words("channels.by_file"))
    if channel.last_success_at is None:
        return Standing("", "clock", words("channels.not_yet"))
    return Standing("ok", "circle-check", words("channels.well"))


def missing_of(channel: Channel) -> tuple[Credential, ...]:
    """Credentials that are not entered; none for a kind that is not installed any more."""
    try:
        return missing_credentials(channel)
    except NeedsPerson:
        return ()


def ending_look(ends: datetime | None, now: datetime) -> str:
    """How urgent the end of a credential is."""
    if ends is None:
        return ""
    left = days_left(ends, now)
    if left <= 3:
        return "bad"
    return "warn" if left <= max(WARN_DAYS) else "ok"


def ending_words(ends: datetime | None, now: datetime, words: Words) -> str:
    """How long a credential still lasts."""
    if ends is None:
        return ""
    left = days_left(ends, now)
    return words("channels.days_left", n=left) if left else words("channels.ended")


def in_language(told: str, locale: str) -> str:
    """The sentences of one language, where a text says the same in both; else all of it.

    Connectors and commands say everything in Japanese and then in English.
    """
    parts = [part.strip() for part in _SENTENCE.findall(told)]
    sorted_out: Mapping[bool, list[str]] = {True: [], False: []}
    for part in parts:
        if part:
            sorted_out[_is_japanese(part)].append(part)
    if not (sorted_out[True] and sorted_out[False]):
        return told.strip()
    glue = "" if locale == "ja" else " "
    return glue.join(sorted_out[locale == "ja"])


def _is_japanese(text: str) -> bool:
    # An English sentence may name a Japanese menu: what there is more of decides.
    return len(_JAPANESE.findall(text)) * 3 > len(_LATIN.findall(text))


def instant_of(told: Any) -> datetime | None:
    """A watermark that is an instant; None for one that counts in something else."""
    try:
        moment = datetime.fromisoformat(str(told or ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
