"""What the editor says: findings in words with their button, and what can be put in."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from console.words import Words
from worker.mail.placeholders import PLACEHOLDERS, Placeholder, canonical
from worker.mail.spoken import said
from worker.pipeline.context import Context
from worker.pipeline.template_lint import Finding
from worker.pipeline.template_matrix import block_names
from worker.pipeline.template_names import TextName
from worker.pipeline.template_preview import label_of
from worker.rules.states import ADVERTISING_KINDS, MailKind

_TAG = re.compile(
    r"\{\{ *(\w+) *(?:\| *\w+ *)?\}\}|\{% *include \"(\w+)\" *%\}"
    r"|\{% *if (not )?(\w+)(?: is defined)? *%\}|\{% *(else) *%\}|\{% *(endif) *%\}"
)
_FIRST = ("customer_name_honorific", "visit_ordinal_text", "ship_plan_text", "personal_line")
_OF_COUPONS = "coupon"
_OF_LETTERS = ("letter_subject", "letter_body")
_OF_MALLS = frozenset({"mall_name", "inquiry_place", "mall_coupon_code"})
_OF_OWN = frozenset({"contact_mail", "shop_url", "legal_name", "postal_address", "unsubscribe_url"})


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding; ``mend`` is the button's word, empty where a person must think."""

    id: str
    part: str
    line: int
    start: int
    end: int
    severity: str
    title: str
    text: str
    where: str
    mend: str
    change: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PickView:
    """Something to put in: its label, an example, and what is typed."""

    label: str
    sample: str
    code: str
    first: bool
    optional: bool
    passage: bool = False


def finding_view(finding: Finding, name: TextName, words: Words) -> FindingView:
    """A finding as a clerk reads it."""
    code = finding.code if words.has(f"lint.{finding.code}") else "refused"
    values = {"what": _what(finding, words), "family": words(f"family.{name.family}")}
    text_key, mend_key = f"lint_text.{code}", f"lint_mend.{code}"
    if finding.code == "unknown_placeholder" and finding.mend is not None:
        values["near"] = finding.mend.text
        text_key = "lint_text.near"
    has_mend = finding.mend is not None and words.has(mend_key)
    return FindingView(
        id=finding.id,
        part=finding.part,
        line=finding.line,
        start=finding.start,
        end=finding.end,
        severity=finding.severity,
        title=words(f"lint.{code}", **values),
        text=words(text_key, **values) if words.has(text_key) else "",
        where=_where(finding, words),
        mend=words(mend_key, **values) if has_mend else "",
        change=asdict(finding.mend) if has_mend and finding.mend else None,
    )


def _what(finding: Finding, words: Words) -> str:
    if finding.code == "missing_value":
        return label_of(finding.what, words.locale)
    if finding.code == "advertises":
        key = f"lint_ad.{finding.what}"
        return words(key) if words.has(key) else finding.what
    if finding.code == "block_missing":
        key = f"block.{finding.what}"
        return words(key) if words.has(key) else finding.what
    return finding.what


def _where(finding: Finding, words: Words) -> str:
    if finding.part == "subject":
        return words("templates.subject")
    if not finding.line:
        return ""
    line = words("templates.line", n=finding.line)
    return line if finding.part == "text" else f"HTML {line}"


def picks(
    ctx: Context, name: TextName, words: Words
) -> tuple[dict[str, str], tuple[PickView, ...]]:
    """What each name between the braces is called, and everything that fits this text."""
    labels = {}
    for each in PLACEHOLDERS:
        for spelling in {each.name, said(each.name, words.locale), *each.aliases}:
            labels[spelling] = each.label(words.locale)
    blocks = block_names(ctx, name.locale, name.family)
    labels |= {f"block:{block}": words(f"block.{block}") for block in blocks}
    first = {each: place for place, each in enumerate(_FIRST)}
    known = sorted(PLACEHOLDERS, key=lambda each: first.get(each.name, len(first)))
    fitting = [_pick(each, words) for each in known if _fits(each, name)]
    passages = [
        PickView(words(f"block.{block}"), "", f'{{% include "{block}" %}}', False, False, True)
        for block in blocks
    ]
    return labels, (*fitting, *(() if name.is_block or name.is_card else passages))


def _pick(each: Placeholder, words: Words) -> PickView:
    name = said(each.name, words.locale)
    code = f"{{{{ {name} }}}}"
    if each.condition:
        code = f"{{% if {name} %}}\n{{% endif %}}"
    elif each.optional:
        # Its line must go with it where there is nothing to say.
        code = f"{{% if {name} %}}\n{code}\n{{% endif %}}"
    sample = "" if each.condition else each.sample(words.locale).split("\n")[0]
    return PickView(
        each.label(words.locale), sample, code, each.name in _FIRST, each.optional or each.condition
    )


def _fits(each: Placeholder, name: TextName) -> bool:
    """Leave out what such a mail never knows: naming it would hold every one."""
    if each.name in _OF_LETTERS:
        return name.mail_kind is MailKind.PERSONAL
    if each.name in _OF_MALLS:
        return name.family != "own"
    if each.name in _OF_OWN:
        return name.family == "own"
    if each.name.startswith(_OF_COUPONS):
        return name.is_block or name.is_card or name.mail_kind in ADVERTISING_KINDS
    return True


def readable(source: str, words: Words) -> str:
    """A source for reading, not for typing: what stands between the braces by its label."""
    return _TAG.sub(lambda found: _label(found, words), source)


def _label(found: re.Match[str], words: Words) -> str:
    value, block, negated, condition, other, end = found.groups()
    if value:
        told = label_of(canonical(value) or value, words.locale)
    elif block:
        key = f"block.{block}"
        told = words(key) if words.has(key) else block
    elif condition:
        label = label_of(canonical(condition) or condition, words.locale)
        told = words("templates.unless" if negated else "templates.if").replace("@", label)
    else:
        told = words("templates.else") if other else words("templates.endif") if end else ""
    return words("templates.tag", what=told) if told else found.group()
