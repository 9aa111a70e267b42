"""channels: set up without a secret on the screen, checked in words, read, and kept as a file."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cli.commands import Cli
from tests.toy_shop import KEY, ToyServer, toy
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel

__all__ = ["toy"]
NAME = "own:toy"


def add(cli: Cli, toy: ToyServer, *more: str, key: str = KEY, expect: int = 0) -> None:
    path = cli.data / "key.txt"
    path.write_text(key + "\n", "utf-8")
    cli(
        "channels", "add", NAME, "--kind", "toy", "--set", f"base_url={toy.loopback.url}",
        "--secret", f"key=file:{path}", "--yes", *more, expect=expect,
    )  # fmt: skip


def stored(cli: Cli) -> bytes:
    return b"".join(path.read_bytes() for path in cli.data.glob("okaeri.db*"))


def test_credentials_are_asked_unseen_and_tried_at_once(cli: Cli, toy: ToyServer) -> None:
    ran = cli(
        "channels", "add", NAME, "--kind", "toy", "--set", f"base_url={toy.loopback.url}",
        given=f"y\n{KEY}\n\n",
    )  # fmt: skip
    assert "鍵を作り直すと" in ran.err
    assert "A new key stops your other tools." in ran.err
    assert "okaeri import" in ran.err, "the way by files is offered meanwhile"
    assert "設定→APIで見られます" in ran.err
    assert "つながりました" in ran.err
    assert KEY not in ran.err + ran.out
    assert KEY.encode() not in stored(cli)


def test_a_no_to_the_warnings_adds_nothing(cli: Cli, toy: ToyServer) -> None:
    cli("channels", "add", NAME, "--kind", "toy", given="n\n", expect=1)
    assert cli("channels", "list", "--json").json == []


def test_credentials_come_from_the_environment_too(
    cli: Cli, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_KEY", KEY)
    cli(
        "channels", "add", NAME, "--kind", "toy", "--set", f"base_url={toy.loopback.url}",
        "--secret", "key=env:TOY_KEY", "--yes",
    )  # fmt: skip
    (row,) = cli("channels", "list", "--json").json
    ends = datetime.fromisoformat(row["credentials"]["key"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("key=clear-value", "env:VARIABLE or file:PATH"),
        ("key=env:TOY_ABSENT", "there is nothing"),
        ("key=file:/absent/file", "there is nothing"),
        ("other=env:PATH", "toy has: key, hook"),
        ("clear-value", "name=value"),
    ],
)
def test_a_credential_that_cannot_be_taken_is_told_without_showing_it(
    cli: Cli, toy: ToyServer, secret: str, told: str
) -> None:
    ran = cli("channels", "add", NAME, "--kind", "toy", "--secret", secret, "--yes", expect=2)
    assert told in ran.err
    assert "clear-value" not in ran.err


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("rakuten:main", "toy", "own:main"),
        ("nonsense", "toy", "own:main"),
        ("own:main", "telepathy", "telepathy"),
    ],
)
def test_a_name_that_does_not_fit_its_kind_is_refused(
    cli: Cli, toy: ToyServer, name: str, kind: str, told: str
) -> None:
    assert told in cli("channels", "add", name, "--kind", kind, "--yes", expect=2).err


def test_a_wrong_key_is_told_in_words_and_a_later_check_works(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy, key="wrong-key-value", expect=1)
    ran = cli("channels", "check", NAME, expect=1)
    assert "401" in ran.err
    assert "wrong-key-value" not in ran.err
    add(cli, toy)
    (row,) = cli("channels", "check", "--json").json
    assert (row["channel"], row["works"]) == (NAME, True)


def test_a_source_that_is_away_is_told_as_such(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy)
    toy.loopback.stop()
    assert "時間をおいて" in cli("channels", "check", NAME, expect=1).err


def test_pause_keeps_it_from_being_polled_and_resume_ends_that(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy)
    cli("channels", "pause", NAME, "--reason", "棚卸し")
    assert cli("channels", "list", "--json").json[0]["paused"] == "棚卸し"
    assert f"okaeri channels resume {NAME}" in cli("channels", "check", NAME).err
    cli("channels", "resume", NAME)
    assert "resume" not in cli("channels", "check", NAME).err
    assert cli("channels", "list", "--json").json[0]["paused"] == ""
    for command in ("pause", "resume", "check", "pull", "backfill"):
        assert "own:absent" in cli("channels", command, "own:absent", expect=2).err


def test_pull_and_backfill_bring_the_orders(cli: Cli, toy: ToyServer) -> None:
    now = datetime.now(UTC)
    toy.add("T-1", now - timedelta(hours=1))
    toy.add("T-2", now - timedelta(days=50))
    add(cli, toy, "--since", (now - timedelta(days=2)).date().isoformat())
    cli("channels", "pull", NAME)
    assert cli("channels", "list", "--json").json[0]["orders"] == 1
    done = cli("channels", "backfill", NAME, "--json").json
    assert (done["finished"], done["progress"]["part"]) == (True, 1.0)
    assert cli("channels", "list", "--json").json[0]["orders"] == 2


def test_channels_are_written_down_without_secrets_and_taken_over_elsewhere(
    cli: Cli, toy: ToyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cli, toy, "--title", "見本の店", "--set", "lanes=2")
    cli("channels", "set", NAME, "--active-from", "2026-11-01", "--kind", "order_thanks")
    file = cli.data / "channels.toml"
    cli("channels", "export", str(file))
    text = file.read_text("utf-8")
    told = tomllib.loads(text)["channels"][NAME]
    assert KEY not in text
    assert (told["kind"], told["title"], told["settings"]["lanes"]) == ("toy", "見本の店", 2)
    assert "reading_since" not in told["settings"]
    assert told["active_from"].keys() == {"order_thanks"}
    assert told["credentials"] == {"key": ""}
    assert cli("channels", "apply", str(file), "--json").json == []

    monkeypatch.setenv("TOY_KEY", KEY)
    file.write_text(text.replace('key = ""', 'key = "env:TOY_KEY"'), "utf-8")
    other = Cli(tmp_path / "other")
    other.data.mkdir()
    (change,) = other("channels", "apply", str(file), "--json").json
    assert (change["channel"], change["made"]) == (NAME, True)
    assert other("channels", "check", "--json").json[0]["works"]


def test_tokens_a_connector_fetched_itself_are_not_written_down(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy)
    runtime = Runtime(Settings(data=cli.data))
    with runtime.transaction() as session:
        channel = session.scalars(select(Channel)).one()
        channel.secrets = {**channel.secrets, "fetched": channel.secrets["key"]}
    runtime.dispose()
    file = cli.data / "channels.toml"

    cli("channels", "export", str(file))

    assert "fetched" not in file.read_text("utf-8")
    assert cli("channels", "apply", str(file), "--json").json == []


def test_a_file_changes_what_it_names_and_leaves_a_pause_alone(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy)
    cli("channels", "pause", NAME, "--reason", "棚卸し")
    file = cli.data / "channels.toml"
    file.write_text(f'[channels."{NAME}"]\nkind = "toy"\ntitle = "新しい名"\n', "utf-8")
    (change,) = cli("channels", "apply", str(file), "--dry-run", "--json").json
    assert change["fields"] == ["title"]
    cli("channels", "apply", str(file))
    (row,) = cli("channels", "list", "--json").json
    assert row["paused"] == "棚卸し"
    assert cli("channels", "export", "--json").json[NAME]["title"] == "新しい名"


def test_mails_that_would_look_further_back_need_a_yes(cli: Cli, toy: ToyServer) -> None:
    add(cli, toy)
    cli("channels", "set", NAME, "--active-from", "2026-11-01", "--kind", "order_thanks")
    file = cli.data / "channels.toml"
    file.write_text(
        f'[channels."{NAME}"]\nkind = "toy"\n[channels."{NAME}".active_from]\n'
        "order_thanks = 2026-10-01T00:00:00+09:00\n",
        "utf-8",
    )
    ran = cli("channels", "apply", str(file), expect=2)
    assert f"{NAME} order_thanks: 0 通" in ran.err
    cli("channels", "apply", str(file), "--yes")
    told = cli("channels", "list", "--json").json[0]["active_from"]["order_thanks"]
    assert datetime.fromisoformat(told) == datetime.fromisoformat("2026-10-01T00:00:00+09:00")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("channels = 1", "write tables"),
        ('[channels."own:x"]', "kind: is missing"),
        ('[channels."own:x"]\nkind = "telepathy"', "telepathy"),
        ('[channels."own:x"]\nkind = "toy"\ncolour = 1', "colour: unknown"),
        ('[channels."own:x"]\nkind = "toy"\nactive_from = {x = 1}', "active_from.x"),
        (
            '[channels."own:x"]\nkind = "toy"\nactive_from = {order_thanks = 2026-11-01}',
            "2026-11-01T00:00:00+09:00",
        ),
        ('[channels."own:x"]\nkind = "toy"\nhistory_complete_since = "long"', "2026-11-01"),
        ('[channels."own:x"]\nkind = "toy"\ncredentials = {x = "env:Y"}', "credentials.x"),
        ('[channels."own:x"', "channels.toml"),
    ],
)
def test_a_wrong_file_is_told_with_the_place(
    cli: Cli, toy: ToyServer, text: str, told: str
) -> None:
    file = cli.data / "channels.toml"
    file.write_text(text, "utf-8")
    assert told in cli("channels", "apply", str(file), expect=2).err
    assert cli("channels", "list", "--json").json == []


def test_after_a_new_installation_key_credentials_are_sealed_anew(
    cli: Cli, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cli, toy)
    old = (cli.data / "secret.key").read_text("ascii").strip()
    (cli.data / "secret.key").unlink()
    assert "secret.key" in cli("channels", "check", NAME, expect=1).err
    monkeypatch.setenv("OKAERI_FORMER_KEY", old)
    assert cli("channels", "rotate", "--json").json == {"credentials": 1}
    monkeypatch.delenv("OKAERI_FORMER_KEY")
    cli("channels", "check", NAME)


def test_what_a_kind_must_know_besides_its_keys_is_asked(cli: Cli, toy: ToyServer) -> None:
    cli("channels", "add", NAME, "--kind", "toy", given=f"y\n{toy.loopback.url}\n{KEY}\n\n")
    assert cli("channels", "check", "--json").json[0]["works"]
    cli("channels", "add", NAME, "--kind", "toy", "--title", "新しい名", given=f"y\n{KEY}\n\n")
