"""import, imports, quarantine, channels, pull: orders come in, and bad input is told in words."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.cli.commands import Cli, line


def bad_line() -> str:
    return "Q-1,someday,paid,クレジットカード,m9,m9@example.jp,見本 m9,煎茶,1,1200,1200"


def test_import_works_on_an_empty_folder_and_says_whose_documents_it_uses(cli: Cli) -> None:
    ran = cli("import", str(cli.file(line("A-1", "m1"))), "--channel", "own:main")

    assert ran.out == ""
    assert "no shop.toml: using the shipped sample documents" in ran.err
    assert "新規 1" in ran.err
    assert cli("channels", "list", "--json").json[0]["orders"] == 1


def test_json_stands_alone_on_standard_output(cli: Cli) -> None:
    ran = cli("import", str(cli.file(line("A-1", "m1"))), "--channel", "own:main", "--json")

    assert (ran.json["new"], ran.json["rejected"]) == (1, 0)
    assert "sample documents" in ran.err


def test_options_may_stand_before_the_command(cli: Cli) -> None:
    file = str(cli.file(line("A-1", "m1")))

    cli.raw("--data", str(cli.data), "import", file, "--channel", "own:main")

    ran = cli.raw("--data", str(cli.data), "export", "orders")
    assert json.loads(ran.out)["order_number"] == "A-1"


def test_a_rehearsal_stores_nothing(cli: Cli) -> None:
    file = str(cli.file(line("A-1", "m1")))

    assert cli("import", file, "--channel", "own:main", "--dry-run", "--json").json["new"] == 1

    assert cli("export", "orders").out == ""


def test_the_same_file_twice_changes_nothing(cli: Cli) -> None:
    file = str(cli.file(line("A-1", "m1")))
    cli("import", file, "--channel", "own:main")

    assert cli("import", file, "--channel", "own:main", "--json").json["already"]


def test_a_rejected_row_ends_with_one_and_can_be_mended(cli: Cli) -> None:
    ran = cli("import", str(cli.file(line("A-1", "m1"), bad_line())), "--channel", "own:main",
              expect=1)  # fmt: skip
    assert "line 3" in ran.err

    (case,) = cli("quarantine", "list", "--json", expect=1).json
    assert (case["order"], case["code"]) == ("Q-1", "bad_date")
    number = str(case["id"])
    assert cli("quarantine", "replay", "--json", expect=1).json["failed"] == 1
    cli("quarantine", "fix", number, "--set", "ordered_at", expect=2)
    fixed = cli("quarantine", "fix", number, "--set", "ordered_at=2026-11-01 10:00", "--json")
    assert fixed.json["replayed"] == 1
    cli("quarantine", "list")
    assert "no open case" in cli("quarantine", "dismiss", number, expect=2).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "absent.csv", "--channel", "own:x"), "absent.csv"),
        (("import", "{file}", "--channel", "mars:x"), "mars"),
        (("import", "{file}", "--channel", "own:x", "--active-from", "soon"), "'soon' is no date"),
        (("import", "{file}", "--channel", "own:x", "--profile", "nope"), "nope"),
        (("import", "{file}", "--channel", "own:x", "--encoding", "klingon"), "klingon"),
        (("imports", "undo", "99"), "99"),
        (("quarantine", "fix", "99", "--set", "a=b"), "99"),
        (("channels", "set", "own:absent", "--resume"), "own:absent"),
        (("pull", "own:absent"), "own:absent"),
    ],
)
def test_bad_input_is_told_in_words(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    file = str(cli.file(line("A-1", "m1")))

    ran = cli(*(part.format(file=file) for part in arguments), expect=2)

    assert said in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02" * 400, b"just words without a header\n", b"PK\x03\x04 no workbook"],
    ids=["empty", "binary", "words", "broken-workbook"],
)
def test_a_file_that_cannot_be_read_ends_with_two_and_stores_nothing(
    cli: Cli, content: bytes
) -> None:
    path = cli.data / "odd.csv"
    path.write_bytes(content)

    ran = cli("import", str(path), "--channel", "own:x", expect=2)

    assert len(ran.err.strip()) > 20
    assert cli("export", "orders").out == ""


def test_an_import_is_listed_and_taken_back(cli: Cli) -> None:
    cli.history()
    (row,) = cli("imports", "list", "--json").json
    assert (row["file"], row["state"], row["new"]) == ("orders.csv", "done", 6)

    report = cli("imports", "undo", str(row["id"]), "--json").json

    assert report["removed"] == 6
    assert len(report["cancelled_messages"]) == 2
    assert cli("export", "orders").out == ""


def test_a_dropped_file_is_pulled_listed_and_can_be_taken_back(cli: Cli) -> None:
    cli("import", str(cli.file(line("A-1", "m1"))), "--channel", "own:main")
    folder = cli.data / "drop" / "own_main"
    folder.mkdir(parents=True)
    cli.file(line("A-2", "m2"), name="dropped.csv").rename(folder / "dropped.csv")
    settle_at_once(cli)

    assert cli("pull", "--json").json["own:main"]["pages"] == 1

    rows = {row["file"]: row for row in cli("imports", "list", "--json").json}
    assert (rows["dropped.csv"]["state"], rows["dropped.csv"]["new"]) == ("done", 1)
    assert cli("imports", "undo", str(rows["dropped.csv"]["id"]), "--json").json["removed"] == 1
    assert json.loads(cli("export", "orders").out)["order_number"] == "A-1"


def settle_at_once(cli: Cli) -> None:
    """Make the file old enough to be whole."""
    for path in (cli.data / "drop" / "own_main").iterdir():
        old = time.time() - 60
        os.utime(path, (old, old))


def test_a_dropped_file_nobody_can_read_stays_and_stops_no_other(cli: Cli) -> None:
    cli("import", str(cli.file(line("A-1", "m1"))), "--channel", "own:main")
    folder = cli.data / "drop" / "own_main"
    folder.mkdir(parents=True)
    (folder / "odd.csv").write_bytes(b"just words without a header\n")
    settle_at_once(cli)
    assert cli("pull", expect=1).err != ""

    cli.file(line("A-2", "m2"), name="dropped.csv").rename(folder / "dropped.csv")
    settle_at_once(cli)
    cli("pull", expect=1)

    assert len(cli("export", "orders").out.splitlines()) == 2
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["odd.csv"]
    (channel,) = cli("channels", "list", "--json").json
    assert channel["paused"] == ""


def test_a_channel_tells_how_far_its_history_reaches(cli: Cli) -> None:
    cli.history()

    cli("channels", "set", "own:main", "--history-complete-since", "2020-01-01")
    assert cli("channels", "list", "--json").json[0]["history_complete_since"] == "2020-01-01"
    ran = cli("channels", "set", "own:main", "--history-complete-since", "forever", expect=2)
    assert "'forever' is no date" in ran.err
    cli("channels", "set", "own:main", "--history-complete-since", "orders")
    assert cli("channels", "list", "--json").json[0]["history_complete_since"] == ""


def test_a_folder_where_a_file_is_meant_is_refused(cli: Cli, tmp_path: Path) -> None:
    assert str(tmp_path) in cli("import", str(tmp_path), "--channel", "own:x", expect=2).err
