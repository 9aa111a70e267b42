"""Reads the shop documents in ``config/`` into values, and reports every problem at once."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from worker.resources import shipped
from worker.rules.live_coupons import all_problems
from worker.rules.shop import (
    Documents,
    Ladder,
    Mails,
    Milestones,
    Policy,
    PolicyCell,
    Review,
    Senders,
    Shop,
)
from worker.rules.states import MailKind, Verdict

NAMES = ("shop", "ranks", "milestones", "mails", "senders", "review", "policy")
_TYPES: dict[str, type[Any]] = {
    "shop": Shop,
    "ranks": Ladder,
    "milestones": Milestones,
    "mails": Mails,
    "senders": Senders,
    "review": Review,
}
_STRICTNESS = list(Verdict)
_SAMPLE = "sample:"
"""Begins the release name of documents whose shop is the shipped sample."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a document: the file, the line where it stands, the key, what to do."""

    file: str
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class DocumentsWrong(ValueError):
    """The documents cannot be used; ``problems`` holds all of them, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_documents(folder: Path) -> Documents:
    """Load the shop's documents; a missing file takes the shipped one, except ``shop.toml``.

    Raises DocumentsWrong with every problem found, each with file, line and key.
    """
    texts = document_texts(folder)
    if "shop" not in texts:
        raise DocumentsWrong([missing_shop(folder)])
    return documents_from(texts, place=str(folder))


def sample_documents(folder: Path) -> Documents:
    """Load a folder that has no ``shop.toml``: the sample shop's stands in, for a first look.

    With them nothing leaves by mail server (see ``is_sample``). Raises DocumentsWrong.
    """
    texts = document_texts(folder)
    release = f"{_SAMPLE}{_digest(texts)}"
    return documents_from(texts, place=str(folder), release=release)


def is_sample(documents: Documents) -> bool:
    """Whether the shop is the shipped sample: name and addresses in it are nobody's."""
    return documents.release.startswith(_SAMPLE)


def missing_shop(folder: Path) -> Problem:
    """The problem of a folder without ``shop.toml``."""
    text = "missing. Run `okaeri init` to write a first one."
    return Problem(str(folder / "shop.toml"), None, "", text)


def document_texts(folder: Path) -> dict[str, str]:
    """The texts of a folder's documents by name.

    Raises DocumentsWrong for files that cannot be read and for unknown names.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name in NAMES:
        path = folder / f"{name}.toml"
        if not path.is_file():
            continue
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            problems.append(Problem(str(path), line, "", "not UTF-8. Save it as UTF-8."))
        except OSError as error:
            problems.append(Problem(str(path), None, "", f"cannot be read: {error.strerror}."))
    problems += _strangers(folder)
    if problems:
        raise DocumentsWrong(problems)
    return texts


def documents_from(
    texts: Mapping[str, str], *, place: str = "config", release: str | None = None
) -> Documents:
    """Build the documents from TOML texts by name; names left out take the shipped text."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        text = texts.get(name)
        if text is None:
            text = shipped_text(name)
        values[name] = _read(f"{place}/{name}.toml", text, kind, problems)
    policy = _policy(texts.get("policy"), f"{place}/policy.toml", problems)
    if problems or policy is None:
        raise DocumentsWrong(problems)
    problems = _contradictions(values, place)
    if problems:
        raise DocumentsWrong(problems)
    return Documents(
        shop=values["shop"],
        ladder=values["ranks"],
        milestones=values["milestones"],
        mails=values["mails"],
        senders=values["senders"],
        review=values["review"],
        policy=policy,
        release=release or f"files:{_digest(texts)}",
    )


def shipped_text(name: str) -> str:
    """The shipped document of that name."""
    return (shipped("config") / f"{name}.toml").read_text(encoding="utf-8")


def _digest(texts: Mapping[str, str]) -> str:
    lump = "\x00".join(f"{name}\x00{texts[name]}" for name in sorted(texts))
    return hashlib.sha256(lump.encode()).hexdigest()[:12]


def _strangers(folder: Path) -> list[Problem]:
    """A misspelt file would silently do nothing, so it is a problem."""
    known = {f"{name}.toml" for name in NAMES}
    return [
        Problem(str(path), None, "", f"unknown document. Known: {', '.join(sorted(known))}.")
        for path in sorted(folder.glob("*.toml"))
        if path.name not in known
    ]


def _parse(file: str, text: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        problems.append(Problem(file, line, "", f"not readable as TOML: {error}"))
        return None


def _read(file: str, text: str, kind: type[Any], problems: list[Problem]) -> Any:
    data = _parse(file, text, problems)
    if data is None:
        return None
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        problems += [_problem(file, text, item) for item in error.errors()]
        return None


def _problem(file: str, text: str, item: Any) -> Problem:
    path = [part for part in item["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in path)
    said = {
        "unexpected_keyword_argument": "unknown key. Remove it or mend its spelling.",
        "missing": "missing. Add it.",
    }.get(item["type"], f"{item['msg']} (found {item['input']!r})")
    return Problem(file, line_of(text, path), key, said)


def line_of(text: str, path: list[Any]) -> int | None:
    """Line of the key at ``path`` (tables, array positions, key), as near as it can be told."""
    wanted = [part for part in path if isinstance(part, str)]
    index = next((part for part in path if isinstance(part, int)), None)
    best: tuple[int, int] | None = None
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        here = line.strip()
        header = re.match(r"\[+\s*(.+?)\s*\]+", here)
        if header and here.startswith("["):
            table = [part.strip(" \"'") for part in re.findall(r'"[^"]*"|[^.]+', header.group(1))]
            if here.startswith("[["):
                name = ".".join(table)
                seen[name] = seen.get(name, -1) + 1
        key = re.match(r"[\"']?([\w:.-]+)[\"']?\s*=", here)
        trail = [*table, key.group(1)] if key and not here.startswith("[") else table
        if index is not None and seen.get(".".join(table), index) != index:
            continue
        depth = _shared(trail, wanted)
        if depth and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _shared(trail: list[str], wanted: list[str]) -> int:
    depth = 0
    for mine, theirs in zip(trail, wanted, strict=False):
        if mine != theirs:
            return 0 if depth == 0 else depth
        depth += 1
    return depth


def _policy(text: str | None, file: str, problems: list[Problem]) -> Policy | None:
    """Merge the shop's policy over the shipped one; a looser cell is refused, never taken."""
    ours: Policy | None = _read("policy.toml (shipped)", shipped_text("policy"), Policy, problems)
    if ours is None or text is None or text == shipped_text("policy"):
        return ours
    data = _parse(file, text, problems)
    if data is None:
        return None
    cells = {family: dict(row) for family, row in ours.cells.items()}
    for family, row in data.get("cells", {}).items():
        for kind, cell in row.items():
            merged = _stricter(file, text, ours, (family, kind), cell, problems)
            if merged is not None:
                cells.setdefault(family, {})[MailKind(kind)] = merged
    words = {
        family: (
            *ours.forbidden_words.get(family, ()),
            *data.get("forbidden_words", {}).get(family, ()),
        )
        for family in {*ours.forbidden_words, *data.get("forbidden_words", {})}
    }
    hosts = dict(ours.url_hosts)
    for family, mine in data.get("url_hosts", {}).items():
        shipped_hosts = hosts.get(family)
        hosts[family] = (
            tuple(mine) if shipped_hosts is None else tuple(h for h in mine if h in shipped_hosts)
        )
    return replace(ours, cells=cells, forbidden_words=words, url_hosts=hosts)


def _stricter(
    file: str,
    text: str,
    ours: Policy,
    place: tuple[str, str],
    cell: dict[str, Any],
    problems: list[Problem],
) -> PolicyCell | None:
    family, kind = place
    path = ["cells", family, kind]
    if kind not in list(MailKind):
        problems.append(Problem(file, line_of(text, path), ".".join(path), "unknown mail kind."))
        return None
    base = ours.cell(family, MailKind(kind))
    found: dict[str, Verdict] = {}
    for name, present in (("verdict", base.verdict), ("as_ad", base.as_ad)):
        word = cell.get(name, present.value)
        if word not in list(Verdict):
            known = ", ".join(_STRICTNESS)
            problems.append(
                Problem(
                    file,
                    line_of(text, [*path, name]),
                    ".".join([*path, name]),
                    f"unknown verdict {word!r}. Known: {known}.",
                )
            )
            return None
        wanted = Verdict(word)
        if _STRICTNESS.index(wanted) < _STRICTNESS.index(present):
            problems.append(
                Problem(
                    file,
                    line_of(text, [*path, name]),
                    ".".join([*path, name]),
                    f"{wanted} is looser than the shipped {present}. Policy can only be tightened.",
                )
            )
            return None
        found[name] = wanted
    return replace(base, verdict=found["verdict"], as_ad=found["as_ad"])


def _contradictions(values: Mapping[str, Any], place: str) -> list[Problem]:
    """What each document allows by itself but not together with the others."""
    shop: Shop = values["shop"]
    ladder: Ladder = values["ranks"]
    problems: list[Problem] = []
    try:
        ZoneInfo(shop.zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(
            Problem(
                f"{place}/shop.toml", None, "zone", f"unknown zone {shop.zone!r}, e.g. Asia/Tokyo."
            )
        )
    owner: dict[str, str] = {}
    for scope, members in shop.scopes.items():
        for channel in members:
            if channel in owner:
                problems.append(
                    Problem(
                        f"{place}/shop.toml",
                        None,
                        f"scopes.{scope}",
                        f"{channel} stands in {owner[channel]} too; scopes share no channel.",
                    )
                )
            owner[channel] = scope
    ranks = [rung.id for rung in ladder.rungs]
    if len(set(ranks)) != len(ranks) or not ranks:
        problems.append(
            Problem(f"{place}/ranks.toml", None, "rungs", "needs rungs with different ids.")
        )
    elif ladder.rungs[-1].min_visit > 1 or ladder.rungs[-1].any_of:
        problems.append(
            Problem(
                f"{place}/ranks.toml",
                None,
                "rungs",
                "the last rung must take everybody (min_visit 1, no conditions).",
            )
        )
    problems += [
        Problem(
            f"{place}/mails.toml",
            None,
            f"rules.{number}.ranks",
            f"unknown rank {rank!r}. Ranks: {', '.join(ranks)}.",
        )
        for number, rule in enumerate(values["mails"].rules)
        for rank in rule.ranks
        if rank not in ranks
    ]
    coupons = values["milestones"].coupons
    problems += [
        Problem(f"{place}/milestones.toml", None, key, text) for key, text in all_problems(coupons)
    ]
    return problems
