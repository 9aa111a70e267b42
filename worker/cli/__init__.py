"""The command line: every action of the desk, and what only the installer needs."""

from __future__ import annotations

from typing import Any

import typer
from sqlalchemy.exc import DBAPIError
from typer.core import TyperGroup

from connectors.contract import NeedsPerson
from worker.cli import (
    channels,
    coupons,
    demo,
    desk,
    imports,
    ledger,
    mail,
    requests,
    service,
    users,
)
from worker.cli.opening import Config, Data, Wrong, remember, words
from worker.demo.markets import NoMarkets
from worker.demo.story import DemoStuck
from worker.documents import DocumentsWrong
from worker.embedded import NoBroker
from worker.live import UnknownChannel
from worker.pipeline.coupons import PoolRefused
from worker.pipeline.import_undo import UndoRefused
from worker.pipeline.merging import MergeRefused
from worker.pipeline.packing import ItemGone
from worker.pipeline.quarantine import CaseRefused
from worker.pipeline.rank import UnknownRank
from worker.pipeline.review import Refused, StaleEdit
from worker.pipeline.rewards import GrantRefused
from worker.rules.states import MoveRefused
from worker.settings import SettingsWrong
from worker.supervisor import PortTaken

_WRONG = (
    Wrong,
    DocumentsWrong,
    SettingsWrong,
    NeedsPerson,
    NoBroker,
    PortTaken,
    NoMarkets,
    DemoStuck,
    Refused,
    MoveRefused,
    MergeRefused,
    OSError,
    UnknownChannel,
    PoolRefused,
    GrantRefused,
    CaseRefused,
    UndoRefused,
    UnknownRank,
    ItemGone,
    StaleEdit,
)
"""Errors whose text is written for whoever runs the command: exit code 2, no traceback."""


class _Plain(TyperGroup):
    """Tells wrong usage and configuration in words instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _WRONG as error:
            words.print(_words_of(error), style="red", markup=False)
            raise typer.Exit(code=2) from error
        except DBAPIError as error:
            words.print(f"{_STORE}{error.orig}", style="red", markup=False)
            raise typer.Exit(code=2) from error


_STORE = "保存先を使えません。何も失われていません / the store cannot be used, nothing is lost: "


def _words_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


app = typer.Typer(
    cls=_Plain,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="おかえり: 受注から、その方に合った御礼メールまで / from orders to the right thank-you.",
)


@app.callback()
def folders(data: Data = None, config: Config = None) -> None:
    """Options given before the command hold for it too."""
    remember(data, config)


app.command("init")(service.init)
app.command("run")(service.run)
app.command("demo")(demo.demo)
app.command("import")(imports.import_command)
app.add_typer(imports.imports_app, name="imports")
app.add_typer(imports.quarantine_app, name="quarantine")
app.add_typer(channels.channels_app, name="channels")
app.command("pull")(channels.pull_command)
app.add_typer(desk.review_app, name="review")
app.add_typer(requests.requests_app, name="requests")
app.add_typer(mail.mail_app, name="mail")
app.command("dispatch")(service.dispatch)
app.command("stop")(service.stop_command)
app.add_typer(ledger.packing_app, name="packing")
app.add_typer(coupons.coupons_app, name="coupons")
app.add_typer(ledger.customers_app, name="customers")
app.command("why")(ledger.why)
app.command("export")(ledger.export)
app.command("verify")(ledger.verify_command)
app.add_typer(desk.documents_app, name="documents")
app.command("backup")(service.backup)
app.command("rearm")(service.rearm_command)
app.command("console")(service.console)
app.command("login")(service.login)
app.add_typer(users.users_app, name="users")
app.add_typer(users.tokens_app, name="tokens")
