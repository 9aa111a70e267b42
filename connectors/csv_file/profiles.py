"""Profiles: what a shop's columns are called and what its words mean, as data in TOML files."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.contract import Family, NeedsPerson, PaymentKind
from connectors.csv_file import values
from connectors.csv_file.fields import FIELDS
from connectors.csv_file.statuses import check

BUILT_IN = Path(__file__).parent / "profiles"

_FOLD = str.maketrans("", "", " \t\r\n_-()[]{}「」『』【】〔〕<>\u3000\"'*")
_SUFFIX = re.compile(r"#\d+$")


def fold(header: str) -> str:
    """Fold a header name for comparison; a closing ``#2`` names the second of that name."""
    suffix = _SUFFIX.search(header)
    stem = header[: suffix.start()] if suffix else header
    folded = unicodedata.normalize("NFKC", stem).lower().translate(_FOLD)
    return folded + suffix[0] if suffix else folded


@dataclass(frozen=True, slots=True)
class Spec:
    """Where a field comes from. ``parts`` are lists of alternatives, each a folded header.

    ``first``: the first cell that is not empty. ``join``: all of them with ``sep`` between.
    ``sum``: added up, less the absolute values of ``minus``; over all ``rows`` of the order
    or once; only over rows whose ``where`` column holds one of ``words``; times ``times``.
    """

    how: str
    parts: tuple[tuple[str, ...], ...]
    sep: str = ""
    minus: tuple[tuple[str, ...], ...] = ()
    rows: bool = False
    where: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    times: tuple[str, ...] = ()
    absolute: bool = False

    def headers(self) -> set[str]:
        """Name every folded header that the field may read."""
        nested = (*self.parts, *self.minus, self.where, self.times)
        return {header for part in nested for header in part}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of an order are item lines."""

    column: tuple[str, ...]
    keep: frozenset[str] = frozenset()
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Companion:
    """A second file with the item lines: how it is recognised and joined."""

    signature: tuple[str, ...]
    key: tuple[str, ...]
    join: tuple[str, ...]
    columns: Mapping[str, Spec]


@dataclass(frozen=True, slots=True)
class Profile:
    """One shop system's order file. ``digest`` changes when its meaning changes."""

    name: str
    label: str
    family: Family
    digest: str
    columns: Mapping[str, Spec]
    signature: tuple[tuple[str, ...], ...] = ()
    """Columns that tell the profile from others; each a list of alternatives."""
    constants: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    tax_included: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    quoted: bool = True
    fallback: bool = False
    customer: bool = True
    masked_mail: bool = False
    """Any address may be the marketplace's mask: this channel's alone, never matched."""
    check_total: bool = False
    one_of: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    drop: frozenset[str] = frozenset()
    empty_words: frozenset[str] = frozenset()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    payment_kinds: Mapping[str, str] = field(default_factory=dict)
    lines: RowFilter | None = None
    companion: Companion | None = None
    refuse: str = ""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Folded header to the header as the shop system writes it, for messages."""

    def unsigned(self, folded: Container[str]) -> tuple[str, ...]:
        """Name the signing columns that a header lacks."""
        return tuple(part[0] for part in self.signature if not any(h in folded for h in part))

    def known(self) -> frozenset[str]:
        """Every folded header the profile knows, companion aside."""
        found = {header for part in self.signature for header in part}
        found |= set(self.drop) | set(self.group_by)
        for spec in self.columns.values():
            found |= spec.headers()
        return frozenset(found | set(self.lines.column if self.lines else ()))


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles at hand, by name; the shop's own replace built-in ones of the same name."""

    by_name: Mapping[str, Profile]

    def get(self, name: str) -> Profile:
        """Find a profile; raises NeedsPerson that lists the names."""
        found = self.by_name.get(name)
        if found is None:
            names = ", ".join(sorted(self.by_name))
            raise NeedsPerson(
                f"プロファイル「{name}」がありません。There is no profile {name!r}.",
                f"次から選んでください。Choose one of: {names}.",
            )
        return found


def load_profiles(*folders: Path) -> Profiles:
    """Read the built-in profiles and those of ``folders``.

    Raises NeedsPerson naming the file and the key that is wrong.
    """
    raw: dict[str, tuple[dict[str, Any], Path]] = {}
    for folder in (BUILT_IN, *folders):
        for path in sorted(folder.glob("*.toml")):
            table = _toml(path)
            raw[str(table.get("name", path.stem))] = (table, path)
    found = {name: _profile(name, _extended(name, raw), path) for name, (_, path) in raw.items()}
    return Profiles(found)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, str(error)) from error


def _wrong(path: Path, reason: str) -> NeedsPerson:
    return NeedsPerson(
        f"{path}: プロファイルを読めません。The profile cannot be read: {reason}",
        "connectors/csv_file/README.md の書き方に合わせて直してください。"
        "Mend it after the pattern in connectors/csv_file/README.md.",
    )


def _extended(
    name: str, raw: Mapping[str, tuple[dict[str, Any], Path]], seen: tuple[str, ...] = ()
) -> dict[str, Any]:
    table, path = raw[name]
    parent = table.get("extends")
    if parent is None:
        return table
    if parent not in raw or parent in (*seen, name):
        raise _wrong(path, f"extends names {parent!r}, which is not there or extends this one")
    return _merged(_extended(parent, raw, (*seen, name)), table)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        old = both.get(key)
        both[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    both.pop("extends", None)
    if "fallback" not in over:
        both.pop("fallback", None)
    return both


_KEYS = frozenset(
    [
        "name",
        "label",
        "family",
        "zone",
        "tax_included",
        "encoding",
        "delimiter",
        "quoted",
        "fallback",
        "customer",
        "masked_mail",
        "check_total",
        "one_of",
        "group_by",
        "drop",
        "empty_words",
        "signature",
        "constants",
        "columns",
        "lines",
        "companion",
        "refuse",
        "extends",
        "payment_map",
        "status_map",
        "payment_status_map",
        "fulfilment_status_map",
        "cancel_status_map",
    ]
)


def _profile(name: str, table: Mapping[str, Any], path: Path) -> Profile:
    unknown = set(table) - _KEYS
    if unknown:
        raise _wrong(path, f"unknown key {min(unknown)!r}")
    try:
        made = _made(name, table)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _wrong(path, str(error)) from error
    if "order_number" not in made.columns and not made.refuse:
        raise _wrong(path, "columns.order_number is missing")
    return made


def _made(name: str, table: Mapping[str, Any]) -> Profile:
    lines = table.get("lines")
    other = table.get("companion")
    digest = hashlib.sha256(repr(sorted(table.items())).encode()).hexdigest()[:16]
    if table.get("zone"):
        values.zone_of(table["zone"])
    return Profile(
        name=name,
        label=table.get("label", name),
        family=Family(table.get("family", "own")),
        digest=digest,
        columns=_specs(table.get("columns", {})),
        signature=tuple(_alternatives(part) for part in table.get("signature", ())),
        constants=dict(table.get("constants", {})),
        zone=table.get("zone"),
        tax_included=bool(table.get("tax_included", True)),
        encoding=table.get("encoding"),
        delimiter=table.get("delimiter"),
        quoted=bool(table.get("quoted", True)),
        fallback=bool(table.get("fallback", False)),
        customer=bool(table.get("customer", True)),
        masked_mail=bool(table.get("masked_mail", False)),
        check_total=bool(table.get("check_total", False)),
        one_of=tuple(table.get("one_of", ())),
        group_by=_alternatives(table.get("group_by", ())),
        drop=frozenset(fold(h) for h in table.get("drop", ())),
        empty_words=frozenset(table.get("empty_words", ())),
        words={
            kind: _states(table.get(f"{kind}_map", {}))
            for kind in ("status", "payment_status", "fulfilment_status", "cancel_status")
        },
        payment_kinds={
            values.word(k): PaymentKind(v).value for k, v in table.get("payment_map", {}).items()
        },
        lines=_row_filter(lines) if lines else None,
        companion=_companion(other) if other else None,
        refuse=table.get("refuse", ""),
        spelled={fold(text): text for text in reversed(_strings(table))},
    )


def _strings(value: Any) -> list[str]:
    """Collect every text of the columns and the signature."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        chosen = [value[key] for key in ("columns", "signature") if key in value]
        return _strings(chosen or list(value.values()))
    return [text for one in value for text in _strings(one)] if isinstance(value, list) else []


def _states(table: Mapping[str, str]) -> dict[str, str]:
    """Check ``word = "life/payment/fulfilment"``; ``-`` says nothing, ``unfinished`` rejects."""
    return {values.word(key): check(value) for key, value in table.items()}


def _row_filter(table: Mapping[str, Any]) -> RowFilter:
    return RowFilter(
        _alternatives(table["column"]),
        frozenset(values.word(w) for w in table.get("keep", ())),
        tuple(values.word(w) for w in table.get("skip", ())),
    )


def _companion(table: Mapping[str, Any]) -> Companion:
    return Companion(
        tuple(fold(h) for h in table["signature"]),
        _alternatives(table["key"]),
        _alternatives(table["join"]),
        _specs(table["columns"]),
    )


def _specs(table: Mapping[str, Any]) -> dict[str, Spec]:
    unknown = set(table) - FIELDS
    if unknown:
        raise ValueError(f"unknown field {min(unknown)!r} in columns")
    return {name: _spec(value) for name, value in table.items()}


def _alternatives(value: str | Iterable[str]) -> tuple[str, ...]:
    return (fold(value),) if isinstance(value, str) else tuple(fold(v) for v in value)


def _spec(value: Any) -> Spec:
    if not isinstance(value, dict):
        return Spec("first", (_alternatives(value),))
    unknown = set(value) - {
        "join",
        "with",
        "sum",
        "minus",
        "rows",
        "where",
        "words",
        "times",
        "absolute",
    }
    if unknown:
        raise ValueError(f"unknown key {min(unknown)!r} in a column")
    how = "join" if "join" in value else "sum"
    return Spec(
        how,
        tuple(_alternatives(part) for part in value[how]),
        value.get("with", ""),
        tuple(_alternatives(part) for part in value.get("minus", ())),
        bool(value.get("rows", False)),
        _alternatives(value.get("where", ())),
        frozenset(values.word(w) for w in value.get("words", ())),
        _alternatives(value.get("times", ())),
        bool(value.get("absolute", False)),
    )
