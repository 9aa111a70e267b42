"""The ways out: capture always, SMTP only where the settings ask for it and can be used."""

from __future__ import annotations

import pytest

from tests.factories import NOW
from worker.mail.limits import LocalLimiter
from worker.mail.shared_limits import RedisLimiter
from worker.runtime import Runtime
from worker.sending import dispatch_round, open_journal, open_limiter, open_transports, standing
from worker.settings import Settings, SettingsWrong


def test_capture_needs_no_setting(runtime: Runtime) -> None:
    transports = open_transports(runtime.settings)

    assert transports.default is None
    transports.close()


def test_smtp_without_a_host_is_told_by_its_setting(runtime: Runtime) -> None:
    settings = Settings(data=runtime.settings.data, transport="smtp")

    with pytest.raises(SettingsWrong, match="OKAERI_SMTP_HOST"):
        open_transports(settings)


@pytest.mark.parametrize(
    ("url", "kind"),
    [("", LocalLimiter), ("memory://", LocalLimiter), ("redis://h/0", RedisLimiter)],
)
def test_the_pace_is_shared_where_there_is_a_redis(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, url: str, kind: type
) -> None:
    monkeypatch.delenv("OKAERI_BROKER_URL", raising=False)

    limiter = open_limiter(Settings(data=runtime.settings.data, broker_url=url))

    assert isinstance(limiter, kind)


def test_a_round_without_work_sends_nothing_and_a_second_neither(runtime: Runtime) -> None:
    for _ in range(2):
        done = dispatch_round(runtime, NOW)
        assert (done.sent, done.counts, done.problems, done.lock) == (0, {}, [], "")


def test_a_copied_folder_is_locked_until_rearmed(runtime: Runtime) -> None:
    assert standing(runtime, NOW).lock == ""
    open_journal(runtime.settings).sending("01GONE", 1, "<m@x>", "here", NOW)

    assert standing(runtime, NOW).lock == "journal_ahead"
    assert dispatch_round(runtime, NOW).lock == "journal_ahead"
