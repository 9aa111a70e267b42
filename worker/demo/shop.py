"""The pretend shop of the demonstration: its documents, channels, coupons and one opt-out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from worker.documents import NAMES, shipped_text
from worker.mail.coupons import new_code
from worker.pipeline.context import Context
from worker.pipeline.coupons import load_pool
from worker.rules.keys import address_hash
from worker.rules.states import MailKind
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Suppression

POOL = "milestone"
OPTED_OUT = "q16@example.jp"
"""Somebody of the sample orders who asked not to be mailed."""
CHANNELS = (
    ("own:main", "own", "みどり茶舗"),
    ("rakuten:main", "rakuten", "みどり茶舗 楽天市場店"),
    ("yahoo:main", "yahoo", "みどり茶舗 Yahoo!店"),
    ("amazon:jp", "amazon", "みどり茶舗"),
)
ACTIVE_DAYS = 10
_HOURS = re.compile(r"^(hours|carrier_hours) = \[.*\]", re.MULTILINE)
_AROUND_THE_CLOCK = r"\1 = [00:00:00, 23:59:59]"
"""Or a demonstration at night would show nothing leave."""
FILES = {
    "own:main": ("own_main.csv",),
    "rakuten:main": ("rakuten_main.csv",),
    "yahoo:main": ("yahoo_main_items.csv", "yahoo_main_orders.csv"),
    "amazon:jp": ("amazon_jp.txt",),
}


def write_shop(folder: Path) -> None:
    """Write the documents: the shipped ones, with Okaeri as sender on the marketplaces too."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: shipped_text(name) for name in NAMES if name != "policy"}
    texts["shop"] += _MARKETPLACES
    for family in ("rakuten", "yahoo"):
        head, rest = texts["senders"].split(f"[families.{family}]", 1)
        rest = rest.replace('order_thanks = "hub"', 'order_thanks = "okaeri"', 1)
        texts["senders"] = f"{head}[families.{family}]{rest}"
    texts["milestones"] = (
        texts["milestones"]
        .replace('coupon_pool = "" ', f'coupon_pool = "{POOL}" ')
        .replace('coupon_pool = ""', f'coupon_pool = "{POOL}"')
    )
    texts["milestones"] = texts["milestones"].replace(
        'sample = ""\nsample_value = 0\n', 'sample = "ほうじ茶のお試し袋"\nsample_value = 200\n'
    )
    texts["mails"] = _HOURS.sub(_AROUND_THE_CLOCK, texts["mails"])
    texts["review"] = texts["review"].replace("undo_seconds = 300", "undo_seconds = 1")
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


_MARKETPLACES = """
[channels."rakuten:main"]
shop_name = "みどり茶舗 楽天市場店"
sender = "rakuten@midori-chaho.example"

[channels."yahoo:main"]
shop_name = "みどり茶舗 Yahoo!店"
sender = "yahoo@midori-chaho.example"
"""


def open_shop(session: Session, ctx: Context, data: Path, now: datetime) -> None:
    """Open the channels, from ten days ago on, load coupons and note the opt-out."""
    start = now - timedelta(days=ACTIVE_DAYS)
    for name, family, title in CHANNELS:
        channel = Channel(
            name=name, kind="csv_file", family=family, title=title, created_at=now,
            settings={"settle_seconds": 0},
        )  # fmt: skip
        session.add(channel)
        session.flush()
        session.add_all(
            ChannelKind(channel_id=channel.id, kind=kind, active_from=start, by="demo")
            for kind in MailKind
        )
    codes = data / "demo-coupons.txt"
    codes.write_text("\n".join(new_code() for _ in range(20)) + "\n", "ascii")
    load_pool(
        session, ctx, POOL, codes, value=500, minimum=3000, targets="全商品",
        expires_on=(now + timedelta(days=90)).astimezone(UTC).date(), channel="own:main", now=now,
    )  # fmt: skip
    session.add(
        Suppression(
            address_hash=address_hash(ctx.key, OPTED_OUT),
            reason="staff",
            by="demo",
            at=now,
            note="電話で配信停止のご希望",
        )
    )
