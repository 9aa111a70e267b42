"""What the tests of the steps share: a session of their own, an own shop, a shop that may send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.factories import make_channel
from tests.pipeline.approved import shop_context
from worker.pipeline.context import Context
from worker.store.channels import Channel
from worker.store.engine import writing


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on an empty store of its own."""
    with writing(engine) as opened:
        yield opened


@pytest.fixture
def channel(session: Session) -> Channel:
    """An own shop."""
    return make_channel(session)


@pytest.fixture
def ctx() -> Context:
    """A shop that may send."""
    return shop_context()
