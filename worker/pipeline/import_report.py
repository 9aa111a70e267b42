"""What an import did, in numbers and in words for the clerk who started it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors.contract import BadRecord, Order
from connectors.csv_file.files import FilePreview
from worker.pipeline.ingest import IngestResult

SHOWN = 20
"""So many rejections are told one by one; all of them stand in quarantine."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that could not become an order."""

    position: str
    code: str
    reason: str
    reason_ja: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One import, or its rehearsal. Counts are orders; ``rejected`` are records."""

    file: str
    sha256: str
    profile: str
    encoding: str | None
    import_id: int | None
    channels: tuple[str, ...]
    new: int
    changed: int
    unchanged: int
    stale: int
    rejected: int
    already: bool
    """The same file was taken in before: nothing changed now; the counts are of that time."""
    dry_run: bool
    warnings: tuple[str, ...]
    doubts: Mapping[str, int]
    """Codes of doubts about single orders, with how many orders they are about."""
    rejections: tuple[Rejection, ...]
    """The first of them."""
    missing: tuple[str, ...]
    unknown_columns: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self) | {"doubts": dict(self.doubts)}


@dataclass(slots=True)
class Tally:
    """Counts of an import under way."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    channels: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> Tally:
        """Read back what ``counts`` gave."""
        return cls(
            new=int(counts.get("new", 0)),
            changed=int(counts.get("changed", 0)),
            unchanged=int(counts.get("unchanged", 0)),
            stale=int(counts.get("stale", 0)),
            rejected=int(counts.get("rejected", 0)),
            channels=list(counts.get("channels", [])),
        )

    def counts(self) -> dict[str, Any]:
        """Give what is kept with the import."""
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "stale": self.stale,
            "rejected": self.rejected,
            "channels": list(self.channels),
        }

    def uses(self, channel: str, *, made: bool) -> None:
        """Note a channel; ``made``: it was unknown and named after a store of the file."""
        if channel not in self.channels:
            self.channels.append(channel)
            if made:
                self.warnings.append(f"new_channel:{channel}")

    def adds(self, result: IngestResult, mapped: Iterable[Order | BadRecord]) -> None:
        """Count a chunk."""
        self.new += result.new
        self.changed += result.changed
        self.unchanged += result.unchanged
        self.stale += result.stale
        failed = []
        for one in mapped:
            if isinstance(one, BadRecord):
                failed.append(one)
            else:
                self.doubts.update(one.warnings)
        self.rejects(failed)

    def rejects(self, errors: Iterable[BadRecord]) -> None:
        """Count records that could not become orders."""
        for error in errors:
            self.rejected += 1
            if len(self.rejections) < SHOWN:
                self.rejections.append(
                    Rejection(error.position, error.code, str(error), error.reason_ja)
                )


def report_of(
    preview: FilePreview,
    tally: Tally,
    *,
    import_id: int | None,
    already: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """Put together what the file is and what became of it."""
    return ImportReport(
        file=preview.path_name,
        sha256=preview.sha256,
        profile=preview.profile,
        encoding=preview.encoding,
        import_id=import_id,
        channels=tuple(tally.channels),
        new=tally.new,
        changed=tally.changed,
        unchanged=tally.unchanged,
        stale=tally.stale,
        rejected=tally.rejected,
        already=already,
        dry_run=dry_run,
        warnings=(*preview.warnings, *tally.warnings),
        doubts=dict(tally.doubts),
        rejections=tuple(tally.rejections),
        missing=preview.missing,
        unknown_columns=preview.unknown_columns,
    )
