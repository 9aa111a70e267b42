"""Walks all orders of a fixed window: page by page, or from the file of a bulk operation."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import NeedsPerson
from connectors.kit import waiting
from connectors.shopify import bulk, queries
from connectors.shopify.client import Client
from connectors.shopify.mapping import moment
from connectors.shopify.refusals import TooCostly

log = logging.getLogger(__name__)

SECOND = timedelta(seconds=1)
_MOST_LISTED = 20_000
"""A list ends at 25,000 orders: before that a new one begins at the last order read."""

_BULK_PAGE = 200


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reading stands; written as the resume cursor. Times are UTC, whole seconds."""

    start: datetime
    end: datetime
    after: str | None = None
    """Shopify's own cursor inside the list that begins at ``start``."""
    read: int = 0
    """Orders read of that list, or of the bulk operation's file."""
    bulk: str | None = None

    def written(self) -> str:
        """The cursor."""
        told = asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str) -> Position:
        """Read a cursor back. Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(cursor)
        start, end = (datetime.fromisoformat(told.pop(name)) for name in ("start", "end"))
        return cls(start=start, end=end, **told)

    @property
    def filter(self) -> str:
        """The search that names the window; both ends in UTC, the last second left out."""
        return between("updated_at", self.start, self.end)


def between(field: str, start: datetime, end: datetime) -> str:
    """A search for orders from ``start`` up to, not including, ``end``."""
    first, last = (m.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for m in (start, end))
    return f"{field}:>='{first}' AND {field}:<'{last}'"


@dataclass(frozen=True, slots=True)
class Read:
    """One page: its orders as received, and where to go on (None: the window is read)."""

    nodes: list[Any]
    at: Position
    following: Position | None


_Reading = Generator[Read, None, Position | None]
"""Gives pages, and in the end where to go on."""


class Pages:
    """Reads the list; remembers how many orders a page may hold."""

    def __init__(self, client: Client, size: int) -> None:
        self._client, self._size = client, size

    def walk(self, start: Position) -> Iterator[Read]:
        """Read from a position to the end of its window. Raises NeedsPerson or TryLater."""
        position: Position | None = start
        while position is not None:
            if position.bulk is not None:
                following = yield from self._from_file(position, position.bulk)
            else:
                following = yield from self._listed(position)
            position = following

    def _listed(self, position: Position) -> _Reading:
        connection = self._fetch(position)
        nodes = connection.get("nodes")
        if not isinstance(nodes, list):
            raise waiting.unreadable("Shopify: no list of orders")
        _inside(nodes, position)
        for node in nodes:
            self._complete(node)
        following = _following(position, connection, nodes)
        yield Read(nodes, position, following)
        return following

    def _fetch(self, position: Position) -> Mapping[str, Any]:
        while True:
            variables = {
                "first": self._size,
                "after": position.after,
                "filter": position.filter,
            }
            try:
                told = self._client.ask(queries.ORDERS, variables).data.get("orders")
            except TooCostly as error:
                if self._size == 1:
                    raise NeedsPerson(
                        "1 件でも Shopify の上限を超えます。One order costs too much to read.",
                        "サポートに知らせてください。Tell the support.",
                    ) from error
                self._size = max(1, self._size // 2)
                log.info("shopify_smaller_pages", extra={"size": self._size})
                continue
            return told if isinstance(told, Mapping) else {}

    def _complete(self, node: Any) -> None:
        """Read the rest of an order with more lines than a page of orders carries."""
        lines = node.get("lineItems") if isinstance(node, Mapping) else None
        while isinstance(lines, dict) and (lines.get("pageInfo") or {}).get("hasNextPage"):
            variables = {"id": node["id"], "after": lines["pageInfo"]["endCursor"]}
            order = self._client.ask(queries.LINES, variables).data.get("order")
            more = order.get("lineItems") if isinstance(order, Mapping) else None
            if not isinstance(more, Mapping) or not more.get("nodes"):
                raise waiting.unreadable("Shopify: lines")
            lines["nodes"].extend(more["nodes"])
            lines["pageInfo"] = more.get("pageInfo")

    def _from_file(self, position: Position, operation: str) -> _Reading:
        """Read the orders of a finished bulk operation; a failed one is read page by page."""
        plain = replace(position, bulk=None, read=0)
        file = bulk.finished(self._client, operation)
        if file is None:
            return plain
        with bulk.grouped(self._client, file) as orders:
            total, read = orders.count, position.read
            while True:
                nodes = orders.part(read, _BULK_PAGE)
                at = replace(position, read=read)
                read += len(nodes)
                following = replace(position, read=read) if read < total else None
                yield Read(nodes, at, following)
                if following is None:
                    return None


def _inside(nodes: list[Any], position: Position) -> None:
    """A search that Shopify does not understand is no error: it answers with everything."""
    times = [moment(node.get("updatedAt")) for node in nodes if isinstance(node, Mapping)]
    if any(time < position.start - SECOND for time in times if time):
        raise NeedsPerson(
            "Shopify が更新日の条件を無視しています。Shopify ignores the time filter.",
            "設定 api_version を確認し、サポートに知らせてください。"
            "Check api_version and tell the support.",
        )


def _following(
    position: Position, connection: Mapping[str, Any], nodes: list[Any]
) -> Position | None:
    info = connection.get("pageInfo")
    if not isinstance(info, Mapping) or not info.get("hasNextPage"):
        return None
    cursor, read = info.get("endCursor"), position.read + len(nodes)
    if not cursor or cursor == position.after:
        raise waiting.unreadable("Shopify: the same page again")
    if read >= _MOST_LISTED:
        times = (moment(node.get("updatedAt")) for node in nodes if isinstance(node, Mapping))
        last = max(filter(None, times), default=None)
        if last is not None and position.start < last < position.end:
            return Position(last.replace(microsecond=0), position.end)
    return replace(position, after=str(cursor), read=read)
