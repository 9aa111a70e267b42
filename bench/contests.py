"""What is compared with what: one contest per line of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench import bare
from bench.measure import Contest, Stopwatch

MAILS = 2_000

_SUBJECT = "【{{ shop }}】ご注文ありがとうございます({{ number }})"
_BODY = """\
{{ name }} 様

このたびは{{ shop }}をご利用いただき、誠にありがとうございます。
ご注文番号:{{ number }}
{% for line in lines %}
・{{ line.name }} × {{ line.quantity }} … {{ line.amount }}円
{% endfor %}
合計:{{ total }}円
{% if visit > 1 %}
{{ visit }}回目のご利用、心より御礼申し上げます。
{% endif %}
またのお越しをお待ちしております。
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What trials may use: a folder, a mail server, and PostgreSQL where this machine has it."""

    folder: Path
    host: str
    port: int
    postgres: sa.URL | None


def contests(stage: Stage) -> Iterator[Contest]:
    """Every contest, in the order of the path."""
    mails = bare.render(_SUBJECT, _BODY, _facts(), Stopwatch())

    def render(watch: Stopwatch) -> int:
        return len(bare.render(_SUBJECT, _BODY, _facts(), watch))

    def dispatch(watch: Stopwatch) -> int:
        return bare.send(stage.host, stage.port, mails, stage.folder, watch)

    yield Contest("render", "mails", render, aim=2)
    # 80 % of the bare rate.
    yield Contest("dispatch", "mails", dispatch, aim=1.25)


def _facts() -> list[dict[str, object]]:
    lines = [{"name": "深煎りブレンド", "quantity": n, "amount": 1_200 * n} for n in (1, 2, 3)]
    return [
        {
            "name": "佐藤 陽子",
            "shop": "おかえり珈琲",
            "number": f"B-{n:07}",
            "lines": lines,
            "total": 7_200,
            "visit": n % 12 + 1,
        }
        for n in range(MAILS)
    ]
