"""The sample of channels in docs: every kind has a block, and it can be applied as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Credential
from connectors.registry import KINDS, connector_class
from tests.cli.commands import Cli
from worker.pipeline.channel_declared import problems_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "channels.example.toml"


def told() -> dict[str, Any]:
    channels: dict[str, Any] = tomllib.loads(EXAMPLE.read_text("utf-8"))["channels"]
    return channels


def asked(kind: str) -> tuple[Credential, ...]:
    return tuple(getattr(connector_class(kind), "CREDENTIALS", ()))


def test_every_kind_has_a_block_without_a_mistake() -> None:
    assert problems_of(told()) == []
    assert sorted(each["kind"] for each in told().values()) == sorted(KINDS)


@pytest.mark.parametrize("name", sorted(told()))
def test_a_block_names_what_the_kind_must_be_told_and_holds_no_secret(name: str) -> None:
    block = told()[name]
    named = block.get("credentials", {})

    assert {each.name for each in asked(block["kind"]) if not each.optional} <= named.keys()
    assert all(source == "" or source.startswith(("env:", "file:")) for source in named.values())


def test_it_can_be_applied_as_it_stands(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in told().values():
        for source in block.get("credentials", {}).values():
            way, _, place = source.partition(":")
            if way == "env":
                monkeypatch.setenv(place, "invented")
            elif way == "file":
                Path(place).write_text("invented\n", "utf-8")

    cli("channels", "apply", str(EXAMPLE))

    listed = cli("channels", "list", "--json").json
    assert sorted(each["channel"] for each in listed) == sorted(told())
    assert cli("channels", "apply", str(EXAMPLE), "--dry-run", "--json").json is not None


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_page_and_a_row_in_the_table(kind: str) -> None:
    table = (ROOT / "connectors" / "README.md").read_text("utf-8")

    assert (ROOT / "connectors" / kind / "README.md").is_file()
    assert f"`{kind}/`" in table
