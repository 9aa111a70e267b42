"""What the tests of the WooCommerce connector share: the description of its interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

SUBSET = Path(__file__).parents[4] / "shared/contracts/woocommerce/wc-v3-subset.openapi.yaml"


@pytest.fixture(scope="session")
def subset() -> dict[str, Any]:
    if not SUBSET.exists():
        pytest.skip("../shared/contracts is not here")
    found: dict[str, Any] = yaml.safe_load(SUBSET.read_text("utf-8"))
    return found
