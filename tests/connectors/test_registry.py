"""Kinds are found by name, imported late, and an unknown one is told."""

import subprocess
import sys

import pytest

from connectors import contract
from connectors.contract import BadRecord, ChannelConfig, Connector, Family, NeedsPerson
from connectors.registry import KINDS, connector_class, kinds, open_connector


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
