"""What a person or a program is told when something cannot be done."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from connectors.contract import NeedsPerson
from console.rendering import plain_page
from console.views.channel_words import in_language
from console.visit import (
    ForeignRequest,
    NoSuchPlace,
    NotAllowed,
    NotForPrograms,
    NotLoggedIn,
    language_of,
)
from console.words import Words, words_of
from worker.pipeline.merging import MergeRefused
from worker.pipeline.packing import ItemGone
from worker.pipeline.quarantine import CaseRefused
from worker.pipeline.rank import UnknownRank
from worker.pipeline.review_words import Refused, StaleEdit
from worker.pipeline.rewards import GrantRefused
from worker.rules.states import MoveRefused


def answer(app: FastAPI) -> None:
    """Register an answer for every refusal; anything else is a fault and stays one."""
    app.add_exception_handler(NotLoggedIn, _not_logged_in)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(NotForPrograms, _not_for_programs)
    app.add_exception_handler(ForeignRequest, _foreign)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StaleEdit, _stale)
    app.add_exception_handler(GrantRefused, _grant_refused)
    app.add_exception_handler(UnknownRank, _invalid)
    app.add_exception_handler(MoveRefused, _move_refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    # Values that no database can hold: a NUL in a text, half a letter, a number of a mile.
    for unholdable in (DataError, OverflowError, UnicodeEncodeError):
        app.add_exception_handler(unholdable, _invalid)
    app.add_exception_handler(ItemGone, _item_gone)
    app.add_exception_handler(MergeRefused, _candidate)
    app.add_exception_handler(CaseRefused, _case_refused)
    app.add_exception_handler(NeedsPerson, _needs_person)
    app.add_exception_handler(NoSuchPlace, _invalid)
    app.add_exception_handler(HTTPException, _http)


def words_for(request: Request) -> Words:
    """The visitor's language as far as it is known yet."""
    known: Words | None = getattr(request.state, "words", None)
    return known or words_of(language_of(request))


def told(request: Request, status: int, code: str, **values: Any) -> Response:
    """An error in the catalogue's words: a page, or JSON for programs."""
    words = words_for(request)
    return in_words(request, status, code, words(f"error.{code}", **values))


def in_words(request: Request, status: int, code: str, text: str) -> Response:
    """An error whose words are known already."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": code, "words": text}, status_code=status)
    return plain_page(words_for(request), "error.html", status, text=text, status=status)


def _not_logged_in(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith("/api/") or request.headers.get("hx-request"):
        return told(request, 401, "login_needed")
    here = request.url.path if request.method == "GET" else "/"
    if request.method == "GET" and request.url.query:
        here = f"{here}?{request.url.query}"
    return RedirectResponse(f"/login?next={quote(here, safe='')}", status_code=303)


def _not_allowed(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotAllowed)
    words = words_for(request)
    return told(request, 403, "role", role=words(f"role.{error.role}"))


def _not_for_programs(request: Request, _error: Exception) -> Response:
    return told(request, 403, "program")


def _foreign(request: Request, _error: Exception) -> Response:
    return told(request, 403, "foreign")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    status = 404 if error.code == "not_found" else 409
    return in_words(request, status, error.code, error.words(words_for(request).locale))


def _grant_refused(request: Request, _error: Exception) -> Response:
    return told(request, 409, "grant")


def _item_gone(request: Request, _error: Exception) -> Response:
    return told(request, 409, "item_gone")


def _candidate(request: Request, _error: Exception) -> Response:
    return told(request, 409, "candidate")


def _case_refused(request: Request, error: Exception) -> Response:
    return in_words(request, 409, "case_refused", str(error))


def _needs_person(request: Request, error: Exception) -> Response:
    assert isinstance(error, NeedsPerson)
    text = in_language(f"{error.problem} {error.remedy}", words_for(request).locale)
    return in_words(request, 409, "channel", text)


def _stale(request: Request, _error: Exception) -> Response:
    return told(request, 409, "stale")


def _move_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, MoveRefused)
    state = words_for(request)(f"state.{error.source}")
    return told(request, 409, "move", state=state)


def _invalid(request: Request, _error: Exception) -> Response:
    return told(request, 422, "invalid")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return told(request, 404, "not_found")
    # A body that is not even text is as unreadable as one that lacks a part.
    status = 422 if error.status_code == 400 else error.status_code
    return told(request, status, "invalid")
