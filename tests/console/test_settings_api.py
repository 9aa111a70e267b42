"""Settings for programs: the same drafts, counts, ticks and roles as on the pages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from tests.console.conftest import Enter, Visitor
from tests.console.test_settings import app, drafts
from worker.rules.states import Role

__all__ = ["app"]
BASE = "/api/v1/settings"
FOLLOW = "senders.families.rakuten.follow_up"


def send(visitor: Visitor, path: str, body: dict[str, Any] | None = None) -> Any:
    token = {"x-csrf-token": visitor.client.get("/api/v1/me").json()["csrf"]}
    return visitor.client.post(f"{BASE}{path}", json=body or {}, headers=token)


def page(visitor: Visitor, name: str) -> Any:
    return visitor.client.get(f"{BASE}/pages/{name}").json()


def test_a_page_tells_its_fields_with_what_is_in_force(enter: Enter) -> None:
    fields = {row["name"]: row for row in page(enter(Role.VIEWER), "mails")["fields"]}
    assert fields["mails.rules.0.hours.0"]["value"] == "08:00"
    assert fields["mails.rules.0.delay_minutes"]["in_force"] == 30
    assert enter(Role.VIEWER).client.get(f"{BASE}/pages/secrets").status_code == 422


def test_a_change_is_kept_counted_confirmed_and_published(
    enter: Enter, desk_engine: Engine
) -> None:
    clerk, boss = enter(Role.EDITOR), enter(Role.ADMIN)
    marks = page(clerk, "ranks")["marks"]
    kept = send(clerk, "/pages/ranks", {"marks": marks, "values": {FOLLOW: "okaeri"}})
    assert [row["document"] for row in kept.json()["drafts"]] == ["senders"]
    again = {"marks": marks, "values": {FOLLOW: "nobody"}}
    assert send(clerk, "/pages/ranks", again).status_code == 409
    key = kept.json()["key"]
    body = {"key": key, "note": "楽天も"}
    assert send(boss, "/publish", body).json()["error"] == "settings_not_counted"
    counted = send(clerk, "/count").json()
    assert counted["counted"]["opened"] == [["rakuten:main", "follow_up", 6]]
    assert counted["checks"] == ["check/off/rakuten/follow_up"]
    assert send(boss, "/publish", body).json()["error"] == "settings_checks"
    assert send(clerk, "/publish", {**body, "checks": counted["checks"]}).status_code == 403
    done = send(boss, "/publish", {**body, "checks": counted["checks"]}).json()
    assert (done["release"], done["drafts"], done["key"]) == (2, [], "")
    assert drafts(desk_engine) == {}


def test_each_wrong_field_is_told_and_nothing_is_kept(enter: Enter, desk_engine: Engine) -> None:
    clerk = enter(Role.EDITOR)
    values = {"review.undo_seconds": "x", "review.rules.0.kinds": ["", "spam"]}
    answer = send(
        clerk, "/pages/review", {"marks": page(clerk, "review")["marks"], "values": values}
    )
    assert answer.status_code == 422
    assert sorted(answer.json()["fields"]) == ["review.rules.0.kinds", "review.undo_seconds"]
    assert drafts(desk_engine) == {}
    assert send(clerk, "/count").json()["error"] == "settings_nothing"


def test_a_viewer_and_a_request_without_the_token_change_nothing(
    enter: Enter, desk_engine: Engine
) -> None:
    body: dict[str, Any] = {"marks": {}, "values": {}}
    assert send(enter(Role.VIEWER), "/pages/review", body).status_code == 403
    clerk = enter(Role.EDITOR)
    assert clerk.client.post(f"{BASE}/discard", json={}).status_code == 403
    assert drafts(desk_engine) == {}
