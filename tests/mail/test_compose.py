"""The bytes of a mail; each trap of Python's email package is met once."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any, cast

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from worker.mail.compose import Outgoing, RecipientRefused, compose, message_id_for
from worker.mail.headers import HeaderRefused

LONG_URL = "https://news.midori-chaho.example/unsubscribe/" + "a1B2" * 15
HARD = "髙橋 﨑 𠮷野 ㈱ ～〜 ①Ⅲ 葛\U000e0100城 👍🏽 ｶﾞｷﾞ 神祥 — …"
MAIL = Outgoing(
    message_ref="7d0f6a",
    message_id=message_id_for("7d0f6a", 1, "order.midori-chaho.example"),
    from_address="info@order.midori-chaho.example",
    from_name="みどり茶舗",
    reply_to="hello@midori-chaho.example",
    to_address="hanako@example.com",
    subject="【みどり茶舗】ご注文ありがとうございます(123456-20261122-0123456789)",
    body_text="高橋 美咲 様\n\nありがとうございます。\n",
    date=datetime(2026, 11, 22, 3, 10, tzinfo=UTC),
)
ADVERTISEMENT = replace(
    MAIL,
    is_advertisement=True,
    list_id="ads.midori.send.midori-chaho.example",
    list_unsubscribe=(LONG_URL, "mailto:unsub+3f9c@send.midori-chaho.example"),
)


def parsed(mail: Outgoing) -> EmailMessage:
    message = message_from_bytes(compose(mail), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def head(mail: Outgoing) -> list[str]:
    return compose(mail).split(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


def display_name(mail: Outgoing) -> str:
    # The newer parser puts a space between neighbouring encoded words of a name, wrongly.
    raw = str(message_from_bytes(compose(mail))["From"])
    return str(make_header(decode_header(parseaddr(raw)[0])))


def test_the_headers_of_an_order_mail() -> None:
    message = parsed(MAIL)
    assert message.keys() == [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Language",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "X-Mail-Ref",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]
    assert message["From"] == "みどり茶舗 <info@order.midori-chaho.example>"
    assert message["To"] == "hanako@example.com"
    assert message["Subject"] == MAIL.subject
    assert message["Date"] == "Sun, 22 Nov 2026 12:10:00 +0900"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "ja"


def test_the_same_mail_gives_the_same_bytes() -> None:
    both = replace(MAIL, body_html="<p>あ</p>")
    assert compose(both) == compose(replace(both))
    assert hashlib.sha256(compose(both)).hexdigest() != hashlib.sha256(compose(MAIL)).hexdigest()


def test_the_message_id_follows_from_message_and_generation() -> None:
    first = message_id_for("7d0f6a", 1, "Order.Shop.example")
    assert re.fullmatch(r"<[a-z2-7]{40}\.1@order\.shop\.example>", first)
    assert first == message_id_for("7d0f6a", 1, "order.shop.example")
    assert message_id_for("7d0f6a", 2, "order.shop.example") == first.replace(".1@", ".2@")
    assert message_id_for("other", 1, "order.shop.example") != first


@pytest.mark.parametrize("mail", [MAIL, ADVERTISEMENT, replace(MAIL, body_html="<p>あ</p>" * 300)])
def test_the_bytes_are_ascii_with_crlf_and_short_lines(mail: Outgoing) -> None:
    data = compose(mail)
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    long = [line for line in head(mail) if len(line) > 78]
    assert all(
        line.startswith((" <https", "List-Unsubscribe: <https", "Message-ID:")) for line in long
    )


def test_a_long_unsubscribe_address_stays_whole() -> None:
    # Python's own package would turn a token of more than 77 characters into encoded words.
    lines = head(ADVERTISEMENT)
    start = lines.index(f"List-Unsubscribe: <{LONG_URL}>,")
    assert lines[start + 1] == " <mailto:unsub+3f9c@send.midori-chaho.example>"
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert "List-Id: <ads.midori.send.midori-chaho.example>" in lines
    for line in lines:
        if line.startswith(("List-", "Message-ID", " <")):
            assert "=?" not in line


def test_encoded_words_are_short_and_hold_whole_characters() -> None:
    lines = head(replace(MAIL, subject=HARD * 6, from_name=HARD))
    for line in lines[: lines.index("Content-Language: ja") - 2]:
        assert len(line) <= 76
        for word in re.findall(r"=\?utf-8\?b\?([^?]+)\?=", line):
            assert len(word) <= 63
            base64.b64decode(word).decode("utf-8")
    assert parsed(replace(MAIL, subject=HARD * 6))["Subject"] == HARD * 6
    assert display_name(replace(MAIL, from_name=HARD)) == HARD


def test_an_english_subject_stays_readable() -> None:
    subject = (
        "[Midori Tea] Thank you, as ever. We have your order (20261122-0142), and one more word"
    )
    lines = head(replace(MAIL, subject=subject))
    start = next(i for i, line in enumerate(lines) if line.startswith("Subject: "))
    assert lines[start].startswith("Subject: [Midori Tea] Thank you, as ever.")
    assert lines[start + 1].startswith(" ")
    assert parsed(replace(MAIL, subject=subject))["Subject"] == subject


@pytest.mark.parametrize("subject", ["=?utf-8?q?forged?=", "a" * 200, "x " + "b" * 90])
def test_odd_subjects_arrive_as_written(subject: str) -> None:
    assert parsed(replace(MAIL, subject=subject))["Subject"] == subject


@pytest.mark.parametrize("name", ["Midori Tea", 'Midori "Best" Tea, Inc.', "A" * 90, "=?x?="])
def test_odd_shop_names_arrive_as_written(name: str) -> None:
    assert display_name(replace(MAIL, from_name=name)) == name


@pytest.mark.parametrize(
    "evil", ["a\nBcc: x@example.com", "a\r\nBcc: x", "a\rb", "a\x00", "a\x85b", "a\u2028b"]
)
@pytest.mark.parametrize(
    "field", ["subject", "from_name", "reply_to", "message_id", "message_ref", "feedback_id"]
)
def test_nothing_can_be_injected_into_a_header(field: str, evil: str) -> None:
    with pytest.raises(HeaderRefused):
        compose(replace(MAIL, **cast("Any", {field: evil})))


@pytest.mark.parametrize(
    "evil", ["a@x.jp, b@x.jp", "a@x.jp>\r\nBcc: b@x.jp", "<a@x.jp>", "a b@x.jp", "あ@x.jp"]
)
def test_from_and_to_hold_exactly_one_address(evil: str) -> None:
    with pytest.raises(HeaderRefused):
        compose(replace(MAIL, from_address=evil))
    with pytest.raises(RecipientRefused):
        compose(replace(MAIL, to_address=evil))


def test_an_old_phone_address_is_written_as_its_owner_knows_it() -> None:
    # Python's own package refuses it, or loses the quotes of its quoted form.
    assert "To: a..b@docomo.ne.jp" in head(replace(MAIL, to_address="a..b@docomo.ne.jp"))


@pytest.mark.parametrize("text", ["短い。\n", "a" * 2000 + "\n", "あ" * 3000, HARD, ""])
def test_every_body_is_base64_whatever_its_text(text: str) -> None:
    # Python's own package would choose 8bit, quoted-printable or base64 by the text.
    message = parsed(replace(MAIL, body_text=text))
    assert message["Content-Transfer-Encoding"] == "base64"
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n") == text


def test_text_comes_before_html_and_both_are_whole() -> None:
    message = parsed(replace(MAIL, body_html=f"<p>{HARD}</p>"))
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "MIME-Version" not in text
    assert html.get_content().replace("\r\n", "\n") == f"<p>{HARD}</p>"
    assert text.get_content().replace("\r\n", "\n") == MAIL.body_text


def test_an_advertisement_without_a_way_out_is_refused() -> None:
    with pytest.raises(HeaderRefused):
        compose(replace(MAIL, is_advertisement=True))


def test_one_click_is_promised_only_with_an_https_address() -> None:
    only_mail = replace(ADVERTISEMENT, list_unsubscribe=("mailto:unsub@send.midori-chaho.example",))
    assert "List-Unsubscribe-Post" not in parsed(only_mail)


@pytest.mark.parametrize("family", ["rakuten", "aupay", "amazon"])
def test_a_relay_gets_only_the_plainest_headers(family: str) -> None:
    assert parsed(replace(ADVERTISEMENT, family=family)).keys() == [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]


def test_an_order_mail_carries_no_list_headers() -> None:
    assert not [name for name in parsed(MAIL) if name.startswith("List-") or name == "Precedence"]


def test_a_letter_written_by_hand_does_not_call_itself_automatic() -> None:
    assert "Auto-Submitted" not in parsed(replace(MAIL, by_hand=True))


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        compose(replace(MAIL, date=datetime(2026, 11, 22)))  # noqa: DTZ001


def test_a_signature_covers_the_headers_and_finds_tampering() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    data = compose(replace(ADVERTISEMENT, body_html=f"<p>{HARD}</p>"))
    covered = [
        b"from",
        b"to",
        b"subject",
        b"date",
        b"message-id",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
        b"list-id",
        b"mime-version",
        b"content-type",
    ]
    signed = dkim.sign(data, b"s1", b"news.example", private, include_headers=covered) + data

    def dns(_name: bytes, timeout: int = 5) -> bytes:
        return record

    assert dkim.verify(signed, dnsfunc=dns)
    assert not dkim.verify(signed.replace(b"unsub+3f9c", b"unsub+evil"), dnsfunc=dns)
