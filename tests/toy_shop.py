"""A small live kind for tests of the service: a pretend marketplace over HTTP, and its reader."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.contract import (
    BadRecord,
    Buyer,
    ChannelConfig,
    Credential,
    Family,
    Life,
    NeedsPerson,
    Order,
    Pace,
    Page,
    Payment,
    RawOrder,
    Stream,
    Vault,
    Watermark,
)
from connectors.kit.http import Answer, Http, retries
from connectors.kit.live import Totals, first_instant
from connectors.kit.secrets import needed
from connectors.kit.windows import windows
from connectors.registry import KINDS
from tests.connectors.loopback import Answered, Asked, Loopback, told

KEY, REFRESH, SECRET = "toy-key-1", "toy-refresh-1", "toy-hook-secret"
PAGE = 2

API_KEY = Credential(
    "key", "APIキー", "API key", "設定→APIで見られます。", "See Settings → API.", lifetime_days=90
)
ADDRESS = Credential("base_url", "アドレス", "Address", "店のURLです。", "Its URL.", secret=False)
HOOK = Credential("hook", "署名の鍵", "Webhook secret", "任意です。", "Optional.", optional=True)


class ToyServer:
    """Tells orders by their time of change, page by page, to whoever has the key."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.key, self.refresh = KEY, REFRESH
        self.refreshed = 0
        self.loopback = Loopback(self.answer)

    def add(self, number: str, at: datetime, total: int | str = 3000, **more: Any) -> None:
        """An order arrives, or changes, at an instant."""
        before = self.orders.get(number, {"ordered_at": at.isoformat(), "state": "paid"})
        self.orders[number] = {
            **before, "number": number, "updated_at": at.isoformat(), "total": total, **more,
        }  # fmt: skip

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/token":
            return self._renewed(asked)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return told({"error": "invalid key"}, 401)
        since, until = asked.query.get("since", ""), asked.query.get("until", "9")
        by = "ordered_at" if asked.path == "/list" else "updated_at"
        rows = sorted(
            (row for row in self.orders.values() if since <= row[by] < until),
            key=lambda row: (row[by], row["number"]),
        )
        start = int(asked.query.get("from", "0"))
        return told({"orders": rows[start : start + PAGE], "more": len(rows) > start + PAGE})

    def _renewed(self, asked: Asked) -> Answered:
        if json.loads(asked.body).get("refresh") != self.refresh:
            return told({"error": "expired"}, 401)
        self.refreshed += 1
        self.key, self.refresh = (
            f"toy-key-{self.refreshed + 1}",
            f"toy-refresh-{self.refreshed + 1}",
        )
        return told({"key": self.key, "refresh": self.refresh})


class Toy:
    """Reads a ToyServer."""

    kind = "toy"
    family: ClassVar[Family] = Family.OWN
    SETTINGS: ClassVar[tuple[Credential, ...]] = (ADDRESS,)
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = (API_KEY, HOOK)
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {"orders": (1000.0, 1000.0)}
    HISTORY_DAYS: ClassVar[int | None] = 60
    WARNINGS: ClassVar[tuple[str, ...]] = ("鍵を作り直すと、ほかのツールが止まります。",)
    WARNINGS_EN: ClassVar[tuple[str, ...]] = ("A new key stops your other tools.",)
    DELIVERY_HEADER: ClassVar[str] = "x-toy-delivery"

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config, self._vault, self._pace = config, vault, pace
        self._http = Http(user_agent="toy", retry=retries(0))

    def streams(self) -> tuple[Stream, ...]:
        return (Stream("orders", 300, 60), Stream("cancel_scan", 3600))

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        mark = datetime.fromisoformat(watermark.value) if watermark.value else None
        if cursor:
            start, end, place = cursor.split("|")
            mark = datetime.fromisoformat(end)
            yield from self._window(datetime.fromisoformat(start), mark, int(place))
        since = first_instant(self._config, now, self.HISTORY_DAYS)
        overlap, longest = timedelta(seconds=60), timedelta(days=10)
        for window in windows(mark, now, overlap=overlap, longest=longest, since=since):
            yield from self._window(window.start, window.end, 0)

    def _window(self, start: datetime, end: datetime, place: int) -> Iterator[Page]:
        more = True
        while more:
            data = self._ask("/orders", start, end, place)
            place, more = place + PAGE, data["more"]
            raws = tuple(_raw(row) for row in data["orders"])
            if more:
                yield Page(raws, cursor=f"{start.isoformat()}|{end.isoformat()}|{place}")
            else:
                yield Page(raws, watermark=Watermark(end.isoformat()))

    def map(self, raw: RawOrder) -> Order:
        row = raw.payload
        if row["total"] == "?":
            raise BadRecord("bad_money", "The total is no amount.", reason_ja="金額が読めません。")
        return Order(
            external_id=row["number"],
            number=row["number"],
            ordered_at=datetime.fromisoformat(row["ordered_at"]),
            updated_at=datetime.fromisoformat(row["updated_at"]),
            currency="JPY",
            present=frozenset(["life", "payment", "total", "buyer.email", "buyer.name"]),
            life=Life.CANCELLED if row["state"] == "cancelled" else Life.OPEN,
            payment=Payment.PAID,
            total=row["total"],
            buyer=Buyer(email=f"{row['number'].lower()}@example.jp", name="見本 花子"),
        )

    def check(self) -> str:
        self._ask("/orders", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), 0)
        return "つながりました。Connected."

    def totals(self, since: datetime, until: datetime) -> Totals:
        found: dict[str, int | None] = {}
        start, more = 0, True
        while more:
            data = self._ask("/list", since, until, start)
            start, more = start + PAGE, data["more"]
            found |= {row["number"]: row["total"] for row in data["orders"]}
        return Totals(found)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        secret = self._vault.get("hook")
        if not secret:
            return False
        return hmac.compare_digest(signed(raw_body, secret), headers.get("x-toy-signature", ""))

    def _ask(self, path: str, since: datetime, until: datetime, start: int) -> Any:
        try:
            return self._get(path, since, until, start)
        except NeedsPerson:
            if self._vault.get("refresh") is None:
                raise
        self._renew()
        return self._get(path, since, until, start)

    def _get(self, path: str, since: datetime, until: datetime, start: int) -> Any:
        self._pace.take("orders")
        query = {
            "since": since.astimezone(UTC).isoformat(),
            "until": until.astimezone(UTC).isoformat(),
            "from": str(start),
        }
        bearer = {"Authorization": f"Bearer {needed(self._vault, API_KEY)}"}
        return self._request("GET", path, params=query, headers=bearer).json()

    def _renew(self) -> None:
        with self._vault.refreshing() as turn:
            if turn:
                given = {"refresh": self._vault.get("refresh")}
                fresh = self._request("POST", "/token", json=given).json()
                self._vault.put("refresh", fresh["refresh"])
                self._vault.put("key", fresh["key"])

    def _request(self, method: str, path: str, **options: Any) -> Answer:
        return self._http.request(method, f"{self._config.settings['base_url']}{path}", **options)


def _raw(row: Mapping[str, Any]) -> RawOrder:
    return RawOrder(str(row["number"]), row, f"order {row['number']}")


def signed(body: bytes, secret: str = SECRET) -> str:
    """The signature the toy marketplace puts on a webhook."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyServer]:
    """The kind ``toy`` in the registry, and its marketplace on a port of this test's own."""
    monkeypatch.setitem(KINDS, "toy", "tests.toy_shop:Toy")
    server = ToyServer()
    yield server
    server.loopback.stop()
