"""The conformance source of csv_file: one drop folder with a file of several pages."""

from __future__ import annotations

import os
from pathlib import Path

from connectors.contract import ChannelConfig, Connector, Family
from connectors.registry import open_connector
from tests.connectors.harness import NOW, Expected

_COUNT = 1100


class CsvFileHarness:
    """Orders 1 to 1100, one with a bad amount, one row of the wrong width."""

    stream = "files"
    expected = Expected(
        totals={str(n): n * 10 for n in range(1, _COUNT + 1) if n != 700},
        bad_records=2,
        private=("hanako", "見本", "090-0000-0000", "渋谷区"),
    )

    def open(self, folder: Path) -> Connector:
        """Drop the same file into a fresh folder."""
        drop = folder / "own_shop"
        drop.mkdir(parents=True)
        path = drop / "orders.csv"
        lines = ["order_number,ordered_at,email,name,phone,address,total,status"]
        for n in range(1, _COUNT + 1):
            total = "1.5" if n == 700 else str(n * 10)
            person = f"hanako{n}@example.jp,見本 花子,090-0000-0000,渋谷区{n}"
            lines.append(f"{n},2026-02-01 10:00:00,{person},{total},paid")
        lines.insert(900, "9999,2026-02-01,hanako@example.jp,見本")
        path.write_text("\n".join(lines) + "\n", "utf-8")
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
        config = ChannelConfig("own:shop", "csv_file", Family.OWN, {})
        return open_connector(config, drop=folder)


harness = CsvFileHarness()
