"""Where the service lives and what it may reach: data, configuration, databases, mail, secrets.

Everything comes from the environment (``OKAERI_…``) or the command line; a secret may come from
a file instead (``OKAERI_SMTP_PASSWORD_FILE``). What the shop decides stands in the documents.
"""

from __future__ import annotations

import base64
import os
import secrets as random
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

QUEUES = ("poll", "rank", "render", "dispatch", "default")
"""The queues of the worker: one takes from all, or each has workers of its own."""


_SECRETS = (
    *("key", "former_key", "smtp_password", "imap_password"),
    *("database_url", "broker_url"),
)
"""May come from a file instead."""


class SettingsWrong(ValueError):
    """A setting cannot be used; the text names the variable and what to do."""


class Settings(BaseSettings):
    """One installation's settings; paths are absolute after loading."""

    model_config = SettingsConfigDict(env_prefix="OKAERI_", extra="ignore", frozen=True)

    data: Path = Path("data")
    """Database, broker socket, journal, outbox, drop folders, backups, the secret key."""
    config: Path | None = None
    """The shop documents; default: ``config`` inside the data directory."""
    database_url: str = ""
    """Default: SQLite in the data directory."""
    broker_url: str = ""
    """Default: a broker of our own, started by ``okaeri run``."""
    key: SecretStr = SecretStr("")
    """Base64 of 32 bytes; default: ``secret.key`` in the data directory (mode 0600)."""
    former_key: SecretStr = SecretStr("")
    """The key before this one: credentials sealed with it can still be opened."""
    transport: Literal["capture", "smtp"] = "capture"
    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    envelope_sender: str = ""
    """MAIL FROM; default: the From address of each mail."""
    bounce_domain: str = ""
    """Domain of the return paths ``b+…@``, whose mail ends where ``okaeri mail`` reads it."""
    returns_folder: Path | None = None
    """A maildir of what comes back: bounces, complaints, replies."""
    imap_host: str = ""
    """A mailbox of the same, read by IMAP; empty: none."""
    imap_port: int = Field(993, ge=1, le=65535)
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_tls: Literal["tls", "starttls", "none"] = "tls"
    message_domain: str = ""
    """Right side of Message-IDs; default: the domain of the From address."""
    host: str = "127.0.0.1"
    port: int = Field(8787, ge=0, le=65535)
    pool: Literal["prefork", "threads"] = "prefork"
    concurrency: int = Field(2, ge=1, le=64)
    log: Literal["json", "plain"] = "json"
    backup: bool = True
    """Back the store up before a migration."""
    import_limit_mb: int = Field(64, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, object]) -> dict[str, object]:
        for name in _SECRETS:
            path = os.environ.get(f"OKAERI_{name.upper()}_FILE")
            if path and not values.get(name):
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except OSError as error:
                    raise ValueError(
                        f"OKAERI_{name.upper()}_FILE: {path}: {error.strerror}"
                    ) from error
        return values

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        return _store_url(url) if url else url

    @property
    def config_dir(self) -> Path:
        """Folder of the shop documents."""
        return (self.config or self.data / "config").absolute()

    @property
    def templates_dir(self) -> Path:
        """Folder of the shop's own mail texts, laid over the shipped ones."""
        return self.config_dir / "templates" / "mail"

    @property
    def store_url(self) -> str:
        """The store's URL; SQLite in the data directory unless told otherwise."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'okaeri.db'}"

    @property
    def outbox(self) -> Path:
        """Where the capture transport writes ``<message id>.eml``."""
        return self.data.absolute() / "outbox"

    @property
    def journal(self) -> Path:
        """Folder of the dispatch journal, outside the database on purpose (P3, P13)."""
        return self.data.absolute() / "journal"

    @property
    def drop(self) -> Path:
        """Drop folders, one for each channel."""
        return self.data.absolute() / "drop"

    @property
    def uploads(self) -> Path:
        """Order files that were sent to the desk and not taken in yet."""
        return self.data.absolute() / "uploads"

    def secret_key(self) -> bytes:
        """The installation's 32-byte key, made on first use.

        Raises SettingsWrong when it is unreadable: a new key would no longer recognise
        anybody, so none is made while an old one might exist.
        """
        given = self.key.get_secret_value()
        if given:
            return _decode_key(given, "OKAERI_KEY")
        path = self.data.absolute() / "secret.key"
        if not path.exists():
            _write_key(path)
        return _decode_key(path.read_text(encoding="ascii").strip(), str(path))

    def former_keys(self) -> tuple[bytes, ...]:
        """Keys that credentials may still be sealed with. Raises SettingsWrong."""
        given = self.former_key.get_secret_value()
        return (_decode_key(given, "OKAERI_FORMER_KEY"),) if given else ()


def _decode_key(text: str, place: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SettingsWrong(f"{place}: not base64. Restore the key from your backup.") from error
    if len(key) < 32:
        raise SettingsWrong(f"{place}: shorter than 32 bytes. Restore the key from your backup.")
    return key


def _write_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = base64.b64encode(random.token_bytes(32)).decode("ascii")
    temporary = path.with_suffix(f".{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails when another process was first: its key is the key
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def load_settings(data: Path | None = None, config: Path | None = None) -> Settings:
    """Read the settings; the arguments win over the environment. Raises SettingsWrong."""
    given: dict[str, Path] = {}
    if data is not None:
        given["data"] = data
    if config is not None:
        given["config"] = config
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            f"OKAERI_{'_'.join(str(part) for part in item['loc']).upper()}: {_told(item)}"
            if item["loc"]
            else _told(item)
            for item in error.errors()
        ]
        raise SettingsWrong("\n".join(lines)) from error


def _told(item: Mapping[str, Any]) -> str:
    return str(item["msg"]).removeprefix("Value error, ")


def _store_url(url: str) -> str:
    """The URL with the driver that Okaeri speaks. Raises ValueError, never quoting the URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("no database URL. Write postgresql://user@host/okaeri.") from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return url
    if backend not in ("postgres", "postgresql"):
        raise ValueError(f"{backend} is not supported. Use PostgreSQL or SQLite.")
    if find_spec("psycopg") is None:
        raise ValueError("the PostgreSQL driver is missing. Run: pip install 'psycopg[binary]'")
    chosen = parsed.set(drivername="postgresql+psycopg")
    return chosen.render_as_string(hide_password=False)


def export_settings(settings: Settings) -> dict[str, str]:
    """The environment that makes a child process load the same settings."""
    environment = {
        "OKAERI_DATA": str(settings.data.absolute()),
        "OKAERI_CONFIG": str(settings.config_dir),
        "OKAERI_DATABASE_URL": settings.store_url,
        "OKAERI_LOG": settings.log,
    }
    if settings.broker_url:
        environment["OKAERI_BROKER_URL"] = settings.broker_url
    return environment
