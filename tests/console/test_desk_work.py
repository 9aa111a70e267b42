"""The other pages' work: unconfirmed, handoffs, stops, packing, candidates, health, JSON."""

from __future__ import annotations

import csv
import io
import re

import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter, Ledger
from tests.console.sample import message_id
from worker.rules.states import CandidateState, MessageState, Role
from worker.store.customers import Candidate
from worker.store.messages import Handoff, Message
from worker.store.orders import Quarantine
from worker.store.rewards import PackingItem

DOUBT = f"/unconfirmed/{message_id(15)}"


def test_an_unconfirmed_mail_is_settled_only_with_evidence(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    html = visitor.get("/unconfirmed").text
    assert "2026/11/24 09:02:00" in html
    assert visitor.send(DOUBT, version=1, how="was_sent", evidence=" ").status_code == 409
    assert visitor.send(DOUBT, version=1, how="was_sent", evidence="250 ok").status_code == 303
    assert ledger.message(15).state is MessageState.SENT


def test_an_unconfirmed_mail_that_was_not_sent_is_read_again(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    assert visitor.send(DOUBT, version=1, how="was_not_sent").status_code == 303
    settled = ledger.message(15)
    assert (settled.state, settled.generation) == (MessageState.IN_REVIEW, 2)


def test_a_campaign_is_ticked_with_day_and_number(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter()
    with desk_engine.connect() as connection:
        one = connection.scalar(sa.select(Message.id).where(Message.state == MessageState.HANDOFF))
    said = {"version": 1, "done_on": "2026-11-24", "count": 39}
    assert visitor.send(f"/handoffs/{one}", **said).status_code == 422
    assert visitor.send(
        f"/handoffs/{one}", **said | {"done_on": "2026-11-25"}, ticked="yes"
    ).status_code == 409  # fmt: skip
    assert visitor.send(f"/handoffs/{one}", **said, ticked="yes").is_redirect
    with desk_engine.connect() as connection:
        done = connection.execute(sa.select(Handoff.done_count, Handoff.done_by)).one()
    assert done == (39, "森本")
    assert "2026/11/24(火) 39名 森本" in visitor.get("/handoffs").text


def test_the_kill_switch_recalls_what_was_approved(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    visitor.send(f"/messages/{message_id(6)}/approve", version=ledger.message(6).version)
    answer = visitor.send("/stops", kind="order_thanks", reason="文面に誤り")
    assert answer.headers["location"] == "/stops?recalled=1"
    assert ledger.message(6).state is MessageState.ON_HOLD
    assert "止めました。1通を保留に戻しました。" in visitor.get("/stops?recalled=1").text
    refused = visitor.send(f"/messages/{message_id(7)}/approve", version=ledger.message(7).version)
    assert refused.status_code == 409
    assert "送信停止中" in refused.text


def test_a_parcel_is_ticked_once(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    assert visitor.send("/packing/1").status_code == 303
    with desk_engine.connect() as connection:
        packed = connection.execute(
            sa.select(PackingItem.packed_by).order_by(PackingItem.id)
        ).scalars()
        assert list(packed) == ["中村", ""]
    assert "2件のうち1件 同梱済み" in visitor.get("/packing").text


def test_the_packing_list_comes_as_csv(enter: Enter) -> None:
    answer = enter().get("/packing.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["注文番号", "N-20261124-011", "N-20261124-003"]


def test_two_people_are_told_apart(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    assert visitor.send("/candidates/1", answer="other").status_code == 303
    with desk_engine.connect() as connection:
        state = connection.scalar(sa.select(Candidate.state))
    assert state is CandidateState.REJECTED
    assert visitor.send("/candidates/1", answer="same").status_code == 409


def test_a_record_that_is_no_order_is_closed(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    assert "注文日時が読めません" in visitor.get("/quarantine").text
    assert visitor.send("/quarantine/1/dismiss").headers["location"] == "/quarantine?done=dismissed"
    with desk_engine.connect() as connection:
        assert connection.scalar(sa.select(Quarantine.resolved_by)) == "中村"


def test_a_wrong_address_is_told_in_words(enter: Enter) -> None:
    answer = enter().get("/messages/NOPE")
    assert answer.status_code == 404
    assert "このメールは見つかりません。" in answer.text


def test_health_is_open_and_says_nothing_personal(enter: Enter) -> None:
    visitor = enter(None)
    assert visitor.get("/healthz").text == "ok"
    assert visitor.get("/readyz").text == "ready"
    text = visitor.get("/metrics").text
    assert 'okaeri_messages{state="in_review"} 14.0' in text
    assert "okaeri_unconfirmed 1.0" in text
    assert "okaeri_quarantine_open 1.0" in text
    assert "山口" not in text


# --- JSON -----------------------------------------------------------------------------------


def test_programs_are_told_to_log_in(enter: Enter) -> None:
    answer = enter(None).client.get("/api/v1/messages")
    assert answer.status_code == 401
    assert answer.json()["error"] == "login_needed"


def test_a_program_approves_by_the_same_rules(enter: Enter, ledger: Ledger) -> None:
    visitor = enter()
    me = visitor.client.get("/api/v1/me").json()
    (first, *_rest) = visitor.client.get("/api/v1/messages").json()
    path = f"/api/v1/messages/{first['id']}/approve"
    change = {"version": first["version"]}
    assert visitor.client.post(path, json=change).status_code == 403
    token = {"x-csrf-token": me["csrf"]}
    stale = visitor.client.post(path, json={"version": 99}, headers=token)
    assert (stale.status_code, stale.json()["error"]) == (409, "stale")
    done = visitor.client.post(path, json=change, headers=token).json()
    assert done == {"id": first["id"], "state": "approved", "version": first["version"] + 1}
    assert ledger.message(0).state is MessageState.APPROVED


def test_a_program_reads_a_mail_and_what_may_be_done_with_it(enter: Enter) -> None:
    found = enter().client.get(f"/api/v1/messages/{message_id(3)}").json()
    assert found["customer"] == "高橋 美咲"
    assert found["flags"][0]["flag"] == "buyer_comment"
    assert "approve" in found["moves"]


def test_a_program_presses_and_lifts_the_kill_switch(enter: Enter) -> None:
    visitor = enter()
    token = {"x-csrf-token": visitor.client.get("/api/v1/me").json()["csrf"]}
    pressed = visitor.client.post("/api/v1/stops", json={"reason": "x"}, headers=token).json()
    assert [row["reason"] for row in visitor.client.get("/api/v1/stops").json()] == ["x"]
    lifted = visitor.client.post(f"/api/v1/stops/{pressed['stop_id']}/lift", headers=token)
    assert lifted.json() == {"stop_id": pressed["stop_id"], "messages": 0}


# --- odd requests ---------------------------------------------------------------------------


def test_odd_requests_are_told_and_change_nothing(enter: Enter) -> None:
    visitor = enter(Role.ADMIN)
    assert visitor.get("/queue?after=nowhere").status_code == 422
    assert visitor.get("/queue?kind=nonsense&list=nonsense&m=&view=nonsense").status_code == 200
    assert visitor.get("/messages?state=nonsense&at=-5").status_code == 200
    assert visitor.send("/queue/undo", at="yesterday").status_code == 422
    assert visitor.send("/stops", channel="99").status_code == 422
    assert visitor.send("/stops", kind="nonsense").status_code == 422
    assert visitor.client.get("/api/v1/messages?after=nowhere").json()["error"] == "invalid"
    assert "いま止めているものはありません" in visitor.get("/stops").text


def test_what_came_to_be_read_since_the_list_was_drawn_is_counted_not_put_between(
    enter: Enter,
) -> None:
    visitor = enter()
    before = visitor.get("/queue/rows?since=0").text
    news = [int(number) for number in re.findall(r"新しく(\d+)通", before)]
    assert (news, before.count('class="dk-item"')) == ([2, 4, 3, 3], 0)
    now = visitor.get("/queue/rows?since=9999").text
    assert ("新しく" in now, now.count('class="dk-item"')) == (False, 12)
