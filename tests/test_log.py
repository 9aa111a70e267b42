"""Logs carry ids and never a personal value or a secret."""

from __future__ import annotations

import json
import logging

import pytest

from worker import log


@pytest.fixture(autouse=True)
def _configured(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_only_listed_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    log.get("ingest").info("order_ingested", order_id=7, name="高橋 美咲", email="a@b.jp")

    (line,) = lines(capsys)
    assert line["event"] == "order_ingested"
    assert line["order_id"] == 7
    assert line["fields_dropped"] == 2
    assert "高橋" not in json.dumps(line, ensure_ascii=False)


def test_a_logger_made_before_the_configuration_follows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    early = log.get("supervisor")
    log.configure("json")

    early.info("process_started", pid=7, name="高橋 美咲")

    (line,) = lines(capsys)
    assert (line["logger"], line["pid"], line["fields_dropped"]) == ("supervisor", 7, 1)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("550 <taro@docomo.ne.jp> unknown", "550 <t***@docomo.ne.jp> unknown"),
        ("a..b@docomo.ne.jp refused", "a***@docomo.ne.jp refused"),
        ("call 090-1234-5678 now", "call ***78 now"),
        ("redis://:hunter2@host:1/0", "redis://:***@host:1/0"),
        ("order 250-1234567-7654321", "order 250-1234567-7654321"),
    ],
)
def test_foreign_text_is_masked(text: str, masked: str) -> None:
    assert log.mask(text) == masked


def test_library_lines_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    try:
        raise ValueError("refused taro@example.jp")
    except ValueError:
        logging.getLogger("urllib3").exception("could not reach hanako@example.jp")

    (line,) = lines(capsys)
    assert line["event"] == "could not reach h***@example.jp"
    assert line["error_type"] == "ValueError"
    assert "taro@" not in str(line["error"])


def test_a_connectors_line_tells_where_it_asked_and_what_came_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("json")
    told = {"url": "https://u:sesame@shop.example/orders", "status": 503, "buyer": "高橋 美咲"}

    logging.getLogger("connectors.kit").info("http_answered", extra=told)

    (line,) = lines(capsys)
    assert (line["event"], line["status"]) == ("http_answered", 503)
    assert line["url"] == "https://u:***@shop.example/orders"
    assert "高橋" not in json.dumps(line, ensure_ascii=False)
