"""What a live connector may offer beyond the contract, and where its first read begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from connectors.contract import ChannelConfig, Credential, Family, NeedsPerson, TryLater

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a first read begins at a source that keeps everything: before any shop of today."""

SINCE = "since"
"""Setting of a channel: the instant (ISO 8601) its first read begins at."""


class StillPreparing(TryLater):
    """The source is making what was asked for, e.g. a file: a quiet wait, and no failure."""


class LiveKind(Protocol):
    """What a live connector's class declares; ``okaeri channels add`` reads it.

    Its constructor is ``(config, *, vault: Vault, pace: Pace, **places: Path)``. It must not
    talk nor read the vault there: mapping a stored record again opens it without credentials.
    How long a credential lasts is told by ``vault.put(…, expires_at=…)``.
    """

    kind: ClassVar[str]
    family: ClassVar[Family]
    CREDENTIALS: ClassVar[tuple[Credential, ...]]
    LANES: ClassVar[Mapping[str, tuple[float, float]]]
    """Lane to (requests per second, burst)."""
    HISTORY_DAYS: ClassVar[int | None]
    """How many days back the source tells orders; None: all of them. See also KnowsReach."""
    WARNINGS: ClassVar[Sequence[str]]
    """What a shop must know before it sets the channel up, in Japanese."""
    WARNINGS_EN: ClassVar[Sequence[str]]


SETTINGS = "SETTINGS"
"""Class attribute a kind may have beside them: what the shop must tell that is no credential,
such as its address, as Credentials with ``secret=False``; it goes into the settings."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The orders a source says were placed in a span: external id to total, in minor units.

    A total is None where the source's short list does not tell it. Cancelled orders are
    listed too, with the total the mapping would give them or None.
    """

    orders: Mapping[str, int | None]

    @property
    def count(self) -> int:
        """How many orders there are."""
        return len(self.orders)

    @property
    def total(self) -> int | None:
        """The sum, or None where any total is untold."""
        amounts = list(self.orders.values())
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None


@runtime_checkable
class KnowsReach(Protocol):
    """A connector whose ``HISTORY_DAYS`` depend on what the shop was allowed."""

    def history_days(self) -> int | None:
        """Ask how many days back the source tells orders now; None: all of them.

        Raises NeedsPerson or TryLater.
        """
        ...


@runtime_checkable
class Reconciles(Protocol):
    """A connector whose source can list the orders of a span cheaply."""

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed from ``since`` up to, not including, ``until``.

        Raises NeedsPerson or TryLater.
        """
        ...


@runtime_checkable
class LogsIn(Protocol):
    """A connector whose source gives tokens to whoever logs in there with a browser.

    The credential that a login brings is marked ``by_login``. Who calls makes ``state``, lets
    it work once, and holds what came back against it.
    """

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where a person logs in; the source then calls ``redirect_uri`` with ``code`` and
        ``state``, or with ``error``. Makes no call itself. Raises NeedsPerson.
        """
        ...

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Turn the code of a login into tokens and keep them in the vault.

        ``redirect_uri`` is the one of ``login_url``. Raises NeedsPerson or TryLater.
        """
        ...


@runtime_checkable
class SignedWebhooks(Protocol):
    """A connector whose source nudges by signed requests; it is asked without any network."""

    DELIVERY_HEADER: ClassVar[str]
    """The header, in lower case, that names one delivery; empty where none does."""

    def webhook(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Tell whether the signature is right for the bytes as they came.

        ``headers`` have lower-case names. Compare with ``hmac.compare_digest``; False where
        the secret or the header is missing. Nothing of the body is believed or stored.
        """
        ...


@runtime_checkable
class SameBodies(Protocol):
    """A connector whose source names a thing and no more: each change of it has the same bytes."""

    SAME_BODY_SECONDS: ClassVar[int]
    """Within so many seconds the same bytes are one delivery; later they tell of a new change."""


@runtime_checkable
class Pings(Protocol):
    """A connector whose source tries a new webhook with an unsigned request."""

    def is_ping(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Tell whether it is such a trial: it is answered well and does nothing."""
        ...


def first_instant(config: ChannelConfig, now: datetime, history_days: int | None) -> datetime:
    """Where a stream without a watermark begins: the setting ``since``, else the source's reach.

    Never earlier than the source reaches. Raises NeedsPerson for a setting that is no
    aware instant.
    """
    reach = BEGINNING if history_days is None else now - timedelta(days=history_days)
    told: Any = config.settings.get(SINCE)
    if not told:
        return reach
    try:
        since = datetime.fromisoformat(str(told))
    except ValueError as error:
        raise _wrong_since(told) from error
    if since.tzinfo is None:
        raise _wrong_since(told)
    return max(reach, since)


def _wrong_since(told: object) -> NeedsPerson:
    return NeedsPerson(
        f"設定 since の値「{told}」を読めません。The setting since = {told!r} cannot be read.",
        "2026-01-01T00:00:00+09:00 のように書いてください。Write it like that.",
    )
