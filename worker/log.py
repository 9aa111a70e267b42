"""Structured logs: a constant event name, ids as fields, and never a personal value or secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_PHONE = re.compile(r"(?<![\w.-])(?:\+81|0)\d{1,4}[-\s]?\d{1,4}[-\s]?\d{3,4}(?![\w-])")
_SECRET = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")

_FIELDS = """
event level timestamp logger task queue channel stream step kind state move outcome code
message_id order_id import_id customer_id raw_id grant_id identity_id release profile
position count new changed unchanged stale rejected linked merged candidates planned
rendered sent failed seconds attempt attempts generation reason_code error_type error
process pid port signal exit_code url status page rows bytes sequence instance lane
retry_after scope lease file_kind limit total done path method duration_ms started
address_kind
"""
ALLOWED = frozenset(_FIELDS.split())
"""The fields a log line may carry. Names, addresses, phones and mails are not among them."""


def mask(text: str) -> str:
    """Mask mail addresses, phone numbers and URL passwords inside foreign text."""
    text = _ADDRESS.sub(_mask_address, _SECRET.sub(_mask_secret, text))
    text = _PHONE.sub(lambda found: "***" + found.group()[-2:], text)
    return text.replace("***\uff20", "***@")


def _mask_secret(found: re.Match[str]) -> str:
    # Without its "@" for a moment, or what is left would look like a mail address.
    return f"{found.group(1)}***\uff20"


def _mask_address(found: re.Match[str]) -> str:
    local, _, domain = found.group().partition("@")
    return f"{local[:1]}***@{domain}"


def _only_allowed(
    _logger: Any, _name: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what is not on the list, and say how many were dropped."""
    kept = {
        key: mask(value) if isinstance(value, str) else value
        for key, value in fields.items()
        if key in ALLOWED
    }
    dropped = len(fields) - len(kept)
    if dropped:
        kept["fields_dropped"] = dropped
    return kept


_OF_EVERY_RECORD = frozenset(logging.makeLogRecord({}).__dict__)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    """What a connector adds to its line, such as url and status: the allowed fields alone."""
    return {
        key: mask(value) if isinstance(value, str) else value
        for key, value in record.__dict__.items()
        if key in ALLOWED and key not in _OF_EVERY_RECORD
    }


class _Foreign(logging.Formatter):
    """Lines of libraries and connectors: message, allowed fields and error type, masked."""

    def format(self, record: logging.LogRecord) -> str:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": mask(record.getMessage()),
        }
        fields |= _extras(record)
        if record.exc_info and record.exc_info[0] is not None:
            fields["error_type"] = record.exc_info[0].__name__
            fields["error"] = mask(super().formatException(record.exc_info))
        return str(renderer(None, "", fields))


class _Lines(structlog.PrintLogger):
    """Writes lines to standard error and knows whose they are."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def _named(logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the step or process that speaks."""
    fields["logger"] = logger.name
    return fields


def configure(style: str = "json", level: int = logging.INFO) -> None:
    """Send all logs to standard error, ours and the libraries' alike."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            _named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Foreign())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak only of trouble: a line for every task received would bury ours.
    root.setLevel(logging.WARNING)
    logging.getLogger("connectors").setLevel(level)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that carries the name of the step or process.

    It takes the configuration in force when it is used: modules make theirs when they are
    imported, long before ``configure``, and must not keep what was in force then.
    """
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
