"""HTTP failures are sorted by what to do; nothing secret is said about them."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.contract import BadRecord, ConnectorError, NeedsPerson, TryLater
from connectors.kit.http import Answer, Http, Lane, retries, retry_after
from connectors.kit.pace import LocalPace

Reply = Callable[[BaseHTTPRequestHandler], None]


class Shop:
    """A shop on the loopback that answers with the next of its replies."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.seen: list[str] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                shop.seen.append(f"{self.command} {self.path}")
                shop.replies.pop(0)(self)

            do_GET = do_POST = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def shop() -> Iterator[Shop]:
    one = Shop()
    yield one
    one.server.shutdown()
    one.server.server_close()


def reply(status: int, body: bytes, headers: dict[str, str] | None = None, cut: int = 0) -> Reply:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) - cut])
        handler.close_connection = True

    return send


def http(**options: object) -> Http:
    return Http(
        user_agent="okaeri-test/0",
        timeout=(2, 0.5),
        retry=retries(total=2, backoff=0.01),
        **options,  # type: ignore[arg-type]
    )


def test_a_good_answer_is_read_whole(shop: Shop) -> None:
    shop.replies = [reply(200, b'\xef\xbb\xbf{"a": 1}', {"X-WP-Total": "7"})]
    answer = http().request("GET", shop.url + "/orders", params={"page": 1})
    assert answer.json() == {"a": 1}
    assert answer.headers["x-wp-total"] == "7"


def test_a_busy_read_is_repeated_after_the_time_the_server_names(shop: Shop) -> None:
    shop.replies = [reply(429, b"", {"Retry-After": "0"}), reply(503, b""), reply(200, b"[]")]
    assert http().request("GET", shop.url).json() == []
    assert len(shop.seen) == 3


def test_a_write_is_never_repeated(shop: Shop) -> None:
    shop.replies = [reply(503, b"", {"Retry-After": "7"})]
    with pytest.raises(TryLater) as caught:
        http().request("POST", shop.url)
    assert caught.value.retry_after == 7.0
    assert shop.seen == ["POST /"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, NeedsPerson),
        (400, NeedsPerson),
        (401, NeedsPerson),
        (403, NeedsPerson),
        (404, NeedsPerson),
        (408, TryLater),
    ],
)
def test_a_status_is_sorted(shop: Shop, status: int, kind: type[ConnectorError]) -> None:
    shop.replies = [reply(status, b'{"key": "s3cret", "to": "a@example.jp"}')]
    with pytest.raises(kind) as caught:
        http().request("GET", shop.url + "/x?token=s3cret")
    assert "s3cret" not in str(caught.value)
    assert "a@example.jp" not in str(caught.value)


def test_a_body_that_breaks_off_is_read_again_later(shop: Shop) -> None:
    shop.replies = [reply(200, b'{"a": 12345}', cut=4)]
    with pytest.raises(TryLater):
        http().request("GET", shop.url)


def test_a_silent_server_is_left_after_the_deadline(shop: Shop) -> None:
    stop = threading.Event()
    shop.replies = [lambda _: (stop.wait(3), None)[1]] * 3
    with pytest.raises(TryLater):
        http().request("POST", shop.url)
    stop.set()


def test_an_answer_without_end_is_not_swallowed(shop: Shop) -> None:
    shop.replies = [reply(200, b"x" * 200_000)]
    with pytest.raises(TryLater, match="larger"):
        http(max_body=100_000).request("GET", shop.url)


def test_nobody_listening_means_later() -> None:
    with pytest.raises(TryLater):
        http().request("POST", "http://127.0.0.1:9/")


def test_an_address_that_is_none_needs_a_person() -> None:
    with pytest.raises(NeedsPerson, match="address"):
        http().request("GET", "shop.example/orders")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>maintenance</html>", TryLater),
        (b'{"a": [1, 2', TryLater),
        (b'{"a": "text that bre', TryLater),
        (b"Notice: x {}", BadRecord),
        (b'{"a": "\x83\x65"}', BadRecord),
    ],
)
def test_a_body_that_is_no_json_is_sorted(body: bytes, kind: type[ConnectorError]) -> None:
    with pytest.raises(kind):
        Answer(200, {}, body, "https://shop.example").json()


def test_the_log_line_holds_no_secret(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.replies = [reply(200, json.dumps({}).encode())]
    with caplog.at_level(logging.INFO, logger="connectors.kit.http"):
        http().request("GET", shop.url + "/x?consumer_key=s3cret&page=2")
    (record,) = caplog.records
    assert record.message == "http_answered"
    assert "s3cret" not in str(record.__dict__)
    assert str(record.__dict__["url"]).endswith("/x?consumer_key=***&page=2")


def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after({"retry-after": "12"}, now) == 12.0
    assert retry_after({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}, now) == 60.0
    assert retry_after({"retry-after": "soon"}, now) is None
    assert retry_after({}, now) is None


def test_an_answer_whose_words_the_caller_knows_is_given_back(shop: Shop) -> None:
    shop.replies.append(reply(401, b'{"code": "late"}'))
    http = Http(user_agent="Okaeri", retry=retries(0))
    assert http.request("GET", shop.url, judged={401}).json() == {"code": "late"}


def test_a_large_file_goes_to_disk_and_a_broken_one_waits(shop: Shop, tmp_path: Path) -> None:
    http = Http(user_agent="Okaeri", retry=retries(0))
    body = b"x" * 3_000_000
    shop.replies += [reply(200, body), reply(200, body, cut=10), reply(404, b"")]
    with (tmp_path / "file").open("wb") as target:
        assert http.download(shop.url, target) == len(body)
        with pytest.raises(TryLater):
            http.download(shop.url, target)
        with pytest.raises(NeedsPerson):
            http.download(shop.url, target)
    assert (tmp_path / "file").read_bytes().startswith(body)


def test_the_library_below_never_logs_a_whole_address(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.replies.append(reply(200, b"{}"))
    with caplog.at_level(logging.DEBUG):
        Http(user_agent="Okaeri", retry=retries(0)).request("GET", f"{shop.url}/?secret=cs_1")
    assert "cs_1" not in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_server_names_closes_the_lane_for_everybody(
    shop: Shop, status: int
) -> None:
    shop.replies = [reply(status, b"", {"Retry-After": "600"})]
    pace = LocalPace({"calls": (1e6, 1e6)})
    with pytest.raises(
        TryLater, match=r"待ちます。.*The other server asks to wait until"
    ) as caught:
        Http(user_agent="Okaeri", retry=retries(0), lane=Lane(pace, "calls")).request(
            "GET", shop.url
        )
    assert caught.value.retry_after == 600
    with pytest.raises(TryLater) as closed:
        pace.take("calls")
    assert closed.value.retry_after == pytest.approx(600, abs=5)


def test_a_page_at_a_marketplaces_own_address_is_a_pause_and_data_is_not(shop: Shop) -> None:
    page = reply(404, b"<!DOCTYPE html><title>x</title>")
    data = reply(404, b'<?xml version="1.0"?><Error/>')
    shop.replies = [page, page, data, data]
    lane = Lane(LocalPace({}), "calls")
    for judged in ((), {404}):
        with pytest.raises(TryLater, match="メンテナンス中"):
            Http(user_agent="Okaeri", lane=lane).request("GET", shop.url, judged=judged)
    with pytest.raises(NeedsPerson, match=r"^接続先が見つかりません \(HTTP 404\)。"):
        Http(user_agent="Okaeri", lane=lane).request("GET", shop.url)
    answer = Http(user_agent="Okaeri", lane=lane).request("GET", shop.url, judged={404})
    assert answer.status == 404


def test_a_refusal_shows_nothing_of_the_body_and_advises_in_both_languages(shop: Shop) -> None:
    shop.replies = [reply(403, b"<html>Forbidden by shield</html>")]
    with pytest.raises(NeedsPerson) as caught:
        Http(user_agent="Okaeri").request("GET", shop.url)
    assert caught.value.problem == (
        "接続が許可されていません (HTTP 403)。The connection is not allowed (HTTP 403)."
    )
    assert caught.value.remedy.startswith("鍵の権限と、このサーバーのIPアドレス")
