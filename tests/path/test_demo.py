"""The demonstration: one command takes the samples from file to captured mail and tells it."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.folders import ROOT
from tests.processes import Processes, until
from tests.sessions import session_dir
from worker.demo.dating import SAMPLES
from worker.pipeline.export import EXPORTS
from worker.pipeline.verify import verify
from worker.runtime import Runtime, clock
from worker.sending import open_journal
from worker.settings import Settings
from worker.store.customers import Candidate
from worker.store.orders import Quarantine

pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("demo")]
COMMAND = [sys.executable, "-m", "worker.cli", "demo", "--once", "--json"]


@dataclass
class Told:
    """A demonstration that is over: what it printed and what it left in its folder."""

    data: Path
    code: int
    out: str
    err: str
    runtime: Runtime

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def rows(self, what: str) -> list[dict[str, Any]]:
        """An export of its ledger."""
        with self.runtime.look() as session:
            return list(EXPORTS[what](session, self.runtime.context(), clock()))

    def flags(self) -> set[str]:
        """Every flag that some mail carries."""
        return {flag for row in self.rows("messages") for flag in row["flags"]}

    def outcomes(self) -> set[str]:
        """Every outcome that some occasion has."""
        return {str(row["outcome"]) for row in self.rows("occasions")}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("demo")
    data = session_dir() / "demo-data"
    out = folder / "out.json"
    processes = Processes(folder)
    shell = f'exec "$@" > {out}'
    process = processes.start(["sh", "-c", shell, "sh", *COMMAND, "--data", str(data)])
    code = process.wait(150)
    assert code == 0, process.words()[-4000:]
    processes.assert_none_left()
    yield Told(
        data, code, out.read_text(encoding="utf-8"), process.words(),
        Runtime(Settings(data=data, config=data / "config")),
    )  # fmt: skip
    processes.end_all()


def test_it_prints_exactly_one_object_with_the_promised_keys(told: Told) -> None:
    assert told.out.count("\n") == 1
    assert list(told.json) == [
        "orders", "customers", "ranks", "messages", "grants", "occasions", "console",
    ]  # fmt: skip
    assert told.json["orders"] == len(told.rows("orders")) == 102
    assert told.json["customers"] == len(told.rows("customers"))
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login/once/[\w-]+", told.json["console"])


def test_nothing_is_left_running_and_every_promise_holds(told: Told) -> None:
    with told.runtime.look() as session:
        journal = open_journal(told.runtime.settings)
        assert verify(session, told.runtime.context(), journal, clock()) == []


def test_approved_mails_were_captured_each_once(told: Told) -> None:
    sent = [row for row in told.rows("messages") if row["state"] == "sent"]

    assert len(sent) >= 3
    assert told.json["messages"]["sent"] == len(sent)
    assert len(list((told.data / "outbox").glob("*.eml"))) == len(sent)


@pytest.mark.parametrize(("rank", "visit"), [("first", 1), ("repeat", 2), ("vip", 6)])
def test_the_samples_hold_ranks(told: Told, rank: str, visit: int) -> None:
    found = {(row["rank_at_order"], row["visit_number"]) for row in told.rows("orders")}

    assert (rank, visit) in found
    assert told.json["ranks"][rank] >= 1


@pytest.mark.parametrize("number", [5, 10])
def test_the_samples_hold_milestones(told: Told, number: int) -> None:
    found = {(g["milestone"], str(g["state"])) for g in told.rows("grants") if g["scope"] == "own"}

    assert (number, "reserved") in found
    assert told.json["grants"]["reserved"] >= 2


def test_the_samples_hold_a_customer_who_returned_after_long(told: Told) -> None:
    assert any("お久しぶり" in (row["subject"] or "") for row in told.rows("messages"))


def test_the_samples_hold_a_pair_of_orders_that_share_one_mail(told: Told) -> None:
    pairs = [row["order_numbers"] for row in told.rows("messages") if len(row["order_numbers"]) > 1]

    assert pairs == [["MC-1063", "MC-1064"]]


def test_the_samples_hold_a_cancelled_order_without_mail(told: Told) -> None:
    cancelled = {row["order_number"] for row in told.rows("orders") if row["life"] == "cancelled"}
    mailed = {n for row in told.rows("messages") for n in row["order_numbers"]}

    assert cancelled
    assert not cancelled & mailed
    assert "cancelled" in told.outcomes()


def test_the_samples_hold_a_partly_refunded_order_that_still_counts(told: Told) -> None:
    (order,) = [row for row in told.rows("orders") if row["payment"] == "refunded_part"]

    assert order["counting"]
    assert order["spend"] == order["total"] - order["refunded"]


@pytest.mark.parametrize("flag", ["gift", "buyer_comment", "number_uncertain", "identity_unsure"])
def test_the_samples_hold_what_a_person_must_look_at(told: Told, flag: str) -> None:
    assert flag in told.flags()


@pytest.mark.parametrize("outcome", ["suppressed", "forbidden", "handoff", "waiting"])
def test_the_samples_hold_reasons_for_no_mail(told: Told, outcome: str) -> None:
    assert outcome in told.outcomes()


def test_the_samples_hold_mails_on_hold_and_texts_to_hand_off(told: Told) -> None:
    assert told.json["messages"]["on_hold"] >= 1
    assert told.json["messages"]["handoff"] >= 1


def test_the_samples_hold_an_uncertain_number(told: Told) -> None:
    assert "uncertain" in {str(row["certainty"]) for row in told.rows("orders")}


def test_the_samples_hold_a_record_for_quarantine_and_a_possible_same_person(told: Told) -> None:
    with told.runtime.look() as session:
        cases = session.execute(select(Quarantine.external_id, Quarantine.code)).all()
        candidates = session.scalars(select(Candidate.id).where(Candidate.state == "open")).all()

    assert [tuple(case) for case in cases] == [("MC-1081", "bad_date")]
    assert len(candidates) >= 1


def personal_values() -> set[str]:
    """Names, addresses, phones and mail addresses of every person in the samples."""
    wanted = re.compile(
        "name|kana|mail|phone|address|電話|姓|住所それ以降|メールアドレス|Address1|Name",
        re.IGNORECASE,
    )
    found: set[str] = set()
    for name in ("own_main.csv", "rakuten_main.csv", "yahoo_main_orders.csv"):
        with (SAMPLES / name).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                found |= {
                    value
                    for column, value in row.items()
                    if wanted.search(column) and _telling(value) and "商品" not in column
                }
    return found


def _telling(value: str) -> bool:
    """Long enough to mean somebody; a part of a phone number is not."""
    return len(value) >= (7 if value.isdigit() else 4)


def test_no_log_line_carries_a_personal_value_of_the_samples(told: Told) -> None:
    values = personal_values()
    assert len(values) > 100
    logs = {path.name: path.read_text(errors="replace") for path in (told.data / "log").iterdir()}
    logs["supervisor"] = told.err
    assert {"broker.log", "worker.log", "beat.log", "console.log"} <= set(logs)
    assert "ledger_advanced" in logs["worker.log"]

    found = {(name, value) for name, text in logs.items() for value in values if value in text}

    assert found == set()


@pytest.mark.parametrize("after", ["starting", "process=beat", "telling"])
def test_ctrl_c_leaves_no_process_and_no_folder(
    after: str, processes: Processes, tmp_path: Path
) -> None:
    room = Path(session_dir()) / f"interrupted-{tmp_path.name[-12:]}"
    room.mkdir()
    process = processes.start(COMMAND, env={"TMPDIR": str(room), "OKAERI_LOG": "plain"}, cwd=ROOT)
    if after == "telling":
        until(lambda: bool(list(room.glob("*/drop/own_main/*"))), 60, process.words)
    else:
        process.until_says("starting" if after == "starting" else "process_started", 60)

    process.interrupt_group()

    assert process.wait(40) != 0
    processes.assert_none_left()
    until(lambda: not _broker_lives(room), 10)
    assert list(room.iterdir()) == []


def _broker_lives(room: Path) -> bool:
    """Whether a server of this folder runs: it hides its test mark, but not its command."""
    names = Path("/proc").glob("[0-9]*/cmdline")
    return any(str(room).encode() in _read(name) for name in names)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
