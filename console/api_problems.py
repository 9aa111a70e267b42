"""How the JSON desk says no, the same for every call, and how a caller proves who it is."""

from __future__ import annotations

from typing import Any

from fastapi import Security
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel, Field

from console.visit import COOKIE


class Problem(BaseModel):
    """Why nothing was done: ``error`` for programs, ``words`` in the caller's language."""

    error: str = Field(description="A code that does not change, such as `stale` or `role`.")
    words: str = Field(description="A sentence for people, Japanese or English.")


_MEANINGS = {
    401: "Nobody is logged in, or the token is unknown, revoked or past its end.",
    403: "The role does not reach, the CSRF token is missing, or programs may not do this.",
    404: "There is no such thing.",
    405: "This address knows another method.",
    409: "The desk refuses, and says why; nothing was changed.",
    422: "Something in the request is missing or cannot be read.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": meaning} for status, meaning in _MEANINGS.items()
}
"""For every router of the JSON desk."""

_token = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A program's token, made under Users and audit. It has a role and an end.",
)
_cookie = APIKeyCookie(
    name=COOKIE,
    scheme_name="login",
    auto_error=False,
    description="A login of the desk; each change also sends `X-CSRF-Token`, told by `/me`.",
)
# Only for the description: who asks is found out in one place, ``console.visit``.
WAYS_IN = [Security(_token), Security(_cookie)]
