"""Tells automatic answers from people's, and takes a person's own words out of a reply."""

from __future__ import annotations

import re
from email.message import Message

from worker.mail.coming_back.parts import header, words_of

LONGEST_TEXT = 2000
_AUTOMATIC_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Auto-Reply-From")
_AUTOMATIC_PRECEDENCE = frozenset({"auto_reply", "bulk", "junk", "list"})
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(re:\s*)?(auto(matic)?[ \-]?(reply|response)|auto:|out of (the )?office|vacation\b"
    r"|自動返信|自動応答|自動配信|不在(の|通知|連絡)|【自動返信】|［自動返信］|\[自動返信\])",
    re.IGNORECASE,
)
_OUT = re.compile(
    r"配信.{0,4}(停止|解除)|(停止|解除)(希望|して|を(希望|お願い))|メルマガ.{0,6}(停止|解除|不要)"
    r"|退会|unsubscribe|\bopt[ -]?out\b|\bremove me\b|^\s*stop\s*[.!]?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTE_BEGINS = re.compile(
    r"^\s*(-{2,}\s*(original message|元のメッセージ|転送メッセージ|forwarded message)"
    r"|on .{5,200} wrote:\s*$|\d{4}年\d{1,2}月\d{1,2}日.{0,120}[:：]\s*$"
    r"|_{10,}\s*$|(from|差出人)\s*[:：].{3,})",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def is_automatic(mail: Message) -> bool:
    """Whether a machine answered (RFC 3834, and what Japanese mail systems write instead)."""
    submitted = header(mail, "Auto-Submitted").lower()
    if submitted and submitted.partition(";")[0].strip() != "no":
        return True
    if any(mail.get(name) is not None for name in _AUTOMATIC_HEADERS):
        return True
    if header(mail, "Precedence").lower() in _AUTOMATIC_PRECEDENCE or mail.get("List-Id"):
        return True
    return _AUTOMATIC_SUBJECT.match(header(mail, "Subject")) is not None


def wants_out(mail: Message) -> bool:
    """Whether subject or own words ask for no more mail."""
    return _OUT.search(header(mail, "Subject") + "\n" + own_words(mail)) is not None


def own_words(mail: Message) -> str:
    """What the sender wrote, without what they quoted."""
    kept: list[str] = []
    for line in words_of(mail).replace("\r\n", "\n").split("\n"):
        if _QUOTE_BEGINS.match(line):
            break
        if not line.lstrip().startswith((">", "＞")):
            kept.append(line.rstrip())
    plain = _CONTROL.sub("", "\n".join(kept))
    return re.sub(r"\n{3,}", "\n\n", plain).strip()[:LONGEST_TEXT]
