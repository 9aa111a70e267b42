"""The fields of a settings page as they are drawn: value, what is in force, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from console.words import Words
from worker.pipeline.settings_drafts import Working
from worker.pipeline.settings_edit import Typed
from worker.pipeline.settings_fields import Field, FieldWrong, Kind, shown
from worker.pipeline.settings_tabs import Shop, fields_of
from worker.pipeline.settings_toml import value_at


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list, or one tick of several."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """``was`` is what is in force where the draft says something else; ``label`` names it."""

    name: str
    kind: str
    value: str
    label: str
    choices: tuple[Choice, ...] = ()
    was: str = ""
    changed: bool = False
    errors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """For labels; a name holds signs that an id should not."""
        return "f-" + "".join(c if c.isalnum() or c == "-" else "-" for c in self.name)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: words, or a field in it."""

    text: str = ""
    field: FieldView | None = None


class Form:
    """All fields of a page by name."""

    def __init__(
        self,
        working: Working,
        shop: Shop,
        words: Words,
        typed: Typed | None = None,
        errors: Mapping[str, Sequence[FieldWrong]] | None = None,
    ) -> None:
        self.working, self.shop, self.words = working, shop, words
        self.typed, self.errors = typed or {}, errors or {}
        self.labels = Labels(words, working)

    def fields(self, tab: str) -> dict[str, FieldView]:
        """The page's fields as they are drawn."""
        return {
            name: self._view(field)
            for name, field in fields_of(tab, self.working.data, self.shop).items()
        }

    def general_errors(self, present: Mapping[str, FieldView]) -> tuple[str, ...]:
        """What is wrong and belongs to no field of the page."""
        return tuple(
            self._told(wrong)
            for name, wrongs in self.errors.items()
            if name not in present
            for wrong in wrongs
        )

    def _view(self, field: Field) -> FieldView:
        present = self._value(self.working.data, field)
        before = self._value(self.working.published_data, field)
        comparable = _same_rows(self.working, field)
        changed = comparable and not field.same(present, before)
        chosen = self.typed.get(field.name)
        picked = set(map(str, present)) if field.kind is Kind.PICKS else {str(present)}
        value = shown(field.kind, present)
        if chosen is not None:
            picked, value = set(chosen), chosen[-1]
        return FieldView(
            name=field.name,
            kind=field.kind.value,
            value=value,
            label=self.labels.field(field),
            choices=tuple(
                Choice(str(each), self.labels.choice(field, each), str(each) in picked)
                for each in field.choices
            ),
            was=self._was(field, before) if changed else "",
            changed=changed,
            errors=tuple(self._told(wrong) for wrong in self.errors.get(field.name, ())),
        )

    def _value(self, data: Mapping[str, Any], field: Field) -> Any:
        return field.own(value_at(data[field.document], field.path, field.default))

    def _was(self, field: Field, before: Any) -> str:
        if field.kind is Kind.FLAG:
            return self.words("settings.on" if before else "settings.off")
        if field.kind is Kind.CHOICE:
            return self.labels.choice(field, before)
        if field.kind is Kind.PICKS:
            return self.words("app.comma").join(self.labels.choice(field, v) for v in before) or (
                self.words("settings.none_picked")
            )
        text = shown(field.kind, before).replace("\n", self.words("app.comma"))
        return text or self.words("settings.empty")

    def _told(self, wrong: FieldWrong) -> str:
        return self.words(f"settings_error.{wrong.code}", **wrong.values)


def _same_rows(working: Working, field: Field) -> bool:
    """Whether the lists on the way have as many rows: else a place means another row."""
    for depth, step in enumerate(field.path):
        if isinstance(step, int):
            path = field.path[:depth]
            one = value_at(working.data[field.document], path, [])
            other = value_at(working.published_data[field.document], path, [])
            if len(one) != len(other) or _ids(one) != _ids(other):
                return False
    return True


def _ids(rows: Sequence[Any]) -> list[Any]:
    return [row.get("id") if isinstance(row, Mapping) else None for row in rows]


class Labels:
    """How fields and what can be chosen in them are called."""

    def __init__(self, words: Words, working: Working) -> None:
        self.words = words
        key = "label" if words.locale == "ja" else "label_en"
        rungs = value_at(working.data, ("ranks", "rungs"), [])
        self.ranks = {rung.get("id", ""): rung.get(key, "") for rung in rungs}

    def field(self, field: Field) -> str:
        """For a screen reader, and where the field stands alone."""
        names = [step for step in field.path if isinstance(step, str)]
        for key in (f"settings_field.{field.document}-{names[-1]}", f"settings_field.{names[-1]}"):
            if self.words.has(key):
                return self.words(key)
        if field.document == "senders":
            return f"{self.place(names[1])} {self.words(f'kind.{names[2]}')}"
        return names[-1]

    def choice(self, field: Field, value: Any) -> str:
        """What a line of the field says."""
        last = field.path[-1]
        if last == "ranks":
            return str(self.ranks.get(str(value), value))
        if last in ("closed_weekdays", "weekdays"):
            return self.words(f"weekday.{value}")
        if field.document == "senders" and value == "":
            return self.words("settings.like_family")
        group = _GROUPS.get((field.document, str(last))) or _GROUPS.get((field.document, ""), "")
        key = f"{group}.{value}"
        if self.words.has(key):
            return self.words(key)
        return str(value) or self.words("settings.automatic")

    def place(self, name: str) -> str:
        """A family, or a channel by its family and own name."""
        family, _, channel = name.partition(":")
        key = f"family.{family}"
        plain = self.words(key) if self.words.has(key) else family
        return f"{plain} {channel}".strip()


_GROUPS = {
    ("senders", ""): "sender",
    ("mails", "families"): "family",
    ("review", "families"): "family",
    ("review", "kinds"): "kind",
    ("review", "mode"): "mode",
    ("policy", "verdict"): "verdict",
    ("policy", "as_ad"): "verdict",
    ("shop", "locale"): "language",
}


def sentence(words: Words, key: str, fields: Mapping[str, FieldView]) -> tuple[Part, ...]:
    """A rule as a sentence with fields in it; ``fields`` by the names in the sentence."""
    return tuple(_parts(words.entries[key], fields))


def _parts(entry: str, fields: Mapping[str, FieldView]) -> Iterator[Part]:
    for text, name, _spec, _conversion in Formatter().parse(entry):
        if text:
            yield Part(text=text)
        if name:
            yield Part(field=fields[name])
