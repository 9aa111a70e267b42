"""Commands about mail that comes back: take it in from a pipe, a folder or a mailbox."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from worker.cli.opening import AsJson, Config, Data, Findings, Wrong, now, open_runtime, tell
from worker.mail.coming_back.mailbox import Delivered
from worker.mail.coming_back.parts import LONGEST
from worker.returning import Returned, mailboxes, take_one, take_returns

mail_app = typer.Typer(
    help="戻ってきたメール / Mail that comes back: bounces, complaints, replies.",
    no_args_is_help=True,
)
_TRY_AGAIN = 75
"""EX_TEMPFAIL: the mail server keeps the mail and offers it again."""

_NOTHING = (
    "標準入力か、OKAERI_RETURNS_FOLDER、OKAERI_IMAP_HOST のいずれかが必要です。\n"
    "Pipe a mail in with --stdin, or set OKAERI_RETURNS_FOLDER or OKAERI_IMAP_HOST."
)


@mail_app.callback()
def mail() -> None:
    """Keep ``take`` a command of its own group."""


@mail_app.command("take")
def mail_take(
    stdin: Annotated[bool, typer.Option("--stdin", help="One mail from standard input.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take in returned mail now; the service does it by itself every minute.

    With --stdin it ends with code 75 where the mail must be offered again later.
    """
    runtime = open_runtime(data, config)
    if stdin:
        raw = sys.stdin.buffer.read(LONGEST)
        if not raw.strip():
            raise Wrong("標準入力が空です / standard input is empty.")
        taken = take_one(runtime, runtime.context(), Delivered("-", raw), "pipe", now())
        if taken is None:
            raise typer.Exit(code=_TRY_AGAIN)
        outcome = "again" if taken.again else taken.outcome
        done = Returned(counts=Counter({outcome: 1}))
    else:
        if not mailboxes(runtime.settings):
            raise Wrong(_NOTHING)
        done = take_returns(runtime, now())
    total = sum(done.counts.values())
    lines = [f"{total}通を確かめました / took in {total}"]
    lines += [f"  {name}: {count}" for name, count in sorted(done.counts.items())]
    text = "\n".join([*lines, *done.problems])
    tell({"taken": done.counts, "problems": done.problems}, as_json=as_json, text=text)
    if done.problems:
        raise Findings
