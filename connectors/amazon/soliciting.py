"""Amazon's own review request (Solicitations API v1): its window, whether it may be, and asking."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from connectors.amazon.talking import Talk, in_words, json_of
from connectors.contract import ConnectorError, NeedsPerson, RawOrder
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer as HttpAnswer
from connectors.kit.soliciting import Answer, AskWindow, Replied

log = logging.getLogger(__name__)

LOOK_LANE, ASK_LANE = "solicitation_actions", "solicitation"
LANES: Mapping[str, tuple[float, float]] = {LOOK_LANE: (1.0, 5.0), ASK_LANE: (1.0, 5.0)}
"""getSolicitationActionsForOrder and createProductReviewAndSellerFeedbackSolicitation."""

PATH = "/solicitations/v1/orders/{order_id}"
ACTION = "productReviewAndSellerFeedback"

OPENS, CLOSES = timedelta(days=5), timedelta(days=30)
"""After the earliest delivery date, and after the latest one."""

_REFUSED = frozenset({400, 403, 404, 413, 415})
"""Answers to the request itself by which nothing was sent."""


def ask_window(raw: RawOrder) -> AskWindow | None:
    """When Amazon takes the request; None where the record does not tell or it is not Amazon's."""
    told = Fields(raw.payload)
    channel = told.node("salesChannel")
    delivery = told.node("fulfillment").node("deliverByWindow")
    try:
        place = channel.text("marketplaceId")
        earliest = delivery.moment("earliestDateTime")
        latest = delivery.moment("latestDateTime")
        sent = [moment for one in told.nodes("packages") if (moment := one.moment("shipTime"))]
        foreign = channel.text("channelName") not in {None, "AMAZON"}
    except Unreadable as error:
        log.info("amazon_window_unread", extra={"code": error.code})
        return None
    if foreign or place is None or earliest is None or latest is None:
        return None
    # A parcel that left late cannot have come before it left.
    opens, closes = max([earliest, *sent]) + OPENS, latest + CLOSES
    return AskWindow(opens, closes, place) if opens < closes else None


class Solicitations:
    """The two calls; no request holds anything but the order's number and the marketplace's."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def may_ask(self, order_id: str, place: str) -> Replied:
        """Look whether Amazon offers the request for this order. Raises NeedsPerson, TryLater."""
        answer = self._talk.get(LOOK_LANE, _path(order_id), {"marketplaceIds": place})
        if answer.status in {401, 403}:
            raise NeedsPerson(
                f"Amazonがレビュー依頼を許可していません ({in_words(answer)})。"
                "Amazon does not allow review requests.",
                "セラーセントラルの「アプリを開発」で、購入者への依頼 (Buyer Solicitation) の権限を"
                "確かめ、認証し直してください。"
                "Check the app's role Buyer Solicitation and authorise it again.",
            )
        if answer.status == 429:
            raise self._talk.over_quota(LOOK_LANE, answer)
        if answer.status >= 400:
            return Replied(Answer.NO, in_words(answer))
        actions = json_of(answer).get("_links")
        links = actions.get("actions") if isinstance(actions, Mapping) else None
        if not isinstance(links, list):
            raise waiting.unreadable("no actions")
        if any(isinstance(one, Mapping) and one.get("name") == ACTION for one in links):
            return Replied(Answer.YES)
        return Replied(
            Answer.NO,
            "Amazonはこの注文へのレビュー依頼を受け付けていません (期間外・依頼済みなど)。"
            "Amazon offers no review request for this order (too early, too late, asked before).",
        )

    def ask(self, order_id: str, place: str) -> Replied:
        """Have Amazon send its request. Raises NeedsPerson or TryLater where nothing went out."""
        path = f"{_path(order_id)}/solicitations/{ACTION}"
        token = self._talk.ready(ASK_LANE)
        try:
            answer = self._talk.post(ASK_LANE, path, {"marketplaceIds": place}, token)
        except ConnectorError as error:  # it may have arrived before the line broke
            return Replied(Answer.UNKNOWN, str(error))
        return self._replied(answer)

    def _replied(self, answer: HttpAnswer) -> Replied:
        if answer.status == 201:
            return Replied(Answer.YES, in_words(answer))
        if answer.status == 429:
            raise self._talk.over_quota(ASK_LANE, answer)
        if answer.status == 401:
            raise waiting.busy(in_words(answer))
        known = answer.status in _REFUSED
        return Replied(Answer.NO if known else Answer.UNKNOWN, in_words(answer))


def _path(order_id: str) -> str:
    return PATH.format(order_id=quote(order_id, safe=""))
