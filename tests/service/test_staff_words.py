"""The words of `okaeri why` are the desk's own, and no state, flag, kind or move lacks one."""

from __future__ import annotations

import tomllib

import pytest

from tests.folders import ROOT
from worker.rules.staff_words import ACTORS, FLAGS, GRANTS, KINDS, MOVES, STATES
from worker.rules.states import MOVES as ALLOWED
from worker.rules.states import Actor, Flag, GrantState, MailKind, MessageState


@pytest.mark.parametrize(("place", "locale"), [(0, "ja"), (1, "en")])
def test_the_desk_and_the_command_line_use_one_word_for_one_thing(place: int, locale: str) -> None:
    desk = tomllib.loads((ROOT / "console" / "words" / f"{locale}.toml").read_text("utf-8"))
    tables = {"state": STATES, "kind": KINDS, "flag": FLAGS, "move": MOVES, "actor": ACTORS}

    for name, table in tables.items():
        ours = {code: words[place] for code, words in table.items()}
        assert ours == {code: desk[name][code] for code in ours}


def test_nothing_lacks_a_word() -> None:
    assert set(STATES) == set(MessageState)
    assert set(KINDS) == set(MailKind)
    assert set(FLAGS) >= set(Flag)
    assert set(ACTORS) >= set(Actor)
    assert set(GRANTS) == set(GrantState)
    assert {move.name for move in ALLOWED} - set(MOVES) == {"journal_says"}
