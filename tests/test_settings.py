"""Settings: from the environment or a file, refused with the name of the variable."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from worker.settings import SettingsWrong, load_settings


@pytest.fixture(autouse=True)
def _no_okaeri_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OKAERI_")]:
        monkeypatch.delenv(name)


def test_everything_lies_in_the_data_directory_by_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)

    assert settings.store_url == f"sqlite:///{tmp_path}/okaeri.db"
    assert settings.config_dir == tmp_path / "config"
    assert settings.transport == "capture"


def test_arguments_win_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKAERI_DATA", "/elsewhere")
    monkeypatch.setenv("OKAERI_CONFIG", str(tmp_path / "documents"))

    settings = load_settings(tmp_path)

    assert settings.data == tmp_path
    assert settings.config_dir == tmp_path / "documents"


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("OKAERI_SMTP_PASSWORD_FILE", str(secret))

    settings = load_settings(tmp_path)

    assert settings.smtp_password.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_an_unreadable_secret_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKAERI_SMTP_PASSWORD_FILE", str(tmp_path / "nothing"))

    with pytest.raises(SettingsWrong, match=r"OKAERI_SMTP_PASSWORD_FILE: .*nothing"):
        load_settings(tmp_path)


def test_a_wrong_value_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKAERI_SMTP_PORT", "submission")
    monkeypatch.setenv("OKAERI_TRANSPORT", "pigeon")

    with pytest.raises(SettingsWrong) as told:
        load_settings(tmp_path)

    assert "OKAERI_SMTP_PORT" in str(told.value)
    assert "OKAERI_TRANSPORT" in str(told.value)


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = load_settings(tmp_path).secret_key()
    second = load_settings(tmp_path).secret_key()

    assert first == second
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_damaged_key_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("not base64!", encoding="ascii")

    with pytest.raises(SettingsWrong, match="Restore the key"):
        load_settings(tmp_path).secret_key()
    assert (tmp_path / "secret.key").read_text("ascii") == "not base64!"


def test_a_key_that_is_too_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKAERI_KEY", base64.b64encode(b"short").decode())

    with pytest.raises(SettingsWrong, match="OKAERI_KEY: shorter"):
        load_settings(tmp_path).secret_key()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_a_postgresql_url_uses_the_one_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("OKAERI_DATABASE_URL", f"{scheme}://okaeri:s3cret@db/okaeri?sslmode=require")

    assert (
        load_settings(tmp_path).store_url
        == "postgresql+psycopg://okaeri:s3cret@db/okaeri?sslmode=require"
    )


@pytest.mark.parametrize(
    ("url", "told"), [("db.example", "no database URL"), ("mysql://u:s3cret@db/x", "mysql")]
)
def test_a_database_that_cannot_be_used_is_refused_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("OKAERI_DATABASE_URL", url)

    with pytest.raises(SettingsWrong, match=told) as error:
        load_settings(tmp_path)
    assert "OKAERI_DATABASE_URL" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "Value error" not in str(error.value)


def test_a_missing_postgresql_driver_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKAERI_DATABASE_URL", "postgresql://db/okaeri")
    monkeypatch.setattr("worker.settings.find_spec", lambda _name: None)

    with pytest.raises(SettingsWrong, match="pip install"):
        load_settings(tmp_path)
