"""Whether a mail may go at all: suppression, marketplace, consent, address, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.rules.shop import Policy
from worker.rules.states import Flag, MailKind, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of one person's reachability through one channel."""

    family: str
    kind: MailKind
    advertising: bool
    address: str | None
    """The address this very channel gave; another channel's is never used (mail-rules, 0.7)."""
    suppressed: str = ""
    """Reason of a suppression of every mail; empty: none."""
    ads_suppressed: str = ""
    """Reason of a suppression of advertising; empty: none."""
    consented: bool = False
    relay_ready: bool = False
    """The channel's marketplace relay is configured as a transport."""
    erased: bool = False
    incidental_ads: bool = False
    """The shop allows one short advertisement block in order mails of its own shops."""


@dataclass(frozen=True, slots=True)
class Permission:
    """``outcome`` None: a message may be made; ``holds`` then says why it must wait."""

    verdict: Verdict
    outcome: Outcome | None = None
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    holds: Flag | None = None

    @property
    def allows(self) -> bool:
        """May be sent now."""
        return self.outcome is None and self.holds is None


_INCIDENTAL = frozenset({MailKind.ORDER_THANKS, MailKind.SHIPPING_NOTICE})


def verdict_of(policy: Policy, reach: Reach) -> Verdict:
    """The policy's word for this mail; the own shop's incidental block is the one exception."""
    cell = policy.cell(reach.family, reach.kind)
    if not reach.advertising:
        return cell.verdict
    if reach.incidental_ads and reach.family == "own" and reach.kind in _INCIDENTAL:
        return cell.verdict
    return cell.as_ad


def permit(policy: Policy, reach: Reach) -> Permission:
    """Judge in the order of mail-rules section 1; the first negative answer wins."""
    verdict = verdict_of(policy, reach)
    if reach.erased:
        return Permission(verdict, Outcome.SUPPRESSED, "erased")
    if reach.suppressed:
        return Permission(verdict, Outcome.SUPPRESSED, "suppressed", {"why": reach.suppressed})
    by_policy = _by_policy(verdict, reach)
    if by_policy is not None:
        return by_policy
    if reach.advertising and reach.ads_suppressed:
        told = {"why": reach.ads_suppressed}
        return Permission(verdict, Outcome.SUPPRESSED, "suppressed_ads", told)
    if not reach.address:
        return Permission(verdict, Outcome.NO_ADDRESS, "no_address")
    if verdict is Verdict.CONSENT and not reach.consented:
        return Permission(verdict, Outcome.NO_CONSENT, "no_consent")
    return Permission(verdict, holds=_holds(verdict, reach))


def _by_policy(verdict: Verdict, reach: Reach) -> Permission | None:
    told = {"family": reach.family, "advertising": reach.advertising}
    if verdict is Verdict.FORBID:
        return Permission(verdict, Outcome.FORBIDDEN, "policy_forbids", told)
    if verdict is Verdict.PLATFORM:
        return Permission(verdict, Outcome.HANDOFF, "platform_sends", told)
    return None


def _holds(verdict: Verdict, reach: Reach) -> Flag | None:
    if verdict is Verdict.HOLD:
        return Flag.POLICY_UNVERIFIED
    if verdict is Verdict.RELAY and not reach.relay_ready:
        return Flag.RELAY_MISSING
    return None
