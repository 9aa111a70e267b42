"""Bulk operations: all orders of a long span as one file, made by Shopify in the background."""

from __future__ import annotations

import json
import logging
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.contract import NeedsPerson
from connectors.kit import waiting
from connectors.kit.live import StillPreparing
from connectors.shopify import queries
from connectors.shopify.client import Client

log = logging.getLogger(__name__)

_RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})
_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class File:
    """The result of an operation; ``url`` None: there was nothing to read."""

    url: str | None
    objects: int | None


def start(client: Client, filter_text: str) -> str | None:
    """Start reading the orders of a search; None where Shopify will not (five run already)."""
    told = client.ask(queries.BULK_RUN, {"query": queries.bulk_orders(filter_text)}).data
    result = told.get("bulkOperationRunQuery")
    operation = result.get("bulkOperation") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or result.get("userErrors"):
        log.warning("shopify_bulk_refused")
        return None
    return str(operation["id"]) if isinstance(operation, Mapping) else None


def finished(client: Client, operation: str) -> File | None:
    """The file of an operation, or None where it failed.

    Raises StillPreparing while it runs: the cursor remembers it, the next poll asks again.
    """
    told = client.ask(queries.BULK_STATUS, {"id": operation}).data.get("bulkOperation")
    if not isinstance(told, Mapping):
        return None
    status = told.get("status")
    if status in _RUNNING:
        count = told.get("objectCount")
        raise StillPreparing(
            f"Shopify がまとめて書き出し中です ({count} 件)。Shopify is still writing the file.",
            _WAIT_SECONDS,
        )
    if told.get("errorCode") == "ACCESS_DENIED":
        raise NeedsPerson(
            "一括読み取りの権限がありません。The bulk operation was denied access.",
            "アプリの権限を確認してください。Check the app's scopes.",
        )
    if status != "COMPLETED":
        log.warning("shopify_bulk_failed", extra={"status": str(status)})
        return None
    count = str(told.get("objectCount") or "")
    url = told.get("url")
    return File(str(url) if url else None, int(count) if count.isdigit() else None)


class Orders:
    """The orders of a file, each with its lines again; kept in a database on disk.

    Without grouping a line may stand far from its order, and the file may be larger than
    memory.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        (self.count,) = database.execute("SELECT count(*) FROM orders").fetchone()

    def part(self, skip: int, most: int) -> list[dict[str, Any]]:
        """Orders in the order of the file."""
        rows = self._database.execute(
            "SELECT id, text FROM orders ORDER BY place LIMIT ? OFFSET ?", (most, skip)
        ).fetchall()
        return [self._order(number, text) for number, text in rows]

    def _order(self, number: str, text: str) -> dict[str, Any]:
        order: dict[str, Any] = json.loads(text)
        rows = self._database.execute(
            "SELECT text FROM lines WHERE parent = ? ORDER BY place", (number,)
        )
        order["lineItems"] = {"nodes": [json.loads(line) for (line,) in rows]}
        return order


@contextmanager
def grouped(client: Client, file: File) -> Iterator[Orders]:
    """Read the file and put orders and lines together again; nothing of it stays on disk.

    Raises TryLater where it is not whole.
    """
    with (
        tempfile.TemporaryDirectory(prefix="okaeri-bulk-") as folder,
        closing(sqlite3.connect(Path(folder) / "orders.db")) as database,
    ):
        database.executescript(
            "CREATE TABLE orders (place INTEGER PRIMARY KEY, id TEXT, text TEXT);"
            "CREATE TABLE lines (place INTEGER PRIMARY KEY, parent TEXT, text TEXT);"
        )
        if file.url is not None:
            path = Path(folder) / "orders.jsonl"
            with path.open("wb") as target:
                client.download(file.url, target)
            count = _fill(database, path)
            if file.objects is not None and count != file.objects:
                raise waiting.unreadable(f"Shopify: {count} of {file.objects} records")
        database.execute("CREATE INDEX by_parent ON lines (parent)")
        yield Orders(database)


def _fill(database: sqlite3.Connection, path: Path) -> int:
    count = 0
    with path.open(encoding="utf-8") as lines, database:
        for line in filter(str.strip, lines):
            try:
                told = json.loads(line)
                parent, number = told.pop("__parentId", None), told.get("id")
            except (ValueError, AttributeError) as error:
                raise waiting.unreadable("Shopify: half a file") from error
            table = "orders (id, text)" if parent is None else "lines (parent, text)"
            text = json.dumps(told, ensure_ascii=False)
            database.execute(f"INSERT INTO {table} VALUES (?, ?)", (parent or number, text))  # noqa: S608 -- one of two names above
            count += 1
    return count
