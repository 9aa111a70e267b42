"""Thresholds for the top rank come from the shop's own customers, and hold 3 to 8 % of them."""

from __future__ import annotations

from worker.rules.proposing import HIGH, LOW, propose


def test_a_shop_with_few_customers_gets_no_proposal() -> None:
    assert propose([(9, 90_000)] * 29) == []
    assert propose([]) == []


def test_proposals_hold_three_to_eight_percent_and_count_whom_they_say() -> None:
    bought = [(1, 3_000)] * 850 + [(3, 12_000 + 40 * n) for n in range(100)]
    bought += [(6, 28_000 + 700 * n) for n in range(50)]

    found = propose(bought)

    assert 1 <= len(found) <= 3
    for each in found:
        fits = sum(orders >= each.orders and spend >= each.spend for orders, spend in bought)
        assert (each.people, each.of) == (fits, 1000)
        assert LOW <= each.share <= HIGH
    assert found == sorted(found, key=lambda p: abs(p.share - 0.05))
    assert all(p.spend % 500 == 0 for p in found)


def test_where_hardly_anybody_comes_back_nothing_is_proposed() -> None:
    assert propose([(1, 5_000)] * 990 + [(3, 9_000)] * 10) == []
