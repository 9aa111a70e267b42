"""What taking an order file in would do, before anything is taken in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.words import Words
from worker.pipeline.import_report import ImportReport

_LINE = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class Bad:
    """One record that could not become an order."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class PreviewView:
    """The rehearsal of an import."""

    file: str
    profile: str
    counts: tuple[tuple[str, int], ...]
    orders: int
    """What the button promises: new and changed ones."""
    already: bool
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    bad: tuple[Bad, ...]
    more_bad: int


def preview_view(report: ImportReport, words: Words) -> PreviewView:
    """The report in the words of the page."""
    names = ("new", "changed", "unchanged", "stale", "rejected")
    return PreviewView(
        file=report.file,
        profile=report.profile,
        counts=tuple((words(f"import.count_{name}"), getattr(report, name)) for name in names),
        orders=report.new + report.changed,
        already=report.already,
        warnings=(
            *(_warning(text, words) for text in report.warnings),
            *(_doubt(code, count, words) for code, count in sorted(report.doubts.items())),
        ),
        missing=tuple(_field(name, words) for name in report.missing),
        unknown=report.unknown_columns,
        bad=tuple(
            Bad(
                _place(one.position, words),
                one.reason_ja if words.locale == "ja" and one.reason_ja else one.reason,
            )
            for one in report.rejections
        ),
        more_bad=max(0, report.rejected - len(report.rejections)),
    )


def _warning(text: str, words: Words) -> str:
    code, _, detail = text.partition(":")
    key = f"import_warning.{code}"
    said = words(key) if words.has(key) else code
    return f"{said}: {detail}" if detail else said


def _place(position: str, words: Words) -> str:
    """Where it stands in the file: ``line 3`` in the page's language."""
    found = _LINE.fullmatch(position)
    return words("import.line", line=found.group(1)) if found else position


def _doubt(code: str, count: int, words: Words) -> str:
    """What is odd about so many orders; the code itself where no words are known."""
    key = f"import_warning.{code}"
    return words(key, n=count) if words.has(key) else f"{code}: {count}"


def _field(name: str, words: Words) -> str:
    key = f"import_field.{name}"
    return words(key) if words.has(key) else name
