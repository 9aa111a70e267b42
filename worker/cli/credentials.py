"""How credentials reach a command: asked without echo, or from the environment or a file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from connectors.contract import Credential
from worker.cli.opening import Wrong, instant, text_of, words
from worker.pipeline.channel_admin import asked_settings, credentials_of, warnings_of
from worker.runtime import Runtime

_CSV = (
    "準備ができるまでは、受注CSVの取込 (okaeri import) で同じように使えます。\n"
    "Until it is ready, order files work the same way: okaeri import FILE --channel {channel}."
)


def tell_warnings(channel: str, kind: str, *, confirm: bool) -> None:
    """Say what a shop must know first, and offer the way by files. Raises Abort on a no."""
    told = [*warnings_of(kind), *warnings_of(kind, "en")]
    if not told:
        return
    words.print("ご注意 / Please note", style="bold yellow", markup=False)
    for text in told:
        words.print(f"・{text}", markup=False)
    words.print(_CSV.format(channel=channel), markup=False)
    if confirm:
        typer.confirm("続けますか / Go on?", abort=True, err=True)


def ask_credentials(
    kind: str, given: Sequence[str], *, keep: Collection[str] = ()
) -> dict[str, str]:
    """Take each credential from where it was said to be, else ask for it, secrets unseen.

    An empty answer leaves out an optional one and one that a login brings, and leaves one in
    ``keep`` as it is. Where any was given, only what is still needed is asked for: a script is
    not stopped. Raises Wrong.
    """
    sources = read_sources(_pairs(given, "--secret"))
    wanted = credentials_of(kind)
    unknown = sources.keys() - {each.name for each in wanted}
    if unknown:
        names = ", ".join(each.name for each in wanted) or "—"
        raise Wrong(f"--secret {min(unknown)}: {kind} has: {names}.")
    for each in wanted:
        free = each.optional or each.by_login or each.name in keep
        if each.name not in sources and not (sources and free):
            sources[each.name] = _ask(each, each.name in keep)
    return {name: value for name, value in sources.items() if value}


def _ask(credential: Credential, known: bool) -> str:
    words.print(f"{credential.where}\n{credential.where_en}", style="dim", markup=False)
    free = credential.optional or credential.by_login or known
    hint = _hint(credential, known)
    answer: str = typer.prompt(
        f"{credential.label} / {credential.label_en}{hint}",
        default="" if free else None,
        show_default=False,
        hide_input=credential.secret,
        err=True,
    )
    return answer.strip()


def _hint(credential: Credential, known: bool) -> str:
    if known:
        return " (空欄で変更なし / empty: unchanged)"
    if credential.by_login:
        return " (空欄ならブラウザでログイン / empty: log in with a browser)"
    return " (任意 / optional)" if credential.optional else ""


def ask_settings(kind: str, given: Mapping[str, Any], *, known: Collection[str]) -> dict[str, Any]:
    """Add what the kind must be told, such as the shop's address, to the settings given."""
    missing = [
        each
        for each in asked_settings(kind)
        if each.name not in given and each.name not in known and not each.optional
    ]
    return {**given, **{each.name: _ask(each, known=False) for each in missing}}


def tell_login(channel: str) -> None:
    """Say that the last of the credentials comes by a login."""
    words.print(
        f"あとはブラウザでのログインです / a login in the browser is left: "
        f"okaeri channels login {channel}",
        markup=False,
    )


def _read(name: str, source: str) -> str:
    how, _, place = source.partition(":")
    if how == "env" and place in os.environ:
        value = os.environ[place]
    elif how == "file" and Path(place).is_file():
        value = text_of(Path(place))
    elif how in {"env", "file"}:
        raise Wrong(f"--secret {name}={how}:{place}: there is nothing.")
    else:
        raise Wrong(
            f"--secret {name}=…: write env:VARIABLE or file:PATH. A clear value would stay in "
            "your shell's history; leave --secret out and you will be asked."
        )
    if not value.strip():
        raise Wrong(f"--secret {name}={how}:{place}: it is empty.")
    return value.strip()


def read_sources(sources: Mapping[str, str]) -> dict[str, str]:
    """Read credentials from their places, ``env:VARIABLE`` or ``file:PATH``. Raises Wrong."""
    return {name: _read(name, source) for name, source in sources.items()}


def settings_of(given: Sequence[str]) -> dict[str, Any]:
    """Settings from ``name=value``; true, false and whole numbers become themselves."""
    return {name: _plain(value) for name, value in _pairs(given, "--set").items()}


def _plain(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    # A shop number such as 0123 is a name, not a number.
    return int(text) if text.isdecimal() and text.isascii() and str(int(text)) == text else text


def ends_of(given: Sequence[str], kind: str, runtime: Runtime) -> dict[str, datetime]:
    """Ends of credentials from ``name=date``. Raises Wrong."""
    known = {each.name for each in credentials_of(kind)}
    found = _pairs(given, "--expires")
    for name in found.keys() - known:
        raise Wrong(f"--expires {name}: {kind} has: {', '.join(sorted(known)) or '—'}.")
    return {name: instant(value, runtime) for name, value in found.items()}


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    found = dict(item.partition("=")[::2] for item in given)
    for item in given:
        if "=" not in item:
            # The item itself is not repeated: it may be a secret that lost its name.
            raise Wrong(f"{option}: write it as name=value.")
    return found
