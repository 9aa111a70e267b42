"""What an import, an undo or a replay did, in words for whoever ran the command."""

from __future__ import annotations

from collections.abc import Iterator

from worker.pipeline.import_report import ImportReport
from worker.pipeline.import_undo import UndoReport
from worker.pipeline.quarantine import ReplayReport

_NOTES: dict[str, tuple[str, str]] = {
    "nul_removed": ("NUL文字を取り除きました", "NUL characters were removed"),
    "replacement_characters": (
        "文字化けした文字が含まれています",
        "it holds characters that were garbled before",
    ),
    "other_sheets": ("ほかのシートは読みません", "other sheets are not read"),
    "title_lines": ("見出しより前の行を飛ばしました", "lines above the header were skipped"),
    "no_item_file": ("商品ファイルがありません", "there is no item file"),
    "status_constant": ("状態の列がないため一律にしました", "no status column: one for all"),
    "currency_constant": ("通貨の列がないため一律にしました", "no currency column: one for all"),
    "no_total_column": ("合計の列がないため計算しました", "no total column: it is computed"),
    "new_channel": ("新しい店舗を登録しました", "a new channel was made"),
}


def import_words(report: ImportReport) -> str:
    """The result of an import, its warnings, and the first rejections."""
    return "\n".join(_import_lines(report))


def _import_lines(report: ImportReport) -> Iterator[str]:
    channels = "、".join(report.channels) or "-"
    yield f"{report.file} → {channels}({report.profile})"
    if report.already:
        yield "このファイルは取込済みです。変わったものはありません / taken in before, no change"
    if report.dry_run:
        yield "試しに読みました。何も保存していません / rehearsal: nothing was stored"
    yield (
        f"新規 {report.new}、変更 {report.changed}、変更なし {report.unchanged}、"
        f"古いもの {report.stale}、取込できず {report.rejected} / new {report.new}, "
        f"changed {report.changed}, unchanged {report.unchanged}, older {report.stale}, "
        f"rejected {report.rejected}"
    )
    for warning in report.warnings:
        yield f"  {_note(warning)}"
    for code, count in sorted(report.doubts.items()):
        yield f"  {code}: {count}"
    for rejection in report.rejections:
        yield f"  ! {rejection.position}: {rejection.reason_ja or rejection.reason}"
        if rejection.reason_ja:
            yield f"    {rejection.reason}"
    if report.rejected > len(report.rejections):
        yield "  … `okaeri quarantine list`"


def _note(warning: str) -> str:
    code, _, detail = warning.partition(":")
    if code not in _NOTES:
        return warning
    japanese, english = _NOTES[code]
    return f"{japanese} / {english}" + (f": {detail}" if detail else "")


def undo_words(report: UndoReport) -> str:
    """What taking an import back did, and what it could not reach."""
    head = (
        f"取込 {report.import_id} を取り消しました: 削除 {report.removed}件、"
        f"前の状態へ {report.restored}件 / taken back: {report.removed} removed, "
        f"{report.restored} restored"
    )
    lines = [head]
    told = (
        ("後から変わったためそのまま", "changed since, left alone", report.left),
        ("取り消したメール", "mails cancelled", report.cancelled_messages),
        ("書き直すメール", "mails to be written anew", report.rewritten_messages),
        ("送信済みのメール", "mails that are out already", report.sent_messages),
    )
    for japanese, english, found in told:
        if found:
            lines.append(f"  {japanese} / {english}: {', '.join(found)}")
    return "\n".join(lines)


def replay_words(report: ReplayReport) -> str:
    """How many records became orders and how many still do not."""
    return (
        f"取込 {report.replayed}件、残り {report.failed}件 / "
        f"{report.replayed} taken in, {report.failed} remain"
    )
