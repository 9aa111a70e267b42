"""The documented answer of getOrder, read as it is written."""

import json
from datetime import UTC, datetime
from pathlib import Path

from connectors.contract import Line, RawOrder
from connectors.rakuten.mapping import map_order

SAMPLE = Path(__file__).parent / "samples" / "get_order.json"


def test_the_documented_answer_becomes_an_order() -> None:
    (model,) = json.loads(SAMPLE.read_text("utf-8"))["OrderModelList"]
    found = map_order(RawOrder(model["orderNumber"], model, "item 1"))
    assert found.number == "123456-20260201-0123456789"
    assert found.ordered_at == datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 2, 2, 0, 12, 11, tzinfo=UTC)
    assert (found.total, found.points, found.discount, found.subtotal) == (4460, 300, 300, 4400)
    assert found.lines == (Line("緑茶ティーバッグ", "tea-01-50", 2, 2200),)
    assert (found.delivery_band, found.buyer.email_is_relay) == ("14:00-16:00", True)
    assert found.warnings == ()
