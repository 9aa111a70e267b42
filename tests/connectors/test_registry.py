"""Kinds are found by name, imported late, and an unknown one is told."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from connectors import contract
from connectors.contract import (
    BadRecord,
    ChannelConfig,
    Connector,
    Family,
    NeedsPerson,
    Pace,
    Vault,
)
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.registry import KINDS, connector_class, is_live, kinds, open_connector

CONFIG = ChannelConfig("own:live", "live", Family.OWN, {})


def test_every_kind_of_the_dictionary_opens_a_connector() -> None:
    for kind in KINDS:
        assert connector_class(kind).kind == kind  # type: ignore[attr-defined]
    assert kinds()[0] == "csv_file"


def test_an_unknown_kind_lists_those_at_hand() -> None:
    with pytest.raises(NeedsPerson) as caught:
        open_connector(ChannelConfig("x:y", "ebay", Family.OWN, {}))
    assert "csv_file" in caught.value.remedy


def test_an_outside_package_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "outside"

        @staticmethod
        def load() -> object:
            return lambda config, **places: (config.name, sorted(places))

    monkeypatch.setattr("connectors.registry.entry_points", lambda group: [Point])
    config = ChannelConfig("x:y", "outside", Family.OWN, {})
    assert kinds()[-1] == "outside"
    assert str(open_connector(config)) == "('x:y', [])"


def test_the_registry_imports_no_connector_by_itself() -> None:
    code = "import sys, connectors.registry; print('connectors.csv_file' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_the_contract_exports_exactly_what_it_promises() -> None:
    public = {
        name
        for name, value in vars(contract).items()
        if getattr(value, "__module__", "") == contract.__name__ and not name.startswith("_")
    }
    assert public == set(contract.__all__)
    assert Connector.__name__ in public


def test_a_bad_record_carries_both_languages() -> None:
    bad = BadRecord("code", "Reason.", reason_ja="理由。", position="line 1")
    assert (bad.code, bad.reason, bad.reason_ja) == ("code", "Reason.", "理由。")
    assert BadRecord("code", "Reason.").reason_ja == ""


class Live:
    """A kind that takes its tools by name."""

    kind = "live"
    LANES: ClassVar[dict[str, tuple[float, float]]] = {"orders": (1.0, 1.0)}

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self.vault, self.pace, self.places = vault, pace, places


def test_a_live_kind_is_given_vault_and_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "live", f"{__name__}:Live")
    vault, pace = MemoryVault({}), LocalPace({})
    opened = open_connector(CONFIG, vault=vault, pace=pace, drop=Path("drop"))
    assert isinstance(opened, Live)
    assert (opened.vault, opened.pace, opened.places) == (vault, pace, {"drop": Path("drop")})
    assert (is_live("live"), is_live("csv_file")) == (True, False)


def test_a_live_kind_that_only_maps_has_an_empty_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "live", f"{__name__}:Live")
    opened = open_connector(CONFIG)
    assert isinstance(opened, Live)
    assert opened.vault.get("anything") is None
