"""`okaeri coupons`: what it says of files, of pools made live, and of what stops them."""

from __future__ import annotations

from sqlalchemy import select, update

from tests.cli.commands import Cli
from worker.mail.coupons import new_code
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel
from worker.store.reward_sources import CouponSourceRow


def shop(cli: Cli) -> Runtime:
    """An own shop whose kind can make codes."""
    cli.history()
    runtime = Runtime(Settings(data=cli.data))
    with runtime.transaction() as session:
        session.execute(update(Channel).values(kind="woocommerce"))
    return runtime


def test_load_says_what_its_numbers_are(cli: Cli) -> None:
    codes = cli.data / "codes.txt"
    codes.write_text("".join(new_code() + "\n" for _ in range(2)))
    told = cli("coupons", "load", "p5", str(codes), "--value", "500").err
    assert "p5: 追加 2件、登録済み 0件、読めない行 0件" in told
    assert "2 added, 0 known already, 0 unreadable lines" in told


def test_load_names_the_lines_it_cannot_read_and_adds_nothing(cli: Cli) -> None:
    codes = cli.data / "codes.txt"
    codes.write_text(f"{new_code()}\nx y z\n")
    told = cli("coupons", "load", "p5", str(codes), "--value", "500", expect=1).err
    assert "line 2: a code holds no space" in told
    assert "nothing was added" in told
    assert cli("coupons", "list", "--json").json == []


def test_a_live_pool_is_declared_listed_and_resumed(cli: Cli) -> None:
    runtime = shop(cli)
    terms = ("--channel", "own:main", "--value", "500", "--minimum", "3000", "--days", "60")
    told = cli("coupons", "live", "five", *terms).err
    assert "codes are made at own:main when they are needed" in told
    with runtime.transaction() as session:
        source = session.scalars(select(CouponSourceRow)).one()
        assert (source.valid_days, source.bound, source.percent) == (60, True, None)
        source.paused, source.problem = True, "The key may not write."
    (row,) = cli("coupons", "list", "--json").json
    assert (row["live"], row["left"], row["low"], row["stopped"]) == (True, None, True, True)
    assert row["problem"] == "The key may not write."
    made = cli("coupons", "make", "--json", expect=1).json
    assert made == {"confirmed": 0, "waiting": 0, "problems": ["five: The key may not write."]}
    cli("coupons", "resume", "five")
    assert cli("coupons", "list", "--json").json[0]["problem"] == ""
    assert cli("coupons", "make", "--json").json["problems"] == []


def test_wrong_terms_are_told_in_words(cli: Cli) -> None:
    shop(cli)
    for terms, said in (
        (("--channel", "own:no", "--value", "5"), "there is no channel 'own:no'"),
        (("--channel", "own:main"), "value: give either value"),
        (("--channel", "own:main", "--percent", "101"), "percent: a percentage is 1 to 100."),
        (("--channel", "own:main", "--value", "5", "--days", "0"), "valid_days: 1 to 730 days."),
    ):
        assert said in cli("coupons", "live", "five", *terms, expect=2).err
    assert "is no pool" in cli("coupons", "resume", "five", expect=2).err
    assert cli("coupons", "list", "--json").json == []
