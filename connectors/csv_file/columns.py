"""A profile laid over one header: which cell feeds which field, resolved once per header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from connectors.csv_file.profiles import Profile, Spec, fold
from connectors.csv_file.values import plain, word

Cells = Mapping[str, str]
Getter = Callable[[Cells], str]


def unique_names(header: Sequence[str]) -> tuple[str, ...]:
    """Name the columns for storage: a repeated name gets ``#2``, a missing one its position."""
    seen: dict[str, int] = {}
    names = []
    for position, cell in enumerate(header, start=1):
        name = plain(cell) or f"#{position}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(names)


def folded_names(names: Iterable[str]) -> dict[str, str]:
    """Map folded header to column name; names that fold alike are numbered like repeats."""
    found: dict[str, str] = {}
    for name in names:
        key, number = fold(name), 2
        while key in found:
            key, number = f"{fold(name)}#{number}", number + 1
        found[key] = name
    return found


def first_of(names: Sequence[str]) -> Getter:
    """Read the first of several columns whose cell is not empty."""
    if len(names) == 1:
        return itemgetter(names[0])

    def get(cells: Cells) -> str:
        for name in names:
            cell = cells[name]
            if cell and not cell.isspace():
                return cell
        return ""

    return get


def joined(getters: Sequence[Getter], sep: str) -> Getter:
    """Join the cells that are not empty."""

    def get(cells: Cells) -> str:
        return sep.join([cell for cell in [plain(one(cells)) for one in getters] if cell])

    return get


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount that is added up from several cells, of one row or of all rows."""

    plus: tuple[Getter, ...]
    minus: tuple[Getter, ...]
    rows: bool
    where: Getter | None
    words: frozenset[str]
    times: Getter | None
    absolute: bool

    def wants(self, cells: Cells) -> bool:
        """Tell whether this row takes part."""
        return self.where is None or word(self.where(cells)) in self.words


class Layout:
    """The columns of one header as a profile understands them."""

    def __init__(self, profile: Profile, names: Sequence[str]) -> None:
        self._known = folded_names(names)
        self.profile = profile
        self.found = {field: spec for field, spec in profile.columns.items() if self._present(spec)}
        self.row_filter = first_of(found) if (found := self._lines()) else None

    def _lines(self) -> list[str]:
        lines = self.profile.lines
        return self.columns(lines.column) if lines else []

    def columns(self, alternatives: Iterable[str]) -> list[str]:
        """Name the columns of this header among the alternatives, in the profile's order."""
        return [self._known[a] for a in alternatives if a in self._known]

    def _present(self, spec: Spec) -> bool:
        if spec.where and not self.columns(spec.where):
            return False
        return any(self.columns(part) for part in (*spec.parts, *spec.minus))

    def getter(self, field: str) -> Getter | None:
        """Give the reader of a text field, or None where the header lacks it."""
        spec = self.found.get(field)
        if spec is None:
            return None
        parts = [first_of(found) for part in spec.parts if (found := self.columns(part))]
        return parts[0] if len(parts) == 1 else joined(parts, spec.sep)

    def sum(self, field: str) -> Sum | None:
        """Give the adding-up of a money field, or None where it is a plain cell or lacking."""
        spec = self.found.get(field)
        if spec is None or spec.how != "sum":
            return None
        return Sum(
            tuple(first_of(found) for part in spec.parts if (found := self.columns(part))),
            tuple(first_of(found) for part in spec.minus if (found := self.columns(part))),
            spec.rows,
            first_of(found) if (found := self.columns(spec.where)) else None,
            spec.words,
            first_of(found) if (found := self.columns(spec.times)) else None,
            spec.absolute,
        )

    def shown(self, field: str) -> str:
        """Name the columns of a field for a message."""
        spec = self.found.get(field)
        named = [n for part in spec.parts for n in self.columns(part)] if spec else []
        return ", ".join(named) or field

    def order_columns(self, fields: Iterable[str]) -> tuple[str, ...]:
        """Name the columns that feed the given fields."""
        named: dict[str, None] = {}
        for field in fields:
            spec = self.found.get(field)
            for part in spec.parts if spec else ():
                named.update(dict.fromkeys(self.columns(part)))
        return tuple(named)

    def unknown_columns(self) -> tuple[str, ...]:
        """Name the columns that the profile does not know."""
        known = self.profile.known()
        return tuple(name for key, name in self._known.items() if key not in known)

    def knows(self, name: str) -> bool:
        """Tell whether some field reads the column."""
        key = fold(name)
        return any(key in spec.headers() for spec in self.found.values())
