"""Writes what was typed into a page of the settings over the drafts, or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from worker.documents import DocumentsWrong, Problem
from worker.pipeline.settings_checks import check_values
from worker.pipeline.settings_drafts import Working
from worker.pipeline.settings_fields import Field, FieldWrong, Kind
from worker.pipeline.settings_tabs import Shop, documents_of, fields_of
from worker.pipeline.settings_toml import NotToml, Sheet
from worker.rules.states import ReviewMode

Typed = Mapping[str, Sequence[str]]
"""What came with the form: field name to its values."""


@dataclass
class Edited:
    """``errors`` by field name; under an empty name what belongs to no field of the page."""

    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[FieldWrong]] = field(default_factory=dict)

    def wrong(self, name: str, error: FieldWrong) -> None:
        """Note what is wrong with a field."""
        self.errors.setdefault(name, []).append(error)


class UnknownAct(ValueError):
    """A button that this page does not have, or for a row that is gone."""


def edit_page(working: Working, shop: Shop, tab: str, typed: Typed, act: str = "") -> Edited:
    """The page's documents with what was typed, and with a row added, taken out or moved.

    Fields that did not come stay as they are. Where anything is wrong, nothing may be kept.
    Raises UnknownAct.
    """
    sheets = {name: Sheet(working.text(name)) for name in documents_of(tab)}
    edited = Edited()
    for one in fields_of(tab, working.data, shop).values():
        if one.name in typed:
            _put(sheets[one.document], one, typed[one.name], edited)
    if act:
        try:
            _act(sheets, tab, act)
        except FieldWrong as error:
            edited.wrong("", error)
    edited.texts = {name: sheet.text() for name, sheet in sheets.items()}
    _check(working, shop, tab, edited)
    return edited


def _put(sheet: Sheet, one: Field, typed: Sequence[str], edited: Edited) -> None:
    try:
        value = one.read(typed)
    except FieldWrong as error:
        edited.wrong(one.name, error)
        return
    if (one.besides or one.kind is Kind.PICKS) and one.same(
        value, sheet.get(one.path, one.default)
    ):
        return
    inherits = one.kind is Kind.CHOICE and value == "" and one.document == "senders"
    if value is None or inherits:
        sheet.drop(one.path)
    else:
        sheet.put(one.path, value, one.default)


def _check(working: Working, shop: Shop, tab: str, edited: Edited) -> None:
    data = {**working.data, **{name: Sheet(text).data() for name, text in edited.texts.items()}}
    unread = set(edited.errors)
    for name, error in check_values(tab, data):
        if name not in unread:
            edited.wrong(name, error)
    if edited.errors:
        return
    try:
        working.documents(**edited.texts)
    except DocumentsWrong as wrong:
        present = fields_of(tab, data, shop)
        for problem in wrong.problems:
            name = _field_of(problem)
            known = name if name in present else ""
            place = f"{document_of(problem)}.toml {problem.key}".strip()
            edited.wrong(known, FieldWrong("document", place=place, text=problem.text))


def document_of(problem: Problem) -> str:
    """Short name of the document that a problem is in."""
    return problem.file.rpartition("/")[2].removesuffix(".toml")


def _field_of(problem: Problem) -> str:
    return f"{document_of(problem)}.{problem.key}"


def edit_text(working: Working, name: str, text: str) -> Edited:
    """One document as a whole text, for what has no form; CRLF of a browser becomes LF."""
    edited = Edited(texts={name: re.sub(r"\r\n?", "\n", text).rstrip("\n") + "\n"})
    try:
        working.documents(**edited.texts)
        Sheet(edited.texts[name])
    except NotToml as error:
        edited.wrong("", FieldWrong("document", place=f"{name}.toml", text=str(error)))
    except DocumentsWrong as wrong:
        for problem in wrong.problems:
            line = f":{problem.line}" if problem.line else ""
            place = f"{document_of(problem)}.toml{line} {problem.key}".strip()
            edited.wrong("", FieldWrong("document", place=place, text=problem.text))
    return edited


# --- rows -------------------------------------------------------------------------------------


def _act(sheets: Mapping[str, Sheet], tab: str, act: str) -> None:
    name, *rest = act.split("/")
    known = _ACTS.get((tab, name))
    if known is None:
        raise UnknownAct(act)
    document, change = known
    try:
        change(sheets[document], *rest)
    except FieldWrong:
        raise
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise UnknownAct(act) from error


def _add_rung(sheet: Sheet) -> None:
    rungs = sheet.get(("rungs",), [])
    taken = {rung["id"] for rung in rungs}
    number = next(n for n in range(2, 99) if f"rank{n}" not in taken)
    values = {"id": f"rank{number}", "label": f"ランク{number}", "label_en": f"Rank {number}"}
    place = min(1, len(rungs) - 1)
    # The words of the rank beside it, until it has a folder of texts of its own.
    values["text"] = rungs[place].get("text") or rungs[place]["id"]
    sheet.append(("rungs",), {**values, "min_visit": 2}, place)
    sheet.put(("rungs", place, "any_of"), [{"orders": 3, "months": 24}])


def _remove_rung(sheet: Sheet, place: str) -> None:
    if int(place) >= len(sheet.get(("rungs",), [])) - 1:
        raise IndexError(place)
    sheet.drop(("rungs", int(place)))


def _up_rung(sheet: Sheet, place: str) -> None:
    if not 0 < int(place) < len(sheet.get(("rungs",), [])) - 1:
        raise IndexError(place)
    sheet.swap(("rungs",), int(place) - 1, int(place))


def _add_condition(sheet: Sheet, place: str) -> None:
    path = ("rungs", int(place), "any_of")
    if int(place) >= len(sheet.get(("rungs",), [])) - 1:
        raise IndexError(place)
    values = {"orders": 3, "spend": 30000, "months": 24}
    if sheet.get(path) is None:
        sheet.put(path, [values])
    else:
        sheet.append(path, values)


def _remove_condition(sheet: Sheet, place: str, number: str) -> None:
    sheet.drop(("rungs", int(place), "any_of", int(number)))


def _take_proposal(sheet: Sheet, orders: str, spend: str) -> None:
    path = ("rungs", 0, "any_of", 0)
    if not sheet.get(("rungs", 0, "any_of")):
        raise IndexError(path)
    sheet.put((*path, "orders"), int(orders))
    sheet.put((*path, "spend"), int(spend))


def _split_sender(sheet: Sheet, channel: str) -> None:
    if channel and sheet.get(("channels", channel)) is None:
        sheet.put(("channels", channel), {})


def _join_sender(sheet: Sheet, channel: str) -> None:
    sheet.drop(("channels", channel))


def _add_review(sheet: Sheet) -> None:
    sheet.append(("rules",), {"kinds": ["order_thanks"], "mode": ReviewMode.REVIEW.value}, 0)


def _remove_row(path: tuple[str, ...]) -> Callable[[Sheet, str], None]:
    def remove(sheet: Sheet, place: str) -> None:
        if int(place) < 0:
            raise IndexError(place)
        sheet.drop((*path, int(place)))

    return remove


def _up_review(sheet: Sheet, place: str) -> None:
    if int(place) < 1:
        raise IndexError(place)
    sheet.swap(("rules",), int(place) - 1, int(place))


def _trust(sheet: Sheet, kind: str, rank: str, family: str, mode: str, percent: str) -> None:
    values: dict[str, Any] = {"kinds": [kind], "families": [family], "mode": mode}
    if rank:
        values["ranks"] = [rank]
    sheet.append(("rules",), {**values, "sample_percent": int(percent)}, 0)


def _add_busy(sheet: Sheet, first: str, last: str) -> None:
    days = Field("shop", (), Kind.DAY, None, required=True)
    begin, end = days.read([first]), days.read([last])
    if end < begin:
        raise FieldWrong("day_span")
    after = end + timedelta(days=1)
    line = (
        f"{begin.month}月{begin.day}日から{end.month}月{end.day}日まで休業のため、"
        f"お返事は{after.month}月{after.day}日以降になります。"
    )
    line_en = (
        f"We are closed from {begin:%B} {begin.day} to {end:%B} {end.day} "
        f"and will answer from {after:%B} {after.day}."
    )
    values = {"first": begin, "last": end, "line": line, "line_en": line_en}
    sheet.append(("calendar", "busy"), values)


_ACTS: dict[tuple[str, str], tuple[str, Callable[..., None]]] = {
    ("ranks", "add_rung"): ("ranks", _add_rung),
    ("ranks", "remove_rung"): ("ranks", _remove_rung),
    ("ranks", "up_rung"): ("ranks", _up_rung),
    ("ranks", "add_condition"): ("ranks", _add_condition),
    ("ranks", "remove_condition"): ("ranks", _remove_condition),
    ("ranks", "take"): ("ranks", _take_proposal),
    ("ranks", "split"): ("senders", _split_sender),
    ("ranks", "join"): ("senders", _join_sender),
    ("review", "add_rule"): ("review", _add_review),
    ("review", "remove_rule"): ("review", _remove_row(("rules",))),
    ("review", "up_rule"): ("review", _up_review),
    ("review", "trust"): ("review", _trust),
    ("calendar", "add_busy"): ("shop", _add_busy),
    ("calendar", "remove_busy"): ("shop", _remove_row(("calendar", "busy"))),
}
