"""Which line is the header, and whose file it is: told by the column names alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.contract import NeedsPerson
from connectors.csv_file.columns import Layout, folded_names, unique_names
from connectors.csv_file.profiles import Profile, Profiles
from connectors.csv_file.reading import Source
from connectors.kit.tables import DELIMITERS, BrokenTable, Dialect, Row, rows

_LOOK = 20
_PREFIX = 1024 * 1024
_STATUS = ("status", "payment_status", "fulfilment_status", "paid_at")


class ItemFileAlone(NeedsPerson):
    """The second file of a pair was given where the order file was expected."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header line: its number, its dialect, and the columns by unique name."""

    line: int
    dialect: Dialect
    names: tuple[str, ...]


def find_header(source: Source, profiles: Iterable[Profile], most_columns: int) -> Header:
    """Find the line among the first twenty that holds the most known names.

    Raises NeedsPerson where no line holds any, or the table is too wide.
    """
    profiles = list(profiles)
    known = frozenset().union(*(_names_of(profile) for profile in profiles))
    best: tuple[int, int, Header] | None = None
    for dialect in _dialects(source, profiles):
        for row in _first_rows(source, dialect):
            score = len(known & folded_names(row.cells).keys())
            if best is None or (score, len(row.cells)) > best[:2]:
                best = (score, len(row.cells), Header(row.line, dialect, tuple(row.cells)))
    if best is None:
        raise _no_header(source)
    if best[1] > most_columns:
        raise NeedsPerson(
            f"{source.place}:{best[2].line}: 列が {best[1]} 個あります (上限 {most_columns})。"
            f"The table has {best[1]} columns, at most {most_columns} are read.",
            "区切り文字と出力項目を確かめてください。Check the delimiter and the chosen columns.",
        )
    if best[0] == 0:
        raise _no_header(source)
    return Header(best[2].line, best[2].dialect, unique_names(best[2].names))


def _names_of(profile: Profile) -> frozenset[str]:
    other = profile.companion
    if other is None:
        return profile.known()
    return profile.known() | set(other.signature) | set(other.key)


def _dialects(source: Source, profiles: Sequence[Profile]) -> list[Dialect]:
    if source.grid is not None:
        return [Dialect()]
    if len(profiles) == 1 and profiles[0].delimiter:
        return [Dialect(profiles[0].delimiter, profiles[0].quoted)]
    return [Dialect(delimiter) for delimiter in DELIMITERS]


def _first_rows(source: Source, dialect: Dialect) -> list[Row]:
    found: list[Row] = []
    table = source.rows(dialect) if source.grid else rows(source.text[:_PREFIX], dialect)
    try:
        for row in table:
            if len(found) == _LOOK or row.line > 3 * _LOOK:
                break
            found.append(row)
    except BrokenTable:  # what came before it may still hold the header
        return found
    return found


def _no_header(source: Source) -> NeedsPerson:
    return NeedsPerson(
        f"{source.place}:1: 見出しの行が見つかりません。No header line was found.",
        "1 行目に項目名のあるファイルを出力してください。Export the file with its column names.",
    )


def recognise(
    place: str, header: Header, profiles: Profiles, wanted: str | None
) -> tuple[Profile, Layout]:
    """Choose the profile by its header, or check the wanted one.

    Raises NeedsPerson: unknown (with the nearest profile and what it lacks), ambiguous,
    a required column missing, an item file alone, an obsolete layout.
    """
    chosen = profiles.get(wanted) if wanted else _choose(place, header, profiles)
    if chosen.refuse:
        raise NeedsPerson(f"{place}:{header.line}: {chosen.label}", chosen.refuse)
    layout = Layout(chosen, header.names)
    lacking = required_missing(layout, header)
    if lacking:
        if wanted and _is_item_file(chosen, folded_names(header.names)):
            raise _item_file(place, chosen)
        raise _missing(place, header, chosen, lacking)
    return chosen, layout


def _choose(place: str, header: Header, profiles: Profiles) -> Profile:
    folded = folded_names(header.names)
    signed = [
        profile
        for profile in profiles.by_name.values()
        if not profile.fallback and profile.signature and not profile.unsigned(folded)
    ]
    if signed:
        return _best(place, header, signed, folded)
    for profile in profiles.by_name.values():
        if _is_item_file(profile, folded):
            raise _item_file(place, profile)
    spare = [
        profile
        for profile in profiles.by_name.values()
        if (profile.fallback or not profile.signature)
        and not profile.refuse
        and not required_missing(Layout(profile, header.names), header)
    ]
    if not spare:
        raise _unknown(place, header, profiles)
    return _best(place, header, spare, folded)


def _best(place: str, header: Header, among: list[Profile], folded: dict[str, str]) -> Profile:
    scores = sorted(
        ((len(p.known() & folded.keys()), not p.fallback, p.name, p) for p in among),
        key=lambda one: one[:3],
        reverse=True,
    )
    if len(scores) > 1 and scores[0][:2] == scores[1][:2]:
        names = [name for count, own, name, _ in scores if (count, own) == scores[0][:2]]
        raise NeedsPerson(
            f"{place}:{header.line}: 複数のプロファイルに当てはまります: {'、'.join(names)}。"
            "More than one profile fits.",
            "--profile で指定してください。Choose one with --profile.",
        )
    return scores[0][3]


def _is_item_file(profile: Profile, folded: dict[str, str]) -> bool:
    other = profile.companion
    return other is not None and set(other.signature) <= folded.keys()


def _item_file(place: str, profile: Profile) -> ItemFileAlone:
    return ItemFileAlone(
        f"{place}: {profile.label}の商品ファイルです。This is the item file of a pair.",
        "注文ファイルと商品ファイルの両方を指定してください。"
        "Give both: the order file, and this one as its companion.",
    )


def required_missing(layout: Layout, header: Header) -> tuple[str, ...]:
    """Name what the profile cannot do without: columns it signs by, fields without constant."""
    profile, found = layout.profile, layout.found
    folded = folded_names(header.names)
    lacking = list(profile.unsigned(folded))
    lacking += [field for field in ("order_number", "ordered_at") if field not in found]
    if profile.one_of and not any(field in found for field in profile.one_of):
        lacking.append(" / ".join(profile.one_of))
    if "status" not in profile.constants and not any(field in found for field in _STATUS):
        lacking.append("status")
    lacking += [f for f in ("total", "currency") if f not in found and f not in profile.constants]
    return tuple(lacking)


def _missing(place: str, header: Header, profile: Profile, lacking: tuple[str, ...]) -> NeedsPerson:
    listed = "、".join(_as_header(profile, field) for field in lacking)
    return NeedsPerson(
        f"{place}:{header.line}: {profile.label} に必要な列がありません: {listed}。"
        f"The profile {profile.name} misses columns: {listed}.",
        "その列を含めて出力し直すか、プロファイルの [constants] に決まった値を書いてください。"
        "Export them too, or declare a constant in the profile's [constants].",
    )


def _as_header(profile: Profile, field: str) -> str:
    spec = profile.columns.get(field)
    if spec and spec.parts and spec.parts[0]:
        return f"{field} ({profile.spelled.get(spec.parts[0][0], field)})"
    return profile.spelled.get(field, field)


def _unknown(place: str, header: Header, profiles: Profiles) -> NeedsPerson:
    folded = folded_names(header.names)
    nearest = min(
        (p for p in profiles.by_name.values() if not p.refuse),
        key=lambda p: (
            len(required_missing(Layout(p, header.names), header)),
            -len(p.known() & folded.keys()),
        ),
    )
    lacking = required_missing(Layout(nearest, header.names), header)
    listed = "、".join(_as_header(nearest, field) for field in lacking)
    return NeedsPerson(
        f"{place}:{header.line}: どのプロファイルにも当てはまりません。"
        f"最も近いのは {nearest.label} で、足りない列: {listed}。"
        f"No profile fits; the nearest is {nearest.name}, which lacks: {listed}.",
        "出力項目を足すか、自分のプロファイル (TOML) を作ってください。"
        "Export more columns, or write a profile of your own (TOML).",
    )
