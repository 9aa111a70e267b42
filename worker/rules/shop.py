"""The shop's settings as frozen values: what the documents in ``config/`` become.

Field names are the keys of the TOML files, so an error can name the key. The documents loader
validates them; rules read them. Times of day are shop-local, ``None`` means not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar, Literal

from worker.rules.live_coupons import LiveCoupon
from worker.rules.states import MailKind, ReviewMode, Sender, Verdict

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Contact:
    """Who speaks to the customer; a channel may differ from the shop."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    shop_name: str = ""
    staff_role: str = "店長"
    staff_name: str = ""
    staff_role_en: str = "Manager"
    mail: str = ""
    phone: str = ""
    hours: str = ""
    url: str = ""
    legal_name: str = ""
    postal_address: str = ""
    returns_url: str = ""
    sender: str = ""
    """The From address; empty: this channel cannot mail and its messages hold."""
    reply_to: str = ""


@dataclass(frozen=True)
class Counting:
    """What counts (mail-texts, section 1)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    visits: Literal["one_visit", "each"] = "one_visit"
    zero_amount: bool = True
    """Whether an order whose total is 0 counts."""
    gates: Mapping[str, Literal["authorized", "accepted", "paid"]] = field(
        default_factory=lambda: {
            "card": "authorized",
            "cod": "accepted",
            "prepayment": "paid",
            "deferred": "accepted",
            "free": "accepted",
            "unknown": "paid",
        }
    )
    history_limit_months: int = 12
    """A number is uncertain where the scope's history reaches back less than this."""
    spend_without_shipping: bool = False
    currency: str = "JPY"
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    """One unit of the currency in ledger currency; a currency without a rate is not spend."""


@dataclass(frozen=True)
class Matching:
    """How people are recognised across scopes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    across_scopes: Literal["off", "suggest", "auto"] = "off"
    weak_keys: Literal["off", "suggest"] = "suggest"


@dataclass(frozen=True)
class BusyPeriod:
    """A notice printed above the signature while its days run."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    first: date
    last: date
    line: str
    line_en: str = ""


@dataclass(frozen=True)
class Calendar:
    """Business days and planning of parcels."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    closed_weekdays: tuple[int, ...] = (5, 6)
    """0 is Monday."""
    closed_days: tuple[date, ...] = ()
    holidays: bool = True
    """Japanese public holidays are closed days."""
    ship_within_business_days: int = 2
    transit_days: int = 2
    transit_days_far: int = 4
    far_prefectures: tuple[str, ...] = ("北海道", "沖縄県")
    busy: tuple[BusyPeriod, ...] = ()


@dataclass(frozen=True)
class Shop:
    """``shop.toml``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    zone: str = "Asia/Tokyo"
    locale: Literal["ja", "en"] = "ja"
    say_number: bool = True
    acceptance_wording: bool = False
    incidental_ads: bool = False
    contact: Contact = field(default_factory=Contact)
    channels: Mapping[str, Contact] = field(default_factory=dict)
    """Per channel name: only what differs from ``contact``."""
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Scope name to channel names; channels named nowhere follow the default."""
    counting: Counting = field(default_factory=Counting)
    matching: Matching = field(default_factory=Matching)
    calendar: Calendar = field(default_factory=Calendar)
    relays: tuple[str, ...] = ()
    """Channels whose marketplace relay is configured as a transport; others hold (RELAY)."""
    care: Mapping[str, str] = field(default_factory=dict)
    """SKU to care text, printed in follow-up mails."""
    season_line: str = ""
    median_factor: Decimal = Decimal(5)
    """A first order above this many times the shop's median total stops for a person."""

    def scope_of(self, channel: str, family: str) -> str:
        """Name the scope of a channel: declared, else ``own`` for own shops, else itself."""
        for scope, members in self.scopes.items():
            if channel in members:
                return scope
        return "own" if family == "own" else channel

    def contact_of(self, channel: str) -> Contact:
        """Merge the channel's contact over the shop's; an unset field takes the shop's.

        A marketplace channel never takes the own shop's sender or URL: see ``worker.mail``.
        """
        mine = self.channels.get(channel)
        if mine is None:
            return self.contact
        blank = Contact()
        values = {
            each.name: getattr(mine, each.name)
            if getattr(mine, each.name) != getattr(blank, each.name)
            else getattr(self.contact, each.name)
            for each in fields(blank)
        }
        return Contact(**values)


@dataclass(frozen=True)
class Condition:
    """What a rung asks for; every value given must hold, counted within the window."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    orders: int | None = None
    spend: int | None = None
    """Net spend in minor units of the ledger currency (yen)."""
    average: int | None = None
    months: int | None = None
    """Window in calendar months up to and including the order; None with days None: lifetime."""
    days: int | None = None


@dataclass(frozen=True)
class Rung:
    """One rank of the ladder: the visit number first, then any one of the conditions."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    id: str
    label: str
    label_en: str
    min_visit: int = 1
    any_of: tuple[Condition, ...] = ()
    """Empty: the visit number alone decides."""
    text: str = ""
    """Which text folder it selects; empty: the rank's own id."""


@dataclass(frozen=True)
class Demotion:
    """How a rank is lost: judged monthly, one step, after a grace, unannounced."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    judging_day: int = 1
    steps: int = 1
    grace_days: int = 30


@dataclass(frozen=True)
class Ladder:
    """``ranks.toml``: rungs from the top, first match; promotion at once."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    rungs: tuple[Rung, ...]
    demotion: Demotion | None = field(default_factory=Demotion)
    """None: a rank once reached is kept."""


@dataclass(frozen=True)
class Reward:
    """What a milestone earns; a coupon or gift is off until value and conditions are entered."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    card: bool = True
    sample: str = ""
    sample_value: int = 0
    """Yen; compared with the gift limit (20 % of the order, 200 yen below 1,000 yen)."""
    coupon_pool: str = ""


@dataclass(frozen=True)
class MilestonePlan:
    """The milestones of one scope."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    numbers: tuple[int, ...] = (5, 10)
    every: int = 10
    """After the last of ``numbers``, every so many; 0: none."""
    rewards: Mapping[str, Reward] = field(default_factory=dict)
    """Milestone number as text, or ``every``, to the reward; missing: wording only."""


@dataclass(frozen=True)
class Milestones:
    """``milestones.toml``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    default: MilestonePlan = field(default_factory=MilestonePlan)
    scopes: Mapping[str, MilestonePlan] = field(default_factory=dict)
    customer_channel: str = ""
    """The own-family channel that customer-level mails go through; empty: the only one."""
    coupons: Mapping[str, LiveCoupon] = field(default_factory=dict)
    """Pools whose codes are made live, by the pool's name."""


@dataclass(frozen=True)
class MailRule:
    """One rule of ``mails.toml``: trigger, delay, window and conditions make a mail."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    kind: MailKind
    name: str = ""
    """Tells rules of one kind apart, in reasons and reports; no part of what makes it unique."""
    enabled: bool = True
    step: str = ""
    """Part of the occasion's identity: only for kinds that go out several times for one subject,
    as win_back 1 and 2. Rules that divide one kind by rank share the empty step, so that an
    order whose rank changes cannot get the mail of both."""
    families: tuple[str, ...] = ("own",)
    ranks: tuple[str, ...] = ()
    """Ranks the rule speaks to; empty: all."""
    trigger: Literal["ordered", "shipped", "delivered", "last_order", "step_sent"] = "ordered"
    after_step: str = ""
    delay_minutes: int = 0
    delay_minutes_by_family: Mapping[str, int] = field(default_factory=dict)
    delay_days: int = 0
    at: time | None = None
    hours: tuple[time, time] = (time(8), time(21))
    carrier_hours: tuple[time, time] | None = None
    business_days: bool = False
    not_before_closed: bool = False
    """Not on the last business day before two or more closed days."""
    weekdays: tuple[int, ...] = ()
    jitter_minutes: int = 20
    lead_minutes: int = 0
    """Rendered this long before it is due, so that there is time to read."""
    useful_hours: int = 48
    """Useless this long after it was due."""
    until_shipped: bool = False
    max_order: int = 0
    """Only up to this visit number; 0: any."""
    min_order: int = 1
    not_within_days: int = 0
    """Not when the same kind went to the person within so many days."""
    dormant_days: int = 0
    dormant_factor: Decimal = Decimal(0)
    """Dormant after max(dormant_days, factor x the customer's own median interval)."""
    give_up_days: int = 0
    coupon_pool: str = ""


@dataclass(frozen=True)
class Caps:
    """How often a person may be mailed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    ads_days: int = 14
    ads_days_around_order_mail: int = 3
    same_text_days: int = 180


@dataclass(frozen=True)
class Mails:
    """``mails.toml``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    rules: tuple[MailRule, ...]
    caps: Caps = field(default_factory=Caps)


@dataclass(frozen=True)
class Senders:
    """``senders.toml``: who sends which kind today, by channel, else by family, else nobody."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    families: Mapping[str, Mapping[MailKind, Sender]]
    channels: Mapping[str, Mapping[MailKind, Sender]] = field(default_factory=dict)

    def who(self, channel: str, family: str, kind: MailKind) -> Sender:
        """Say who sends this kind on this channel; a personal mail is always ours."""
        if kind is MailKind.PERSONAL:
            return Sender.OKAERI
        mine = self.channels.get(channel, {})
        return mine.get(kind) or self.families.get(family, {}).get(kind) or Sender.NOBODY


@dataclass(frozen=True)
class ReviewRule:
    """How mails of a kind, rank and family pass the desk; empty tuples mean all."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    kinds: tuple[MailKind, ...] = ()
    ranks: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    mode: ReviewMode = ReviewMode.REVIEW
    sample_percent: int = 10
    timed_business_hours: int = 4


@dataclass(frozen=True)
class Review:
    """``review.toml``: first matching rule, else review."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    rules: tuple[ReviewRule, ...] = ()
    undo_seconds: int = 300
    trust_after: int = 30
    """Clean approvals of one text version and channel before the next step is offered."""
    canary: int = 3
    """So many mails of a new text version are read in every mode."""
    four_eyes: bool = False
    """Whoever wrote a text version does not approve these first mails of it."""
    business_hours: tuple[time, time] = (time(9), time(18))


@dataclass(frozen=True)
class PolicyCell:
    """What is allowed for one (family, kind), with confidence, source and date."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    verdict: Verdict
    as_ad: Verdict
    """The verdict when the rendered words advertise."""
    confidence: Literal["H", "M", "L", "unverified"] = "unverified"
    source: str = ""
    checked_on: date | None = None


@dataclass(frozen=True)
class Policy:
    """``policy.toml``: shipped cells merged with the shop's by the strictest verdict."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    version: str
    cells: Mapping[str, Mapping[MailKind, PolicyCell]]
    url_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forbidden_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def cell(self, family: str, kind: MailKind) -> PolicyCell:
        """Look the cell up; an unknown kind holds, as an advertisement it is forbidden."""
        found = self.cells.get(family, {}).get(kind)
        return found or PolicyCell(verdict=Verdict.HOLD, as_ad=Verdict.FORBID)


@dataclass(frozen=True)
class Documents:
    """All shop documents in force, and which release they are."""

    shop: Shop
    ladder: Ladder
    milestones: Milestones
    mails: Mails
    senders: Senders
    review: Review
    policy: Policy
    release: str
    """``files:<hash>`` or ``release:<id>``."""
