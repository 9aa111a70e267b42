"""channels login: the browser's answer is taken once, on the loopback or pasted."""

from __future__ import annotations

import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.commands import Cli, Ran
from tests.connectors.thebase.stub import CLIENT, REDIRECT, SECRET, BaseShop

NAME = "own:base"


@pytest.fixture
def shop() -> Iterator[BaseShop]:
    made = BaseShop()
    yield made
    made.loopback.stop()


def add(cli: Cli, shop: BaseShop, redirect: str = REDIRECT, *, given: str, expect: int = 0) -> Ran:
    answers = f"{CLIENT}\n{SECRET}\n{redirect}\n\n{given}"
    return cli(
        "channels", "add", NAME, "--kind", "thebase", "--set", f"base_url={shop.url}", "--yes",
        given=answers, expect=expect,
    )  # fmt: skip


def set_up(cli: Cli, shop: BaseShop, redirect: str = REDIRECT) -> Ran:
    """Everything is entered but the token that a login brings."""
    values = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": redirect}
    secrets = []
    for name, value in values.items():
        path = cli.data / f"{name}.txt"
        path.write_text(value, "utf-8")
        secrets += ["--secret", f"{name}=file:{path}"]
    return cli(
        "channels", "add", NAME, "--kind", "thebase", "--set", f"base_url={shop.url}", "--yes",
        *secrets, expect=1,
    )  # fmt: skip


def test_adding_a_channel_leads_through_the_login_and_tries_it(cli: Cli, shop: BaseShop) -> None:
    ran = add(cli, shop, given="good-code\n")
    assert f"{shop.url}/1/oauth/authorize?" in ran.err
    assert "ログインできました" in ran.err
    assert "BASEに接続できました" in ran.err
    assert "refresh-token" not in ran.err + ran.out
    (row,) = cli("channels", "list", "--json").json
    assert "refresh_token" in row["credentials"]


def test_a_script_is_not_stopped_but_told_what_is_left(cli: Cli, shop: BaseShop) -> None:
    assert f"okaeri channels login {NAME}" in set_up(cli, shop).err


def test_the_pasted_address_must_carry_this_login_and_a_code(cli: Cli, shop: BaseShop) -> None:
    set_up(cli, shop)
    foreign = f"{REDIRECT}?code=good-code&state=of-somebody-else\n"
    ran = cli("channels", "login", NAME, given=foreign, expect=2)
    assert "始めたログインではありません" in ran.err
    ran = cli("channels", "login", NAME, given=f"{REDIRECT}?code=good-code\n", expect=2)
    assert "始めたログインではありません" in ran.err, "an address without a state is not trusted"
    ran = cli("channels", "login", NAME, given="bad-code\n", expect=2)
    assert "期限が切れました" in ran.err
    assert shop.given == 0
    cli("channels", "login", NAME, given="good-code\n")
    assert shop.given == 1


def test_a_shop_that_is_away_is_told_as_such(cli: Cli, shop: BaseShop) -> None:
    set_up(cli, shop)
    shop.loopback.stop()
    assert "応答しません" in cli("channels", "login", NAME, given="good-code\n", expect=2).err


def test_a_kind_without_logins_says_so(cli: Cli) -> None:
    cli("channels", "add", "own:files", "--kind", "csv_file", "--yes", expect=1)
    assert "ログインがありません" in cli("channels", "login", "own:files", expect=2).err
    assert "own:absent" in cli("channels", "login", "own:absent", expect=2).err


class Browser(threading.Thread):
    """Opens the loopback as a browser does once the person has allowed it."""

    def __init__(self, cli: Cli, redirect: str, told: list[int]) -> None:
        super().__init__(daemon=True)
        self.cli, self.redirect, self.told = cli, redirect, told
        self.state = ""

    def run(self) -> None:
        self.ask("code=good-code&state=another")
        while not self.state:
            time.sleep(0.01)
        self.ask(f"code=good-code&state={self.state}", path="/elsewhere")
        self.ask(f"code=good-code&state={self.state}")

    def ask(self, query: str, path: str = "/back") -> None:
        address = urlsplit(self.redirect)._replace(path=path, query=query).geturl()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    self.told.append(answer.status)
                return
            except urllib.error.HTTPError as refused:
                self.told.append(refused.code)
                return
            except OSError:
                time.sleep(0.02)


def test_the_loopback_takes_the_answer_of_this_login_alone(
    cli: Cli, shop: BaseShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    redirect = f"http://127.0.0.1:{_free_port()}/back"
    monkeypatch.setattr("tests.connectors.thebase.stub.REDIRECT", redirect)
    set_up(cli, shop, redirect)
    told: list[int] = []
    browser = Browser(cli, redirect, told)
    monkeypatch.setattr("worker.cli.logging_in.words", _Screen(browser))
    browser.start()
    cli("channels", "login", NAME)
    browser.join(20)
    assert told == [400, 400, 200]
    assert shop.given == 1


class _Screen:
    """What the person reads, and gives to the browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def print(self, text: str, **_how: object) -> None:
        found = re.search(r"https?://\S+oauth/authorize\S+", text)
        if found:
            self.browser.state = parse_qs(urlsplit(found.group()).query)["state"][0]


def test_a_taken_port_is_told_with_the_way_round_it(
    cli: Cli, shop: BaseShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        redirect = f"http://127.0.0.1:{taken.getsockname()[1]}/back"
        set_up(cli, shop, redirect)
        assert "--paste" in cli("channels", "login", NAME, expect=2).err
        monkeypatch.setattr("tests.connectors.thebase.stub.REDIRECT", redirect)
        cli("channels", "login", NAME, "--paste", given="good-code\n")


def test_nobody_comes_and_the_command_ends(
    cli: Cli, shop: BaseShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(cli, shop, f"http://127.0.0.1:{_free_port()}/back")
    monkeypatch.setattr("worker.cli.logging_in.LIFE", timedelta(seconds=0.2))
    assert "返事がありませんでした" in cli("channels", "login", NAME, expect=2).err


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
