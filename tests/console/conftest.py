"""A desk on a filled store, with one user per role and a clock that stands still."""

from __future__ import annotations

import base64
import re
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from console import auth
from console.app import create_app
from tests.console.browsers import address, browser, open_desk
from tests.console.sample import KEY, NOW, fill, message_id
from worker.documents import load_documents
from worker.mail.texts import FolderSource, shipped_root
from worker.pipeline.context import Context
from worker.resources import shipped
from worker.rules.states import Role
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.engine import open_engine, reading, writing
from worker.store.messages import Message, MessageBody
from worker.store.running import User
from worker.store.schema import all_tables

with warnings.catch_warnings():
    # Starlette would rather have another HTTP client; httpx does all that these tests ask.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["address", "browser", "open_desk"]
PASSWORD = "correct horse"
NAMES = {Role.VIEWER: "見田", Role.EDITOR: "中村", Role.APPROVER: "森本", Role.ADMIN: "管"}


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The present instant of the test."""
        return self.now


@dataclass
class Visitor:
    """One browser: fetches pages and sends their forms."""

    client: TestClient
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Response:
        """Fetch a page; the token of its forms is remembered."""
        answer: Response = self.client.get(path, headers=self.headers)
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        self.csrf = found.group(1) if found else self.csrf
        return answer

    def send(self, path: str, **values: Any) -> Response:
        """Send a form as a browser without script does."""
        answer: Response = self.client.post(
            path,
            data={"csrf": self.csrf, **values},
            headers={"origin": "http://desk.test", **self.headers},
            follow_redirects=False,
        )
        return answer


Row = TypeVar("Row", Message, MessageBody)
Enter = Callable[..., Visitor]


@pytest.fixture(scope="session")
def _desk_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filled store, made once: hashing passwords is slow on purpose."""
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    engine = open_engine(f"sqlite:///{path}")
    all_tables().create_all(engine)
    with writing(engine) as session:
        fill(session)
        for role, name in NAMES.items():
            auth.create_user(session, name, role, NOW, PASSWORD if role is Role.EDITOR else None)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def desk_engine(_desk_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """The filled store of this test's own."""
    shutil.copyfile(_desk_template, tmp_path / "desk.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'desk.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    """The desk's clock."""
    return Clock()


def make_context() -> Context:
    """The shipped documents with a test key; the marketplaces' relays are set up."""
    documents = load_documents(shipped("config"))
    shop = replace(documents.shop, relays=("rakuten:main", "yahoo:main"))
    texts = FolderSource(shipped_root())
    return Context(documents=replace(documents, shop=shop), texts=texts, key=KEY)


@pytest.fixture
def app(desk_engine: Engine, clock: Clock, tmp_path: Path) -> Iterator[FastAPI]:
    """The desk. The sample's mails were not rendered from their orders: nothing to recheck."""
    context = make_context()
    key = SecretStr(base64.b64encode(KEY).decode())
    url = desk_engine.url.render_as_string(hide_password=False)
    runtime = Runtime(Settings(data=tmp_path, database_url=url, key=key))
    yield create_app(
        desk_engine, lambda _session: context, data_dir=tmp_path, clock=clock, recheck=None,
        runtime=runtime,
    )  # fmt: skip
    runtime.dispose()


@pytest.fixture
def enter(app: FastAPI, desk_engine: Engine, clock: Clock) -> Iterator[Enter]:
    """Come in by role, by a one-time link; None stays outside."""
    opened: list[TestClient] = []

    def entering(role: Role | None = Role.APPROVER, language: str = "ja") -> Visitor:
        client = TestClient(app, base_url="http://desk.test", follow_redirects=True)
        opened.append(client)
        visitor = Visitor(client, headers={"accept-language": language})
        if role is not None:
            with writing(desk_engine) as session:
                user = session.scalars(select(User).where(User.name == NAMES[role])).one()
                token = auth.one_time_link(session, user, clock.now)
            visitor.client.get(f"/login/once/{token}", follow_redirects=False)
            visitor.get("/more")
        return visitor

    yield entering
    for client in opened:
        client.close()


@dataclass(frozen=True)
class Ledger:
    """Looks into the store."""

    engine: Engine

    def message(self, place: int) -> Message:
        """The mail of the person at that place of the sample."""
        with reading(self.engine) as session:
            return _free(session, session.get_one(Message, message_id(place)))

    def body(self, place: int) -> MessageBody:
        """Its words."""
        with reading(self.engine) as session:
            return _free(session, session.get_one(MessageBody, message_id(place)))


def _free(session: Session, row: Row) -> Row:
    session.expunge(row)
    return row


@pytest.fixture
def ledger(desk_engine: Engine) -> Ledger:
    """Looks into the desk's store."""
    return Ledger(desk_engine)
