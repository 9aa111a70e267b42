"""Whether a mail may go: the table of mail-rules, cell by cell, and the order of the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.pipeline.planning import shipped
from worker.rules.policy import Reach, permit
from worker.rules.states import Flag, MailKind, Outcome, Verdict

K = MailKind
POLICY = shipped().policy
ORDER = Reach("own", K.ORDER_THANKS, advertising=False, address="a@mail.example")
KINDS = (
    *(K.ORDER_THANKS, K.SHIPPING_NOTICE, K.FOLLOW_UP, K.REVIEW_REQUEST),
    *(K.MILESTONE, K.WIN_BACK, K.BIRTHDAY),
)
TABLE = {
    "own": "allow allow allow allow consent consent consent",
    "rakuten": "relay relay relay relay platform platform platform",
    "yahoo": "allow allow allow allow platform platform hold",
    "amazon": "forbid forbid forbid platform forbid forbid forbid",
    "aupay": "relay relay hold hold hold hold hold",
    "qoo10": "hold hold hold hold hold hold forbid",
}


@pytest.mark.parametrize("family", TABLE)
def test_the_shipped_table_is_the_reference(family: str) -> None:
    found = [POLICY.cell(family, kind).verdict.value for kind in KINDS]
    assert found == TABLE[family].split()


def test_every_cell_says_how_sure_it_is_and_since_when() -> None:
    for family, row in POLICY.cells.items():
        assert set(row) == set(K), family
        for cell in row.values():
            assert cell.checked_on is not None
            assert cell.source or cell.confidence in ("L", "unverified")


@pytest.mark.parametrize(
    ("family", "as_ad"),
    [("own", "consent"), ("rakuten", "platform"), ("yahoo", "platform"), ("amazon", "forbid")],
)
def test_an_advertisement_never_goes_the_way_of_an_order_mail(family: str, as_ad: str) -> None:
    reach = replace(ORDER, family=family, kind=K.FOLLOW_UP, advertising=True)
    assert permit(POLICY, reach).verdict == as_ad


def test_an_unknown_family_holds_and_may_not_advertise() -> None:
    held = permit(POLICY, replace(ORDER, family="new-mall"))
    assert (held.outcome, held.holds) == (None, Flag.POLICY_UNVERIFIED)
    refused = permit(POLICY, replace(ORDER, family="new-mall", advertising=True))
    assert refused.outcome is Outcome.FORBIDDEN


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({}, None, ""),
        ({"erased": True, "suppressed": "x"}, Outcome.SUPPRESSED, "erased"),
        ({"suppressed": "bounce", "family": "amazon"}, Outcome.SUPPRESSED, "suppressed"),
        ({"family": "amazon", "address": None}, Outcome.FORBIDDEN, "policy_forbids"),
        ({"kind": K.MILESTONE, "advertising": True}, Outcome.NO_CONSENT, "no_consent"),
        (
            {"kind": K.MILESTONE, "advertising": True, "address": None},
            Outcome.NO_ADDRESS,
            "no_address",
        ),
        (
            {"kind": K.WIN_BACK, "advertising": True, "ads_suppressed": "no", "consented": True},
            Outcome.SUPPRESSED,
            "suppressed_ads",
        ),
        ({"kind": K.WIN_BACK, "advertising": True, "consented": True}, None, ""),
        ({"ads_suppressed": "no"}, None, ""),
        (
            {"kind": K.WIN_BACK, "advertising": True, "family": "rakuten"},
            Outcome.HANDOFF,
            "platform_sends",
        ),
    ],
)
def test_the_first_negative_answer_stands(
    changes: dict[str, object], outcome: Outcome | None, code: str
) -> None:
    found = permit(POLICY, replace(ORDER, **changes))  # type: ignore[arg-type]
    assert (found.outcome, found.code) == (outcome, code)


def test_a_relay_holds_until_it_is_set_up() -> None:
    reach = replace(ORDER, family="rakuten")
    assert permit(POLICY, reach).holds is Flag.RELAY_MISSING
    assert permit(POLICY, replace(reach, relay_ready=True)).allows


def test_a_short_block_of_advertising_needs_the_shops_own_word() -> None:
    reach = replace(ORDER, advertising=True)
    assert permit(POLICY, reach).outcome is Outcome.NO_CONSENT
    assert permit(POLICY, replace(reach, incidental_ads=True)).allows
    elsewhere = replace(reach, incidental_ads=True, family="rakuten")
    assert permit(POLICY, elsewhere).outcome is Outcome.HANDOFF
    assert permit(POLICY, replace(reach, incidental_ads=True)).verdict is Verdict.ALLOW
