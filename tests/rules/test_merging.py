"""Which keys are one person, by the rule alone."""

from __future__ import annotations

from worker.rules.merging import TWO_MEMBER_IDS, Carried, Doubt, Key, Resolution, Union, resolve
from worker.rules.states import IdentityKind

MEMBER, EMAIL, PHONE = IdentityKind.MEMBER, IdentityKind.EMAIL, IdentityKind.PHONE_NAME


def email(value: str) -> Key:
    return (EMAIL, "own", value)


def member(value: str, channel: str = "own:a") -> Key:
    return (MEMBER, channel, value)


def phone(value: str) -> Key:
    return (PHONE, "own", value)


def order(number: int, *keys: Key, channel: str = "own:a") -> Carried:
    strong = tuple(key for key in keys if key[0] is not PHONE)
    weak = tuple(key for key in keys if key[0] is PHONE)
    return Carried(number, channel, strong, weak, (IdentityKind.ORDER, channel, str(number)))


def groups(found: Resolution) -> set[frozenset[int]]:
    by_person: dict[int, set[int]] = {}
    for number, person in found.persons.items():
        by_person.setdefault(person, set()).add(number)
    return {frozenset(numbers) for numbers in by_person.values()}


def test_orders_chained_by_strong_keys_are_one_person() -> None:
    orders = [order(1, member("m"), email("a")), order(2, email("b")), order(3, email("a"))]
    found = resolve(orders, {}, {})
    assert groups(found) == {frozenset({1, 3}), frozenset({2})}
    assert (found.made, found.unions) == (2, [])


def test_a_person_made_for_one_key_joins_when_a_later_order_carries_both() -> None:
    orders = [order(1, email("a")), order(2, member("m")), order(3, member("m"), email("a"))]
    found = resolve(orders, {}, {})
    assert groups(found) == {frozenset({1, 2, 3})}
    assert set(found.ties.values()) == {-1}


def test_of_two_known_customers_the_older_is_kept() -> None:
    ties = {email("a"): {"own:a": 9}, member("m"): {"own:a": 4}}
    found = resolve([order(1, member("m"), email("a"))], ties, {4: {"own:a": "m"}})
    assert found.unions == [Union(4, 9, "same_email")]
    assert found.persons == {1: 4}


def test_two_member_ids_of_a_channel_are_doubted_and_of_two_channels_joined() -> None:
    same = resolve([order(1, member("m"), email("a")), order(2, member("n"), email("a"))], {}, {})
    assert groups(same) == {frozenset({1}), frozenset({2})}
    assert same.doubts == [Doubt(-2, -1, TWO_MEMBER_IDS)]
    other = order(2, member("n", "own:b"), email("a"), channel="own:b")
    apart = resolve([order(1, member("m"), email("a")), other], {}, {})
    assert groups(apart) == {frozenset({1, 2})}


def test_customers_told_apart_are_neither_joined_nor_doubted_again() -> None:
    ties = {email("a"): {"own:a": 1}, member("m"): {"own:a": 2}, phone("p"): {"own:a": 1}}
    found = resolve([order(1, member("m"), email("a"), phone("p"))], ties, {}, [(1, 2)])
    assert (found.persons, found.unions, found.doubts) == ({1: 2}, [], [])


def test_a_channel_keeps_its_own_customer_of_a_shared_key() -> None:
    ties = {email("a"): {"own:a": 1, "own:b": 2}}
    found = resolve([order(1, email("a"), channel="own:b")], ties, {}, [(1, 2)])
    assert found.persons == {1: 2}


def test_weak_keys_find_and_doubt_but_never_join() -> None:
    ties = {phone("p"): {"own:a": 1}, email("b"): {"own:a": 2}}
    found = resolve([order(1, phone("p")), order(2, email("b"), phone("p"))], ties, {})
    assert found.persons == {1: 1, 2: 2}
    assert found.doubts == [Doubt(1, 2, "phone_name")]
    silent = resolve([order(2, email("b"), phone("p"))], ties, {}, suggest_weak=False)
    assert silent.doubts == []
