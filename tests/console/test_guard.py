"""What the desk refuses: other sites' forms, roles that do not reach, hostile names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from console.headers import PAGE_POLICY
from console.rendering import STATIC
from console.vendoring import without_data_urls
from tests.console.conftest import Enter, Ledger
from tests.console.sample import message_id
from worker.rules.states import MessageState, Role
from worker.store.customers import CustomerProfile
from worker.store.engine import writing
from worker.store.messages import MessageBody

APPROVE = f"/messages/{message_id(6)}/approve"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def test_a_form_without_the_logins_token_does_nothing(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    for token in ("", "guess"):
        assert visitor.send(APPROVE, version=1, csrf=token).status_code == 403
    assert ledger.message(6).state is MessageState.IN_REVIEW


def test_another_logins_token_does_nothing(enter: Enter, ledger: Ledger) -> None:
    visitor, other = enter(Role.APPROVER), enter(Role.ADMIN)
    assert visitor.csrf != other.csrf
    assert visitor.send(APPROVE, version=1, csrf=other.csrf).status_code == 403
    assert ledger.message(6).state is MessageState.IN_REVIEW


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://desk.test", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    enter: Enter, ledger: Ledger, headers: dict[str, str]
) -> None:
    visitor = enter()
    visitor.headers = headers
    assert visitor.send(APPROVE, version=1).status_code == 403
    assert ledger.message(6).state is MessageState.IN_REVIEW


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_may_not_approve_is_told_which_role_it_needs(
    enter: Enter, ledger: Ledger, role: Role
) -> None:
    answer = enter(role).send(APPROVE, version=1)
    assert answer.status_code == 403
    assert "「承認」の権限" in answer.text
    assert ledger.message(6).state is MessageState.IN_REVIEW


def test_a_viewer_may_look_and_do_nothing(enter: Enter) -> None:
    visitor = enter(Role.VIEWER)
    assert visitor.get("/queue").status_code == 200
    mail = f"/messages/{message_id(6)}"
    for path, values in (
        (f"{mail}/hold", {"version": 1}),
        (f"{mail}/edit", {"version": 1, "subject": "x", "text": "y"}),
        (f"{mail}/send-back", {"version": 1, "reason": "x"}),
        ("/stops", {}),
        ("/packing/1", {}),
        ("/candidates/1", {"answer": "same"}),
        ("/quarantine/1/dismiss", {}),
    ):
        assert visitor.send(path, **values).status_code == 403


def test_an_editor_may_stop_sending_and_only_an_approver_may_go_on(enter: Enter) -> None:
    assert enter(Role.EDITOR).send("/stops").status_code == 303
    assert enter(Role.EDITOR).send("/stops/1/lift").status_code == 403
    assert enter(Role.APPROVER).send("/stops/1/lift").status_code == 303


def test_every_form_route_asks_for_the_token(enter: Enter) -> None:
    """A route that somebody adds without the guard fails here."""
    visitor = enter(Role.ADMIN)
    paths = sorted(_posting(visitor.client.app.routes))  # type: ignore[attr-defined]
    assert len(paths) > 25
    unguarded = [
        path
        for path in paths
        # A login has no token yet; a marketplace's nudge proves itself by its signature.
        if path not in ("/login", "/login/code", "/hooks/{channel}")
        and visitor.client.post(
            re.sub(r"\{\w+:int\}", "1", path).replace("{", "").replace("}", ""),
            headers={"origin": "http://desk.test"},
            follow_redirects=False,
        ).status_code
        not in (403, 422)
    ]
    assert unguarded == []


def _posting(routes: list[object]) -> Iterator[str]:
    for route in routes:
        if "POST" in (getattr(route, "methods", None) or ()):
            yield route.path  # type: ignore[attr-defined]
        nested = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", None
        )
        if nested:
            yield from _posting(nested)


def test_hostile_names_and_words_stay_words(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.update(CustomerProfile).values(name=HOSTILE, kana=HOSTILE))
        session.execute(
            sa.update(MessageBody).values(
                subject=HOSTILE, text=HOSTILE, recipient=HOSTILE, values={"x": HOSTILE}
            )
        )
    visitor = enter()
    for path in (
        "/queue",
        "/queue/batch?kind=order_thanks",
        "/messages",
        f"/messages/{message_id(0)}?view=edits",
        f"/messages/{message_id(0)}/edit",
        f"/messages?q={HOSTILE}",
        "/candidates",
        "/unconfirmed",
    ):
        html = visitor.get(path).text
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_no_page_loads_or_runs_anything_from_elsewhere(enter: Enter) -> None:
    for path in ("/queue", "/login", "/healthz", "/static/desk.css", "/nowhere"):
        headers = enter().get(path).headers
        assert headers["content-security-policy"] == PAGE_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
    assert PAGE_POLICY.startswith("default-src 'self';")
    assert "unsafe" not in PAGE_POLICY


def test_pages_are_kept_by_nobody_and_files_by_everybody(enter: Enter) -> None:
    visitor = enter()
    assert visitor.get("/queue").headers["cache-control"] == "no-store"
    assert "immutable" in visitor.get("/static/desk.css").headers["cache-control"]


def test_a_mails_html_is_framed_without_script_form_or_picture(enter: Enter) -> None:
    visitor = enter()
    path = f"/messages/{message_id(2)}"
    frame = visitor.get(f"{path}?view=html").text
    assert f'<iframe sandbox title="HTMLの文面" src="{path}/html">' in frame
    answer = visitor.get(f"{path}/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert policy.endswith("sandbox")
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_what_is_vendored_is_what_the_list_says() -> None:
    listed = tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text())["file"]
    for file in listed:
        content = (STATIC / "vendor" / file["path"]).read_bytes()
        assert sha256(content).hexdigest() == file["sha256"], file["path"]
        assert (STATIC / "vendor" / file["licence_file"]).is_file()
    present = {p.name for p in (STATIC / "vendor").iterdir() if p.is_file()}
    assert present == {file["path"] for file in listed} | {"VENDOR.toml"}


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_asks_for_an_exception(path: Path) -> None:
    css = path.read_text()
    assert "data:" not in css.replace("No data: URIs", "")
    assert "http" not in _without_comments(css)


def _without_comments(css: str) -> str:
    parts = css.split("/*")
    return parts[0] + "".join(part.partition("*/")[2] for part in parts[1:])


def test_data_images_are_taken_out_of_a_style_sheet() -> None:
    css = "a{background:url(\"data:image/svg+xml,<svg x='1'/>\")}b{background:url(x.svg)}"
    assert without_data_urls(css) == "a{background:none}b{background:url(x.svg)}"
