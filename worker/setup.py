"""Writes a shop's first documents from a few answers, keeping every comment of the shipped ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from worker.documents import NAMES, documents_from, shipped_text
from worker.rules.states import MailKind, Sender

_QUESTIONS = (
    ("name", "店名 / Shop name"),
    ("zone", "時間帯 / Time zone"),
    ("legal_name", "送信者の正式な名称 / Legal name (mail footer)"),
    ("postal_address", "住所 / Postal address (mail footer)"),
    ("mail", "お問い合わせ先メール / Contact mail"),
    ("phone", "お問い合わせ先電話 / Contact phone"),
    ("sender", "差出人アドレス / From address of your mails"),
    ("staff_name", "メールに名前を出す方の名字 / Name of who signs the mails"),
    ("url", "店のURL / Address of your shop's site"),
)
_FAMILIES = {
    "own": "自社カート / your own shop",
    "rakuten": "楽天市場",
    "yahoo": "Yahoo!ショッピング",
}
_CONTACT = ("staff_name", "mail", "phone", "url", "legal_name", "postal_address", "sender")
"""What every mail of an own shop prints: without one of these it waits for it."""


@dataclass(frozen=True)
class Answers:
    """What only the shop can know; an empty answer leaves the key empty."""

    name: str = ""
    zone: str = "Asia/Tokyo"
    legal_name: str = ""
    postal_address: str = ""
    mail: str = ""
    phone: str = ""
    url: str = ""
    staff_name: str = ""
    sender: str = ""
    thanks: Mapping[str, str] = field(default_factory=dict)
    """Family to who sends the thank-you mail today."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of ``[contact]`` in shop.toml that own-shop mails wait for."""
        return tuple(key for key in _CONTACT if not getattr(self, key))

    def ask(self, prompt: Callable[..., str]) -> Answers:
        """Ask for what is not answered yet; ``prompt(text, default=…)`` gives a string."""
        given = {
            key: prompt(text, default=getattr(self, key) or "", err=True)
            for key, text in _QUESTIONS
            if not getattr(self, key) or key == "zone"
        }
        choices = "/".join(Sender)
        thanks = dict(self.thanks)
        for family, label in _FAMILIES.items():
            if family not in thanks:
                thanks[family] = prompt(
                    f"いまサンクスメールを送っているのは / Who sends your thank-you today: "
                    f"{label} ({choices})",
                    default="okaeri" if family == "own" else "hub",
                    err=True,
                )
        return replace(self, **given, thanks=thanks)


def write_documents(folder: Path, answers: Answers, *, force: bool = False) -> list[Path]:
    """Write the documents into ``folder``; gives the paths written.

    Raises FileExistsError when one is there already and ``force`` is not given, and
    DocumentsWrong when the answers cannot be used; nothing is written then.
    """
    texts = {name: shipped_text(name) for name in NAMES if name != "policy"}
    texts["shop"] = _shop(texts["shop"], answers)
    texts["senders"] = _senders(texts["senders"], answers.thanks)
    documents_from(texts, place=str(folder))
    present = [folder / f"{name}.toml" for name in texts if (folder / f"{name}.toml").exists()]
    if present and not force:
        raise FileExistsError(f"{present[0]} exists already. Use --force to overwrite it.")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def first_shop() -> str:
    """The shop's document before anything is answered: no sender, so nothing can leave."""
    return _shop(shipped_text("shop"), Answers())


def _shop(text: str, answers: Answers) -> str:
    contact = {key: getattr(answers, key) for key in _CONTACT}
    contact |= {"reply_to": answers.mail, "returns_url": ""}
    text = _put(text, "name", answers.name or "店名未設定")
    text = _put(text, "zone", answers.zone)
    for key, value in contact.items():
        text = _put(text, key, value)
    return text


def _put(text: str, key: str, value: str) -> str:
    """Replace a key's value on its own line; the comment behind it stays."""
    quoted = json.dumps(value, ensure_ascii=False)
    return re.sub(
        rf'^{key} = "[^"\n]*"',
        lambda _found: f"{key} = {quoted}",
        text,
        count=1,
        flags=re.MULTILINE,
    )


def _senders(text: str, thanks: Mapping[str, str]) -> str:
    for family, who in thanks.items():
        if who not in list(Sender):
            raise ValueError(f"{who!r} sends for {family}? Known: {', '.join(Sender)}.")
        pattern = rf'(\[families\.{re.escape(family)}\]\n(?:.*\n)*?{MailKind.ORDER_THANKS} = )"\w+"'
        text, count = re.subn(pattern, rf'\g<1>"{who}"', text, count=1)
        if not count:
            raise ValueError(f"unknown marketplace family {family!r}.")
    return text
