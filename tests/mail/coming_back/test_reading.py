"""Every sample is read as what it is: the class of each bounce, and who wrote the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail.coming_back.corpus import MAIL_ID, PATH, TO, names, sample
from worker.mail.coming_back.parts import LONGEST
from worker.mail.coming_back.reading import read_mail
from worker.mail.coming_back.statuses import classify_failure
from worker.mail.coming_back.verdicts import BounceClass, What

B = BounceClass

BOUNCES = {
    "about-our-domain": ("5.0.0", B.AMBIGUOUS),
    "au-dead": ("5.0.0", B.HARD),
    "carrier-text-full": ("", B.SOFT),
    "docomo-refused": ("5.1.1", B.HARD),
    "exchange-not-found": ("5.1.10", B.HARD),
    "exchange-refused": ("5.7.1", B.BLOCK),
    "exchange-too-large": ("5.3.4", B.CONTENT),
    "exim": ("5.1.1", B.HARD),
    "gmail-disabled": ("5.2.1", B.HARD),
    "gmail-too-fast": ("4.7.28", B.THROTTLE),
    "gmail-unauthenticated": ("5.7.26", B.CONFIG),
    "gmail-unknown-user": ("5.1.1", B.HARD),
    "null-mx": ("5.1.10", B.HARD),
    "outlook-reputation": ("4.7.0", B.THROTTLE),
    "outlook-requirements": ("5.7.515", B.CONFIG),
    "postfix-full": ("5.2.2", B.SOFT),
    "postfix-given-up": ("4.4.1", B.TRANSIENT),
    "postfix-no-domain": ("5.4.4", B.HARD),
    "postfix-unknown-user": ("5.1.1", B.HARD),
    "qmail": ("5.1.1", B.HARD),
    "qmail-full": ("5.2.2", B.SOFT),
    "rakuten-relay": ("", B.HARD),
    "sendmail-vague": ("5.0.0", B.HARD),
    "smtputf8": ("5.6.7", B.CONTENT),
    "softbank-unknown": ("5.1.1", B.HARD),
}
OTHERS = {
    "arf-abuse": What.COMPLAINT,
    "arf-not-spam": What.UNREADABLE,
    "auto-with-words": What.AUTO_REPLY,
    "human-forwards-notice": What.REPLY,
    "human-reply": What.REPLY,
    "machine-unreadable": What.UNREADABLE,
    "postfix-delayed": What.NOTICE,
    "postfix-delivered": What.NOTICE,
    "sendmail-warning": What.NOTICE,
    "two-recipients": What.BOUNCE,
    "vacation-japanese": What.AUTO_REPLY,
    "vacation-null-path": What.AUTO_REPLY,
    "vacation-outlook": What.AUTO_REPLY,
    "vacation-rfc3834": What.AUTO_REPLY,
}


def test_every_sample_is_expected_to_be_something() -> None:
    assert names() == sorted([*BOUNCES, *OTHERS])


@pytest.mark.parametrize(("name", "status", "bounce"), [(k, *v) for k, v in BOUNCES.items()])
def test_a_bounce_is_read_with_its_status_and_class(
    name: str, status: str, bounce: BounceClass
) -> None:
    read = read_mail(sample(name))
    assert read.what is What.BOUNCE
    told = [(f.recipients, f.status, f.bounce) for f in read.failures]
    assert told == [((TO,), status, bounce)]


@pytest.mark.parametrize(("name", "what"), OTHERS.items())
def test_other_mail_is_told_apart(name: str, what: What) -> None:
    assert read_mail(sample(name)).what is what


@pytest.mark.parametrize("name", [n for n in names() if n != "carrier-text-full"])
def test_the_mail_it_speaks_of_is_found(name: str) -> None:
    wanted = () if name in ("human-forwards-notice", "machine-unreadable") else (MAIL_ID,)
    assert read_mail(sample(name)).mail_ids == wanted


@pytest.mark.parametrize("name", [n for n in BOUNCES if n != "rakuten-relay"])
def test_the_return_path_is_among_its_addresses(name: str) -> None:
    assert PATH in read_mail(sample(name)).envelopes


def test_each_recipient_has_its_own_class() -> None:
    told = [(f.recipients[0], f.bounce) for f in read_mail(sample("two-recipients")).failures]
    assert told == [("other@mail.example", B.SOFT), (TO, B.HARD)]


@pytest.mark.parametrize("name", ["docomo-refused", "au-dead", "softbank-unknown"])
def test_a_carriers_hard_answer_may_be_about_something_else(name: str) -> None:
    for domain in ("docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"):
        (failure,) = read_mail(sample(name, to=f"mihon@{domain}")).failures
        assert failure.bounce is B.AMBIGUOUS


def test_addresses_that_no_standard_allows_are_read_without_their_quotes() -> None:
    (failure,) = read_mail(sample("docomo-refused", to='"a..b"@docomo.ne.jp')).failures
    assert failure.recipients == ("a..b@docomo.ne.jp",)


def test_a_server_s_words_hold_no_address_any_more() -> None:
    for name in BOUNCES:
        for failure in read_mail(sample(name)).failures:
            assert "hanako@" not in failure.reply


def test_only_a_person_s_own_words_are_kept() -> None:
    read = read_mail(sample("human-reply"))
    assert read.text == "届け先を変えたいのですが、まだ間に合いますか。"
    assert (read.sender, read.wants_out) == (TO, False)


def test_words_of_leaving_are_seen_in_automatic_answers_too() -> None:
    assert read_mail(sample("auto-with-words")).wants_out
    assert not read_mail(sample("vacation-rfc3834")).wants_out


@pytest.mark.parametrize(
    ("status", "words", "wanted"),
    [
        ("5.1.6", "", B.HARD),
        ("5.1.3", "", B.HARD),
        ("", "553 bad syntax", B.HARD),
        ("", "550 User unknown", B.HARD),
        ("", "550 no", B.AMBIGUOUS),
        ("4.2.2", "", B.SOFT),
        ("", "552 message too large", B.CONTENT),
        ("4.3.2", "", B.TRANSIENT),
        ("", "421 later", B.TRANSIENT),
        ("", "450 greylisted", B.TRANSIENT),
        ("", "451 try again", B.TRANSIENT),
        ("5.4.6", "loop", B.SOFT),
        ("5.6.1", "", B.CONTENT),
        ("5.7.0", "", B.BLOCK),
        ("5.7.1", "user unknown", B.BLOCK),
        ("4.7.32", "", B.CONFIG),
        ("4.1.1", "user unknown", B.TRANSIENT),
        ("5.0.0", "550 5.2.2 full", B.SOFT),
        ("", "550 Client host not found", B.AMBIGUOUS),
        ("", "", B.AMBIGUOUS),
    ],
)
def test_the_table_of_statuses(status: str, words: str, wanted: BounceClass) -> None:
    assert classify_failure(status, words, carrier=False) is wanted


@pytest.mark.parametrize("name", names())
def test_a_mail_cut_anywhere_is_still_read(name: str) -> None:
    raw = sample(name)
    for end in range(0, len(raw), 97):
        read_mail(raw[:end])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_make_the_reading_fail(raw: bytes) -> None:
    head = b'Content-Type: multipart/report; boundary="B"\r\nFrom: mailer-daemon@a.example\r\n\r\n'
    read_mail(raw)
    read_mail(head + b"--B\r\nContent-Type: message/delivery-status\r\n\r\n" + raw)


def test_a_nest_of_parts_and_a_huge_body_are_contained() -> None:
    nest = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
        for n in range(6000)
    )
    assert read_mail(b"From: mailer-daemon@a.example\r\n" + nest).what is What.UNREADABLE
    huge = sample("human-reply") + b"x" * (3 * LONGEST)
    assert len(read_mail(huge).text) <= 2000
