"""The pretend marketplaces of the live demonstration run on what `make install` brings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.folders import ROOT

_OPEN = """
import json, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None
from datetime import UTC, datetime
from worker.demo.markets import NoMarkets, open_markets
try:
    found = open_markets(datetime.now(UTC))
except NoMarkets as error:
    sys.exit(str(error))
print(json.dumps(sorted(one.kind for one in found)))
for one in found:
    one.stop()
"""


def _plain(name: str) -> str:
    return re.split(r"[\[><=;~ ]", name)[0].lower().replace("_", "-")


def modules_of_tests_alone() -> list[str]:
    """Modules that the developers' extra brings and the installed product does not."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = told["optional-dependencies"]
    product = {_plain(each) for each in told["dependencies"] + extras["postgres"] + extras["demo"]}
    tests = {_plain(each) for each in extras["dev"]} - product
    return sorted(
        module
        for module, packages in packages_distributions().items()
        if {_plain(package) for package in packages} <= tests
    )


def opened(*missing: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _OPEN, json.dumps(missing)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )


def test_all_of_them_open_without_the_tools_of_the_tests() -> None:
    missing = modules_of_tests_alone()
    assert {"pytest", "hypothesis"} <= set(missing)

    ran = opened(*missing)

    assert ran.returncode == 0, ran.stderr
    kinds = sorted(path.parent.name for path in Path(ROOT, "tests/connectors").glob("*/demo.py"))
    assert json.loads(ran.stdout) == kinds


def test_a_missing_package_is_told_with_what_to_do() -> None:
    ran = opened("graphql")

    assert ran.returncode == 1
    assert "'graphql'" in ran.stderr
    assert "make install" in ran.stderr
    assert "Traceback" not in ran.stderr
