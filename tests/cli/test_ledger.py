"""export, why, verify, customers, packing, coupons: what the ledger tells."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.commands import Cli, line
from worker.mail.coupons import new_code

ORDERS = [
    "channel", "order_number", "external_id", "ordered_at", "life", "payment", "fulfilment",
    "total", "refunded", "currency", "spend", "customer", "counting", "scope", "ordinal",
    "visit_number", "certainty", "ordinal_overall", "rank_at_order", "rank_reason",
]  # fmt: skip
CUSTOMERS = [
    "customer", "name", "kana", "postal_code", "address", "phone", "email", "birthday",
    "lifetime_spend", "order_count", "average_order", "last_order_at", "days_since_last_order",
    "identities", "rank", "ranks",
]  # fmt: skip


def test_exports_hold_the_promised_fields(cli: Cli) -> None:
    cli.history()

    orders = [json.loads(text) for text in cli("export", "orders").out.splitlines()]
    customers = json.loads(cli("export", "customers", "--format", "json").out)

    assert [list(row) for row in orders] == [ORDERS] * 6
    assert [list(row) for row in customers] == [CUSTOMERS] * 2
    assert [row["visit_number"] for row in orders if row["customer"] == 1] == [1, 2, 3, 4, 5]
    assert (customers[0]["order_count"], customers[0]["lifetime_spend"]) == (5, 6000)


def test_messages_and_occasions_name_each_other(cli: Cli) -> None:
    cli.history()

    messages = [json.loads(text) for text in cli("export", "messages").out.splitlines()]
    occasions = [json.loads(text) for text in cli("export", "occasions").out.splitlines()]

    carried = {row["message"] for row in occasions if row["outcome"] == "message"}
    assert {row["message"] for row in messages} == carried
    assert {tuple(row["order_numbers"]) for row in messages} == {("A-1",), ("A-2",)}


def test_csv_is_written_for_spreadsheets_with_formulas_defused(cli: Cli) -> None:
    evil = line("A-1", "m1").replace("見本 m1", "=1+1 花子")
    cli("import", str(cli.file(evil)), "--channel", "own:main")
    out = cli.data / "customers.csv"

    cli("export", "customers", "--format", "csv", "--out", str(out))

    (row,) = csv.DictReader(io.StringIO(out.read_text("utf-8-sig")))
    assert row["name"].endswith("=1+1 花子")
    assert not row["name"].startswith("=")


def test_why_explains_orders_mails_and_customers_in_both_languages(cli: Cli) -> None:
    cli.history()

    japanese = cli("why", "A-1").out
    english = cli("why", "A-1", "--lang", "en").out
    mail = cli("why", cli.message(), "--lang", "en").out

    assert "own で5回目" in japanese
    assert "サンクスメール: 条件を満たしたため、メールを作成しました。" in japanese
    assert "visit 5 in own" in english
    assert "why this rank: Repeat: 5 visits, ¥6,000 in all" in english
    assert "needs a look: New text, first look" in mail
    assert "To review" in mail
    assert "Customer 1\n" in cli("why", "1", "--lang", "en").out
    assert cli("why", "A-1", "--json").json[0].startswith("受注 A-1")


def test_why_says_that_history_never_mails(cli: Cli) -> None:
    cli.history()

    assert "orders from before this channel's start make none" in cli(
        "why", "H-1", "--lang", "en"
    ).out  # fmt: skip


def test_verify_finds_nothing_in_a_sound_ledger(cli: Cli) -> None:
    assert cli("verify", "--json").json == []
    cli.history()
    assert cli("verify", "--json").json == []
    assert "every promise holds" in cli("verify").err


def test_candidates_are_decided_and_merges_undone(cli: Cli) -> None:
    same = [
        row.replace("見本 m1", "見本 同").replace("見本 m2", "見本 同")
        for row in (line("A-1", "m1", days_ago=3), line("A-2", "m2", days_ago=2))
    ]
    path = cli.file(*same)
    text = path.read_text("utf-8").replace("customer_id,", "phone,customer_id,")
    path.write_text(text.replace("クレジットカード,", "クレジットカード,090-0000-1111,"), "utf-8")
    cli("import", str(path), "--channel", "own:main")

    (candidate,) = cli("customers", "candidates", "--json").json
    assert candidate["reason"] == "phone_name"
    cli("customers", "decide", str(candidate["id"]), "--same")

    (customer,) = cli("customers", "list", "--json").json
    assert customer["order_count"] == 2
    cli("customers", "unmerge", "1")
    assert len(cli("customers", "list", "--json").json) == 2
    cli("customers", "unmerge", "1", expect=2)
    cli("customers", "decide", "99", "--same", expect=2)


def test_a_pinned_rank_stands_until_it_is_taken_off(cli: Cli) -> None:
    cli.history()

    cli("customers", "pin", "2", "vip", "--until", "2099-01-01", "--reason", "owner's friend")
    assert "pinned by staff until 2099-01-01" in cli("why", "2", "--lang", "en").out
    cli("customers", "pin", "2", "none")
    assert "pinned" not in cli("why", "2", "--lang", "en").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("why", "NOPE"), "'NOPE' is no order number"),
        (("customers", "pin", "1", "emperor"), "emperor"),
        (("customers", "pin", "1", "vip", "--until", "soon"), "'soon' is no date"),
        (("packing", "tick", "99"), "99"),
        (("coupons", "load", "p", "absent.txt", "--value", "500"), "absent.txt"),
        (("coupons", "load", "p", "{file}", "--value", "5", "--expires", "soon"), "'soon'"),
        (("coupons", "load", "p", "{file}", "--value", "5", "--channel", "own:no"), "own:no"),
        (("export", "orders", "--out", "/absent/folder/file"), "/absent/folder/file"),
    ],
)
def test_bad_input_is_told_in_words(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    cli.history()
    file = cli.data / "codes.txt"
    file.write_text(new_code() + "\n")

    ran = cli(*(part.format(file=file) for part in arguments), expect=2)

    assert said in ran.err
    assert "Traceback" not in ran.err


def test_coupon_pools_are_loaded_once_and_counted(cli: Cli) -> None:
    codes = cli.data / "codes.txt"
    codes.write_text("".join(new_code() + "\n" for _ in range(3)))

    first = cli("coupons", "load", "birthday", str(codes), "--value", "500", "--json").json
    again = cli("coupons", "load", "birthday", str(codes), "--value", "500", "--json").json

    assert (first["added"], again["added"], again["known"]) == (3, 0, 3)
    assert cli("coupons", "list", "--json").json[0]["left"] == 3
    codes.write_text("x y z\n")
    cli("coupons", "load", "birthday", str(codes), "--value", "500", expect=1)


def test_the_packing_list_is_ticked_and_written_as_csv(cli: Cli) -> None:
    cli.history()

    rows = cli("packing", "list", "--json").json
    assert {row["order_number"] for row in rows} == {"A-1"}
    cli("packing", "tick", str(rows[0]["item_id"]))

    assert cli("packing", "list", "--json").json[0]["packed_at"]
    out = cli.data / "packing.csv"
    cli("packing", "csv", "--out", str(out))
    assert b"A-1" in out.read_bytes()


def test_rewards_that_wait_and_shared_codes(cli: Cli) -> None:
    cli.history()
    terms = ("--value", "300", "--expires", "2099-03-31")

    assert cli("packing", "waiting", "--json").json == []
    with closing(sqlite3.connect(cli.data / "okaeri.db")) as store:
        store.execute("UPDATE grants SET state='to_decide', reason='{\"code\": \"missed\"}'")
        store.commit()
    (waits,) = cli("packing", "waiting", "--json").json
    assert (waits["milestone"], waits["words"]) == (5, "気づく前に発送されました")
    given = cli("packing", "decide", str(waits["grant"]), "--give", "--json").json
    assert given == {"grant": waits["grant"], "state": "reserved"}
    assert cli("packing", "waiting", "--json").json == []
    assert "does not wait" in cli("packing", "decide", "99", "--give", expect=2).err
    assert "--shared" in cli("coupons", "load", "mall", *terms, expect=2).err
    assert "channel" in cli("coupons", "load", "mall", "--shared", "T-27", *terms, expect=2).err
    channel = cli("packing", "list", "--json").json[0]["channel"]
    cli("coupons", "load", "mall", "--shared", "T-27", *terms, "--channel", channel)

    (pool,) = cli("coupons", "list", "--json").json
    assert (pool["left"], pool["shared"], pool["printed"], pool["low"]) == (None, True, 0, False)
