"""連携: an order file is sent, looked at, and only then taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, File, Response, UploadFile

from connectors.contract import NeedsPerson
from console.failures import told
from console.pages.channels import refused
from console.rendering import go, page
from console.views.channels_import import preview_view
from console.visit import Editor, House, NoSuchPlace, Visit
from worker import log, uploads
from worker.pipeline.channel_names import find_channel
from worker.pipeline.imports import ImportReport, import_file
from worker.polling import own_profiles
from worker.store.engine import writing
from worker.uploads import Upload

router = APIRouter(prefix="/channels")
_log = log.get("uploads")


@router.post("/{name}/import")
def preview(
    visit: Editor,
    name: str,
    file: Annotated[UploadFile, File()],
    items: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep the file, read it as a rehearsal, and show what taking it in would do."""
    _known(visit, name)
    if not file.filename:
        return told(visit.request, 422, "no_file")
    sent = [(one.filename, one.file) for one in (file, items) if one and one.filename]
    folder = _folder(visit.house)
    uploads.forget_uploads(folder, visit.now)
    try:
        upload = uploads.keep(folder, sent, visit.house.runtime.settings.import_limit_mb)
    except uploads.TooLarge as large:
        return told(visit.request, 413, "too_large", n=large.limit)
    try:
        report = _import(visit.house, name, upload, visit.login.name, dry_run=True)
    except NeedsPerson as problem:
        uploads.drop(folder, upload.token)
        return refused(visit, problem)
    model = preview_view(report, visit.words)
    return page(visit, "channel_import.html", p=model, name=name, upload=upload.token)


@router.post("/{name}/import/{token}")
def take(visit: Editor, name: str, token: str, after: BackgroundTasks) -> Response:
    """Take it in, behind the answer: a large file takes minutes."""
    _known(visit, name)
    try:
        upload = uploads.upload_of(_folder(visit.house), token)
    except LookupError:
        return told(visit.request, 410, "upload_gone")
    after.add_task(_take, visit.house, name, upload, visit.login.name)
    return go(f"/channels/{name}?done=imported#files")


@router.post("/{name}/import/{token}/drop")
def drop(visit: Editor, name: str, token: str) -> Response:
    """Let it be: the file is deleted."""
    uploads.drop(_folder(visit.house), token)
    return go(f"/channels/{name}#files")


def _take(house: House, name: str, upload: Upload, by: str) -> None:
    """The import itself; what stops it stands in its row, and the file stays for another try."""
    try:
        report = _import(house, name, upload, by, dry_run=False)
    except NeedsPerson:
        _log.warning("upload_refused", channel=name)
        return
    uploads.drop(_folder(house), upload.token)
    _log.info("upload_taken", channel=name, count=report.new)


def _import(house: House, name: str, upload: Upload, by: str, *, dry_run: bool) -> ImportReport:
    runtime = house.runtime
    with runtime.look() as session:
        ctx = house.ctx_factory(session)
    return import_file(
        lambda: writing(house.engine), ctx, upload.file, channel=name, dry_run=dry_run, by=by,
        now=house.clock(), companion=upload.items, profiles=own_profiles(runtime.settings),
    )  # fmt: skip


def _folder(house: House) -> Path:
    return house.runtime.settings.uploads


def _known(visit: Visit, name: str) -> None:
    with visit.read() as (session, _ctx):
        if find_channel(session, name) is None:
            raise NoSuchPlace
