"""用事: what only a person can do, closed with a word; rewards to decide; mails that came back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.rendering import go, own_path, page
from console.views.tasks import tasks_view
from console.visit import Approver, Editor, Reading
from worker.pipeline.bounces import note_bounce
from worker.pipeline.rewards import decide_grant
from worker.pipeline.staff_tasks import close_task

router = APIRouter()


@router.get("/tasks")
def show(visit: Reading) -> Response:
    """All that waits for somebody's hands."""
    with visit.read() as (session, ctx):
        model = tasks_view(session, ctx, visit.words, visit.now)
    return page(visit, "tasks.html", m=model)


@router.post("/tasks/{task_id}")
def close(visit: Editor, task_id: int, word: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Done, and how."""
    with visit.act("close_task", f"task:{task_id}") as (session, _ctx):
        close_task(session, task_id, word=word, by=visit.login.name, now=visit.now)
    return go("/tasks")


@router.post("/rewards/{grant_id}")
def decide(
    visit: Approver,
    grant_id: int,
    answer: Annotated[Literal["give", "leave"], Form()],
    back: Annotated[str, Form()] = "/tasks",
) -> Response:
    """Give a reward that waits, or leave it."""
    give = answer == "give"
    with visit.act("decide_reward", f"grant:{grant_id}", give=give) as (session, ctx):
        decide_grant(session, ctx, grant_id, give=give, by=visit.login.name, now=visit.now)
    return go(own_path(back, "/tasks"))


@router.post("/messages/{message_id}/bounced")
def bounced(
    visit: Editor, message_id: str, evidence: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """A notice came that the mail could not be delivered."""
    with visit.act("note_bounce", f"message:{message_id}") as (session, ctx):
        note_bounce(session, ctx, message_id, evidence=evidence, by=visit.login.name, now=visit.now)
    return go(f"/messages/{message_id}")
