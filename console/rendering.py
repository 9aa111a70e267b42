"""Turning view models into pages: one Jinja2 environment, everything escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from console.shell import Shell, shell
from console.visit import Visit
from console.words import Words

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


@cache
def asset(path: str) -> str:
    """Address of a static file, changing with its content so that it may be kept for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


def page(visit: Visit, template: str, code: int = 200, /, **model: Any) -> HTMLResponse:
    """A page of the desk with its menu and counts."""
    around: Shell = shell(visit)
    return _html(visit.words, template, code, {"shell": around, "csrf": visit.login.csrf, **model})


def fragment(visit: Visit, template: str, /, **model: Any) -> HTMLResponse:
    """A part of a page, for htmx."""
    return _html(visit.words, template, 200, {"csrf": visit.login.csrf, **model})


def plain_page(words: Words, template: str, code: int = 200, /, **model: Any) -> HTMLResponse:
    """A page for somebody who is not logged in, or an error: no menu."""
    return _html(words, template, code, model)


def _html(words: Words, name: str, status: int, model: dict[str, Any]) -> HTMLResponse:
    template = _environment().get_template(name)
    html = template.render(t=words, lang=words.locale, has=partial(words.has), **model)
    return HTMLResponse(html, status_code=status)


def go(address: str) -> Response:
    """After a form: to a page of our own, by GET."""
    return RedirectResponse(address, status_code=303)


def own_path(wanted: str, otherwise: str = "/") -> str:
    """The path if it is one of ours: never another site, whatever a form says."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    harmless = plain and not any(sign in wanted for sign in "\r\n\t\\")
    return wanted if harmless else otherwise


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def known(value: str, allowed: Sequence[str], otherwise: str = "") -> str:
    """The value where it is one of the allowed, for query strings that people may type."""
    return value if value in allowed else otherwise
