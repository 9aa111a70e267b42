"""An answer of orderInfo in its documented shape: groups, CDATA, empty elements, two items."""

from datetime import UTC, datetime
from pathlib import Path

from connectors.contract import Line, RawOrder
from connectors.kit.markup import parse
from connectors.yahoo.mapping import map_order

SAMPLE = Path(__file__).parent / "samples" / "order_info.xml"


def test_the_documented_answer_becomes_an_order() -> None:
    told = parse(SAMPLE.read_bytes())["ResultSet"]["Result"]["OrderInfo"]
    payload = {"SellerId": "example-store", "OrderInfo": told}
    found = map_order(RawOrder("example-store-10000001", payload, "item 1"))
    assert (found.number, found.total, found.points) == ("10000001", 4250, 50)
    assert found.updated_at == datetime(2026, 2, 3, 1, tzinfo=UTC)
    assert found.buyer_comment == "午前中に <お願い> します & よろしく"
    assert found.lines == (Line("緑茶", "tea-01", 1, 2000), Line("湯呑", "cup", 1, 2000))
    assert (found.subtotal, found.delivered_at, found.buyer.kana) == (4000, None, None)
    assert found.tracking_number == "400000000000"
    assert found.warnings == ()
