"""顧客: the list, its saved views, and the search from the top bar."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import delete, select

from console.rendering import go, page
from console.views.customers import (
    PAGE_NAME,
    Chosen,
    chosen_from,
    clean_query,
    customers_view,
)
from console.visit import Anyone, Reading
from worker.store.running import SavedView
from worker.store.search_queries import find_customers

router = APIRouter(prefix="/customers")


def chosen_of(request: Request) -> Chosen:
    """The filter from the address; what it does not know asks for nothing."""
    return chosen_from(dict(request.query_params))


Filter = Annotated[Chosen, Depends(chosen_of)]


@router.get("")
def show(visit: Reading, chosen: Filter, after: str = "") -> Response:
    """A page of the list."""
    with visit.read() as (session, ctx):
        model = customers_view(
            session,
            ctx,
            chosen,
            visit.words,
            visit.now,
            user_id=visit.login.user_id,
            after=after,
        )
    return page(visit, "customers.html", m=model)


@router.get("/find")
def find(visit: Reading, chosen: Filter) -> Response:
    """The top bar: straight to the card where only one fits, else the list of who does."""
    if not chosen.q:
        return go("/customers")
    with visit.read() as (session, ctx):
        ids = find_customers(session, ctx.key, chosen.q)
    if len(ids) == 1:
        return go(f"/customers/{ids[0]}")
    return go(f"/customers?{Chosen(q=chosen.q).query()}")


@router.post("/views")
def keep(
    visit: Anyone,
    name: Annotated[str, Form(min_length=1, max_length=60)],
    query: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Keep the present filter under a name; the same name again replaces it."""
    kept = clean_query(query)
    with visit.act("keep_view") as (session, _ctx):
        view = session.scalar(
            select(SavedView).where(
                SavedView.user_id == visit.login.user_id,
                SavedView.page == PAGE_NAME,
                SavedView.name == name.strip(),
            )
        )
        if view is None:
            view = SavedView(user_id=visit.login.user_id, page=PAGE_NAME, name=name.strip())
            session.add(view)
        view.query, view.at = kept, visit.now
    return go(f"/customers?{kept}")


@router.post("/views/{view_id}/drop")
def drop(visit: Anyone, view_id: int) -> Response:
    """Forget one of one's own views."""
    with visit.act("drop_view", f"view:{view_id}") as (session, _ctx):
        session.execute(
            delete(SavedView).where(
                SavedView.id == view_id, SavedView.user_id == visit.login.user_id
            )
        )
    return go("/customers")
