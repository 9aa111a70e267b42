"""Rows to orders over the whole file: two passes, so that memory holds open orders only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from connectors.contract import BadRecord, RawOrder
from connectors.csv_file import values
from connectors.csv_file.columns import folded_names
from connectors.csv_file.mapping import Plan
from connectors.csv_file.profiles import Profile, fold
from connectors.csv_file.reading import Source
from connectors.csv_file.values import BadValue
from connectors.kit.tables import Dialect, Row, one_by_one

_STEP = 1000

Found = tuple[str | None, RawOrder | BadRecord]
Key = tuple[str, str]


class Table:
    """The rows under a header; each fits it, or is rejected with its line."""

    def __init__(
        self, source: Source, dialect: Dialect, header_line: int, names: Sequence[str]
    ) -> None:
        self.names = tuple(names)
        self.date1904 = bool(source.grid and source.grid.date1904)
        self._source, self._dialect, self._header_line = source, dialect, header_line
        self._known = folded_names(names)

    def has(self, folded: Iterable[str]) -> bool:
        """Tell whether all of these folded headers are there."""
        return all(one in self._known for one in folded)

    def positions(self, folded: Iterable[str]) -> list[int]:
        """Give the places of those of the folded headers that are there."""
        return [self.names.index(self._known[one]) for one in folded if one in self._known]

    def kept(self, drop: frozenset[str]) -> tuple[str, ...]:
        """Name the columns that may be stored."""
        return tuple(name for name in self.names if fold(name) not in drop)

    def rows(self) -> Iterator[Row | BadRecord]:
        """Yield rows of the header's width; others come as BadRecord, never shifted."""
        width = len(self.names)
        for row in self._source.rows(self._dialect, skip_lines=self._header_line):
            if len(row.cells) == width and not row.raw:
                if any(row.cells):
                    yield row
            else:
                yield from self._odd(row, width)

    def _odd(self, row: Row, width: int) -> Iterator[Row | BadRecord]:
        """Mend what a lone quotation mark merged; a sound cell with line breaks passes."""
        if self._source.grid is not None and len(row.cells) < width:
            yield Row(row.line, row.cells + [""] * (width - len(row.cells)))
            return
        if row.raw and (row.never_closed() or row.swallows(self._dialect)):
            pieces = list(one_by_one(row, self._dialect))
            if row.never_closed() or all(len(piece.cells) == width for piece in pieces):
                for piece in pieces:
                    yield piece if len(piece.cells) == width else self._wrong(piece, width)
                return
        yield row if len(row.cells) == width else self._wrong(row, width)

    def _wrong(self, row: Row, width: int) -> BadRecord:
        return BadRecord(
            "wrong_cell_count",
            f"The row has {len(row.cells)} cells, the header {width}; "
            "often a stray comma, quotation mark or total line.",
            position=f"line {row.line}",
            payload={"lines": [row.line], "cells": row.cells},
            reason_ja=f"セルが {len(row.cells)} 個で、見出しの {width} 個と合いません。"
            "余分な区切りや引用符、合計行を確かめてください。",
        )


class Grouping:
    """Gathers the rows of each order, wherever they stand, and cuts RawOrders."""

    def __init__(self, table: Table, profile: Profile, plan: Plan, items: Table | None) -> None:
        self._table, self._profile, self._items = table, profile, items
        external, number = profile.columns.get("external_id"), profile.columns["order_number"]
        parts = (*(external.parts if external else ()), *number.parts)
        self._external_at = table.positions(a for part in parts for a in part)
        self._key_at = table.positions(profile.group_by) or self._external_at
        store = profile.columns.get("store")
        self._store_at = table.positions([a for part in store.parts for a in part] if store else ())
        kept = table.kept(profile.drop)
        self._names = kept
        self._kept_at = (
            None if len(kept) == len(table.names) else [table.names.index(n) for n in kept]
        )
        self._plan = plan
        self._last: dict[Key, int] = {}
        self._items_of: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self._orphans: list[BadRecord] = []

    def prepare(self) -> None:
        """Go through the file once to learn where each order ends. Raises BrokenTable."""
        last = self._last
        for at, row in enumerate(self._table.rows()):
            if isinstance(row, Row):
                key = self._key(row)
                if isinstance(key, tuple):
                    last[key] = at
        if self._items is not None:
            self._read_items(self._items)

    def records(self, report: Callable[[int], None] | None = None) -> Iterator[Found]:
        """Yield orders and rejections in order of their first rows."""
        waiting: dict[Key | int, list[Row] | BadRecord] = {}
        done: set[Key] = set()
        at = -1
        for at, row in enumerate(self._table.rows()):
            if report and at % _STEP == 0:
                report(at)
            key = self._key(row) if isinstance(row, Row) else row
            if isinstance(key, BadRecord):
                waiting[at] = key
            elif isinstance(row, Row):
                if not waiting and self._last[key] == at:
                    yield self._cut(key, [row])
                    continue
                held = waiting.setdefault(key, [])
                if isinstance(held, list):
                    held.append(row)
                if self._last[key] == at:
                    done.add(key)
            yield from self._ready(waiting, done)
        yield from self._leftover_items()
        if report:
            report(at + 1)

    def _ready(
        self, waiting: dict[Key | int, list[Row] | BadRecord], done: set[Key]
    ) -> Iterator[Found]:
        while waiting:
            key = next(iter(waiting))
            held = waiting[key]
            if isinstance(key, int) and isinstance(held, BadRecord):
                yield None, self._named(held)
            elif isinstance(held, list) and isinstance(key, tuple) and key in done:
                done.discard(key)
                yield self._cut(key, held)
            else:
                return
            del waiting[key]

    def _named(self, bad: BadRecord) -> BadRecord:
        bad.payload.setdefault("profile", self._profile.name)
        bad.payload.setdefault("header", list(self._table.names))
        if self._kept_at is not None:
            self._purge(bad)
        return bad

    def _purge(self, bad: BadRecord) -> None:
        """Keep no personal data of a profile that must not, not even in quarantine."""
        cells = bad.payload.get("cells", [])
        kept = self._kept_at or []
        fits = len(cells) == len(self._table.names)
        bad.payload["header"] = list(self._names)
        bad.payload["cells"] = [cells[i] for i in kept] if fits else cells[:1]

    def _key(self, row: Row) -> Key | BadRecord:
        cells = row.cells
        cell = ""
        for at in self._key_at:
            cell = cells[at]
            if cell and not cell.isspace():
                break
        try:
            key = values.identifier(cell)
        except BadValue as error:
            return self._refused(row, error.code, error.reason, error.reason_ja)
        if not key:
            return self._refused(
                row,
                "no_order_number",
                "The row has no order number; often a total or note at the end of the file.",
                "注文番号がありません。ファイルの末尾の合計行や注記かもしれません。",
            )
        store = cells[self._store_at[0]].strip() if self._store_at else ""
        return store, key

    def _refused(self, row: Row, code: str, reason: str, reason_ja: str) -> BadRecord:
        return BadRecord(
            code,
            reason,
            position=f"line {row.line}",
            field_name=self._table.names[self._key_at[0]],
            payload={"lines": [row.line], "cells": row.cells},
            reason_ja=reason_ja,
        )

    def _cut(self, key: Key, rows: list[Row]) -> Found:
        store, external_id = key
        if self._key_at is not self._external_at:
            external_id = self._external(rows) or external_id
        lines = [row.line for row in rows]
        payload: dict[str, Any] = {
            "profile": self._profile.name,
            "digest": self._profile.digest,
            "rows": [self._cells(row) for row in rows],
            "lines": lines,
        }
        if self._table.date1904:
            payload["date1904"] = True
        if store:
            payload["store"] = store
        if self._items is not None:
            self._join(payload)
        return store or None, RawOrder(external_id, payload, _position(lines))

    def _external(self, rows: list[Row]) -> str:
        """Find the lasting id, which some exports write on the first row only."""
        for at in self._external_at:
            for row in rows:
                if cell := values.plain(row.cells[at]):
                    return cell.removeprefix("'")
        return ""

    def _cells(self, row: Row) -> dict[str, str]:
        if self._kept_at is None:
            return dict(zip(self._names, row.cells, strict=True))
        return {name: row.cells[at] for name, at in zip(self._names, self._kept_at, strict=True)}

    def _read_items(self, table: Table) -> None:
        assert self._profile.companion is not None
        key_at = table.positions(self._profile.companion.key)
        for row in table.rows():
            if isinstance(row, BadRecord):
                row.position = f"item file {row.position}"
                self._orphans.append(row)
                continue
            key = values.plain(row.cells[key_at[0]])
            cells = dict(zip(table.names, row.cells, strict=True))
            self._items_of.setdefault(key, []).append((row.line, cells))

    def _join(self, payload: dict[str, Any]) -> None:
        assert self._profile.companion is not None
        columns = self._plan.layout.columns(self._profile.companion.join)
        for name in columns:
            found = self._items_of.pop(values.plain(payload["rows"][0][name]), None)
            if found is not None:
                payload["items"] = [cells for _, cells in found]
                payload["item_lines"] = [line for line, _ in found]
                return

    def _leftover_items(self) -> Iterator[Found]:
        for bad in self._orphans:
            yield None, bad
        for key, found in self._items_of.items():
            yield (
                None,
                BadRecord(
                    "orphan_item",
                    "The item file names an order that the order file does not hold.",
                    position=f"item file {_position([line for line, _ in found])}",
                    external_id=key,
                    payload={"profile": self._profile.name, "items": [cells for _, cells in found]},
                    reason_ja="商品ファイルの注文番号が注文ファイルにありません。",
                ),
            )


def _position(lines: Sequence[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    return "lines " + ", ".join(str(line) for line in lines)
