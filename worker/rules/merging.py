"""Who is who: which keys belong to one person, who is merged, and what only staff can tell.

Strong keys link inside their place (a scope for mail addresses, a channel for member ids and
relay addresses). Weak keys only identify an order that has nothing better, and make candidates.
Two member ids of one channel are never joined by the machine, and neither are two customers
whom staff have told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from worker.rules.states import IdentityKind

Key = tuple[IdentityKind, str, str]
"""Kind, the place within which it is one person's (scope or channel), and the hash."""

Person = int
"""A customer's id, or a negative number for one that is to be made."""

Ties = Mapping[Key, Mapping[str, Person]]
"""Present customers of a key, by the channel in which it was seen."""

TWO_MEMBER_IDS = "two_member_ids"
TOLD_APART = "told_apart"


@dataclass(frozen=True, slots=True)
class Carried:
    """The keys of one order; ``strong`` and ``weak`` stand strongest first."""

    order_id: int
    channel: str
    strong: tuple[Key, ...]
    weak: tuple[Key, ...]
    own: Key
    """The order itself, for when it has no other key."""

    def carries(self) -> tuple[Key, ...]:
        """Every key by which it is known; the first names its person."""
        return (self.strong + self.weak) or (self.own,)


@dataclass(frozen=True, slots=True)
class Union:
    """Two persons found to be one, and by which key; ``kept`` is the older."""

    kept: Person
    merged: Person
    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Possibly one person: by which kind of key, or why they were not joined."""

    one: Person
    other: Person
    reason: str


@dataclass(slots=True)
class Resolution:
    """What a round of orders tells about people."""

    ties: dict[tuple[str, Key], Person] = field(default_factory=dict)
    """Channel and key of every order looked at, to the person it belongs to now."""
    persons: dict[int, Person] = field(default_factory=dict)
    """Order id to its person."""
    made: int = 0
    """So many new persons, numbered -1, -2, …; some of them joined others since."""
    unions: list[Union] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


class _People:
    """A union-find over persons that remembers member ids and whom staff told apart."""

    def __init__(
        self,
        ties: Ties,
        members: Mapping[Person, Mapping[str, str]],
        apart: Iterable[tuple[Person, Person]],
    ) -> None:
        self._ties = ties
        self._parent: dict[Person, Person] = {}
        self._members: dict[Person, dict[str, str]] = {p: dict(m) for p, m in members.items()}
        self._apart: dict[Person, set[Person]] = {}
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)
        self.result = Resolution()
        self._fresh: dict[Key, Person] = {}
        self._doubted: set[tuple[Person, Person]] = set()

    def root(self, person: Person) -> Person:
        while (parent := self._parent.get(person, person)) != person:
            person = parent
        return person

    def of(self, key: Key, channel: str) -> Person | None:
        """The person of a key: as this channel knows it, else as another of its place does."""
        known = self._ties.get(key)
        if known:
            person = known.get(channel)
            return self.root(min(known.values()) if person is None else person)
        person = self._fresh.get(key)
        return None if person is None else self.root(person)

    def others(self, key: Key, person: Person) -> list[Person]:
        """Further persons of the key: channels of one place that know different customers."""
        known = {self.root(other) for other in self._ties.get(key, {}).values()}
        return sorted(known - {person})

    def new(self) -> Person:
        self.result.made += 1
        return -self.result.made

    def tie(self, key: Key, person: Person) -> None:
        self._fresh[key] = person
        if key[0] is IdentityKind.MEMBER:
            self._members.setdefault(person, {}).setdefault(key[1], key[2])

    def takes(self, key: Key, person: Person) -> bool:
        """Whether an untied key may go to this person: a second member id may not."""
        if key[0] is not IdentityKind.MEMBER:
            return True
        return self._members.get(person, {}).get(key[1], key[2]) == key[2]

    def hindrance(self, one: Person, other: Person) -> str:
        """Why these two must not be joined; empty where nothing speaks against it."""
        if other in self._apart.get(one, ()):
            return TOLD_APART
        mine, theirs = self._members.get(one, {}), self._members.get(other, {})
        differs = any(mine[place] != theirs[place] for place in mine.keys() & theirs.keys())
        return TWO_MEMBER_IDS if differs else ""

    def join(self, one: Person, other: Person, reason: str) -> Person:
        """Make two persons one; the smaller existing id is kept, made ones go into it."""
        kept, merged = sorted((one, other), key=lambda person: (person < 0, abs(person)))
        self._parent[merged] = kept
        mine = self._members.setdefault(kept, {})
        for place, member in self._members.get(merged, {}).items():
            mine.setdefault(place, member)
        for person in self._apart.pop(merged, set()):
            self._apart[person].discard(merged)
            self._apart[person].add(kept)
            self._apart.setdefault(kept, set()).add(person)
        self.result.unions.append(Union(kept, merged, reason))
        return kept

    def doubt(self, one: Person, other: Person, reason: str) -> None:
        pair = (min(one, other), max(one, other))
        if one != other and pair not in self._doubted:
            self._doubted.add(pair)
            self.result.doubts.append(Doubt(one, other, reason))


def resolve(
    orders: Sequence[Carried],
    ties: Ties,
    members: Mapping[Person, Mapping[str, str]],
    apart: Iterable[tuple[Person, Person]] = (),
    *,
    suggest_weak: bool = True,
) -> Resolution:
    """Find the person of each order, in the order given.

    ``ties`` are the present customers of known keys, ``members`` each touched customer's member
    id (its hash) per channel, ``apart`` pairs that staff have rejected.
    """
    people = _People(ties, members, apart)
    for order in orders:
        person = _by_strong(people, order) if order.strong else _by_weak(people, order)
        _weigh_weak(people, order, person, suggest=suggest_weak)
        people.result.persons[order.order_id] = person
    return _final(people, orders)


def _by_strong(people: _People, order: Carried) -> Person:
    first = order.strong[0]
    person = people.of(first, order.channel)
    if person is None:
        person = _known_elsewhere(people, order)
        person = people.new() if person is None else person
        people.tie(first, person)
    for key in order.strong:
        other = people.of(key, order.channel)
        if other is None:
            people.tie(key, person)
        elif other != person:
            person = _joined(people, person, other, key)
        for another in people.others(key, person):
            person = _joined(people, person, another, key)
    return person


def _known_elsewhere(people: _People, order: Carried) -> Person | None:
    """Who an order with a new strongest key is by its other strong keys."""
    first, *rest = order.strong
    known = (people.of(key, order.channel) for key in rest)
    return next((p for p in known if p is not None and people.takes(first, p)), None)


def _joined(people: _People, person: Person, other: Person, key: Key) -> Person:
    hindrance = people.hindrance(person, other)
    if hindrance == TWO_MEMBER_IDS:
        people.doubt(person, other, TWO_MEMBER_IDS)
    if hindrance:
        return person
    return people.join(person, other, f"same_{key[0].value}")


def _by_weak(people: _People, order: Carried) -> Person:
    for key in order.weak:
        known = people.of(key, order.channel)
        if known is not None:
            return known
    own = order.carries()[0]
    person = people.of(own, order.channel)
    if person is None:
        person = people.new()
        people.tie(own, person)
    return person


def _weigh_weak(people: _People, order: Carried, person: Person, *, suggest: bool) -> None:
    for key in order.weak:
        other = people.of(key, order.channel)
        if other is None:
            people.tie(key, person)
        elif other != person and suggest and people.hindrance(person, other) != TOLD_APART:
            people.doubt(person, other, key[0].value)


def _final(people: _People, orders: Iterable[Carried]) -> Resolution:
    """Follow the unions to their end, so that every person named is one that stays."""
    result = people.result
    for order in orders:
        for key in order.carries():
            person = people.of(key, order.channel)
            assert person is not None  # every key of an order is tied by now
            result.ties[order.channel, key] = person
    result.persons = {order: people.root(person) for order, person in result.persons.items()}
    doubts: dict[tuple[Person, Person], str] = {}
    for doubt in result.doubts:
        one, other = people.root(doubt.one), people.root(doubt.other)
        if one != other:
            doubts.setdefault((min(one, other), max(one, other)), doubt.reason)
    result.doubts = [Doubt(one, other, reason) for (one, other), reason in doubts.items()]
    return result
