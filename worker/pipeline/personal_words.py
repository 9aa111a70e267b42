"""What a clerk may put into a letter: placeholders that fit, and what is wrong with the words."""

from __future__ import annotations

from worker.mail.check import check_source
from worker.mail.declared.shape import Placeholder
from worker.mail.placeholders import ALIASES, PLACEHOLDERS, canonical

_OF_THE_LETTER = frozenset({"letter_subject", "letter_body"})
_OFFERED = (
    *("customer_name_honorific", "customer_family_honorific", "order_number", "ordered_on_text"),
    *("item_names_block", "order_lines_block", "arrival_text", "carrier_name", "tracking_number"),
    *("shop_name", "staff_name", "contact_phone", "contact_hours", "last_item_short_name"),
)
"""In the order a letter needs them; any other that a text may use may be written by hand."""


def offered() -> tuple[Placeholder, ...]:
    """Placeholders for the picker beside a letter."""
    known = {one.name: one for one in PLACEHOLDERS}
    return tuple(known[name] for name in _OFFERED if name in known)


def tag_of(one: Placeholder, locale: str) -> str:
    """What is typed for it: in Japanese its Japanese name, so that nobody writes code."""
    names = (alias for alias, name in ALIASES.items() if name == one.name)
    name = next(names, one.name) if locale == "ja" else one.name
    return f"{{{{ {name} }}}}"


def fault_of(subject: str, text: str) -> tuple[str, str] | None:
    """The first thing that keeps a letter from being written, and where; None where nothing does.

    The code is ``unknown_placeholder``, ``subject_lines`` or ``not_a_letter``.
    """
    if "\n" in subject.strip() or "\r" in subject.strip():
        return "subject_lines", ""
    for part in (subject, text):
        for found in check_source(part):
            known = found.code == "unknown_placeholder"
            return ("unknown_placeholder" if known else "not_a_letter"), found.what or found.why
        if (name := _names_itself(part)) is not None:
            return "unknown_placeholder", name
    return None


def _names_itself(part: str) -> str | None:
    """A letter inside the letter would never end."""
    words = part.replace("{{", " {{ ").replace("}}", " }} ").split()
    inside = {word for word in words if canonical(word) in _OF_THE_LETTER}
    return min(inside, default=None)
