"""review, dispatch, stop, documents: the desk without a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.cli.commands import Cli
from worker.rules.staff_words import FLAGS
from worker.rules.states import MessageState
from worker.runtime import Runtime, clock
from worker.sending import standing
from worker.settings import Settings
from worker.store.messages import Message


def test_the_queue_lists_what_waits_and_shows_a_mail(cli: Cli) -> None:
    cli.history()

    rows = cli("review", "list", "--json").json
    shown = cli("review", "show", rows[0]["id"], "--json").json

    assert len(rows) == 2
    assert shown["state"] == "in_review"
    assert shown["orders"] == ["A-1"] or shown["orders"] == ["A-2"]
    assert "様" in shown["text"]
    assert shown["subject"] in cli("review", "show", rows[0]["id"]).err
    assert rows[0]["id"] in cli("review", "list").out


def test_why_says_what_a_held_mail_is_held_for(cli: Cli) -> None:
    cli.history()
    message = cli.message()

    cli("review", "hold", message, "--reason", "call first")

    assert "held because: call first" in cli("why", message, "--lang", "en").out


def test_the_list_says_how_many_are_on_hold(cli: Cli) -> None:
    cli.history()
    for row in cli("review", "list", "--json").json:
        cli("review", "hold", row["id"], "--reason", "call first")

    said = cli("review", "list").err

    assert "nothing to review" in said
    assert "2 on hold: `okaeri review list --state on_hold`" in said


def test_an_approved_mail_can_be_undone_and_held_and_sent_back(cli: Cli) -> None:
    cli.history()
    message = cli.message()

    assert cli("review", "approve", message, "--json").json == {"approved": [message]}
    cli("review", "undo", message)
    cli("review", "hold", message, "--reason", "call first")
    cli("review", "release", message)
    cli("review", "send-back", message, "--reason", "too stiff")
    assert cli("review", "show", message, "--json").json["state"] == "sent_back"


def test_edited_words_are_what_the_mail_says(cli: Cli) -> None:
    cli.history()
    message = cli.message()
    text = cli.data / "text.txt"
    text.write_text(
        cli("review", "show", message, "--json").json["text"] + "またお待ちしています。\n", "utf-8"
    )

    cli("review", "edit", message, "--text-file", str(text), "--subject", "御礼")

    shown = cli("review", "show", message, "--json").json
    assert shown["subject"] == "御礼"
    assert "またお待ちしています。" in shown["text"]


def test_a_stale_version_is_refused(cli: Cli) -> None:
    cli.history()
    message = cli.message()

    ran = cli("review", "hold", message, "--version", "0", expect=2)

    assert message in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("review", "show", "01ABSENT"),
        ("review", "approve", "01ABSENT"),
        ("review", "approve"),
        ("review", "list", "--kind", "spam"),
        ("review", "resolve", "01ABSENT", "--was", "eaten"),
        ("review", "edit", "01ABSENT", "--text-file", "absent.txt"),
        ("stop", "--lift"),
        ("stop", "--channel", "own:absent"),
        ("documents", "push", "--note", "first"),
    ],
)
def test_what_cannot_be_done_ends_with_two_and_a_sentence(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    ran = cli(*arguments, expect=2)

    assert ran.out == ""
    assert len(ran.err.strip()) > 10
    assert "Traceback" not in ran.err


def test_approving_many_wants_the_exact_number(cli: Cli) -> None:
    cli.history()

    cli("review", "approve", "--kind", "order_thanks", "--expected", "9", "--with-flagged",
        expect=2)  # fmt: skip
    ran = cli("review", "approve", "--kind", "order_thanks", "--expected", "2", "--with-flagged",
              "--json")  # fmt: skip

    assert len(ran.json["approved"]) == 2


def test_the_kill_switch_recalls_and_lifts(cli: Cli) -> None:
    cli.history()
    cli("review", "approve", cli.message())

    assert len(cli("stop", "--reason", "wrong text", "--json").json["messages"]) == 1
    assert cli("review", "list", "--state", "approved", "--json").json == []
    cli("review", "approve", cli.message(), expect=2)
    assert "1通が確認待ちに" in cli("stop", "--lift").err
    cli("review", "approve", cli.message())


def test_flags_are_told_in_words(cli: Cli) -> None:
    cli.history()

    shown = cli("review", "show", cli.message(), "--json").json
    told = cli("review", "show", cli.message()).err

    assert shown["flags"]
    for flag in shown["flags"]:
        assert flag not in told
        assert FLAGS[flag][0] in told


def test_mails_in_the_hands_of_another_dispatch_are_told(cli: Cli) -> None:
    cli.history()
    cli("review", "approve", cli.message())
    runtime = Runtime(Settings(data=cli.data))
    with runtime.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.state == MessageState.APPROVED)
            .values(lease_owner="another", lease_until=clock() + timedelta(seconds=90))
        )
    runtime.dispose()

    assert "1通は別の送信処理が" in cli("dispatch").err


def test_dispatch_sends_nothing_that_nobody_approved(cli: Cli) -> None:
    cli.history()

    ran = cli("dispatch", "--json")

    assert ran.json["counts"] == {}
    assert not (cli.data / "outbox").exists() or not list((cli.data / "outbox").iterdir())


def test_with_sample_documents_smtp_stays_shut(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKAERI_TRANSPORT", "smtp")
    monkeypatch.setenv("OKAERI_SMTP_HOST", "192.0.2.1")
    cli.history()

    cli("dispatch", "--json")

    runtime = Runtime(Settings(data=cli.data))
    assert standing(runtime, clock()).capture_only
    runtime.dispose()


def test_documents_are_published_compared_and_written_back(cli: Cli) -> None:
    cli("init", "--defaults", "--name", "みどり茶舗", "--sender", "shop@midori.example")
    cli("documents", "check")
    assert cli("documents", "push", "--note", "first", "--json").json == {"release": 1}
    assert cli("documents", "diff", "--json").json == []
    shop = cli.data / "config" / "shop.toml"
    first = shop.read_text("utf-8")
    shop.write_text(first.replace("みどり茶舗", "あおば茶舗"), "utf-8")

    assert cli("documents", "diff", "--json", expect=1).json == ["config/shop.toml"]
    ran = cli("documents", "diff", expect=1)
    assert "-name = " in ran.out
    assert "+name = " in ran.out
    assert cli("documents", "pull", "--json").json == ["config/shop.toml"]
    assert shop.read_text("utf-8") == first


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("review.toml", "undo_secs = 3\n", "review.toml:1: undo_secs"),
        ("review.toml", 'undo_seconds = "soon"\n', "review.toml:1: undo_seconds"),
        ("ranks.toml", "[[rungs]\n", "ranks.toml:1"),
        ("milestone.toml", "", "milestone.toml: unknown document"),
    ],
)
def test_a_wrong_document_is_told_by_file_and_line(
    cli: Cli, file: str, text: str, said: str
) -> None:
    cli("init", "--defaults", "--name", "店")
    (cli.data / "config" / file).write_text(text, "utf-8")

    for command in (("documents", "check"), ("run",), ("export", "orders")):
        ran = cli(*command, expect=2)
        assert said in ran.err
        assert ran.out == ""


def test_a_document_in_another_encoding_is_told_by_line(cli: Cli) -> None:
    cli("init", "--defaults", "--name", "店")
    path = cli.data / "config" / "shop.toml"
    path.write_bytes(b'zone = "Asia/Tokyo"\nname = "\x93X"\n')

    assert "shop.toml:2: not UTF-8" in cli("documents", "check", expect=2).err
