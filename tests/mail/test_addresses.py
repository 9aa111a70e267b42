"""Addresses of customers, old phones, relays and invented people."""

from __future__ import annotations

import pytest

from worker.mail.addresses import AddressClass, classify, domain_class, lane, mask, normalise, scrub

C = AddressClass


@pytest.mark.parametrize(
    ("given", "kind", "rcpt"),
    [
        ("hanako@gmail.com", C.OK, "hanako@gmail.com"),
        ("  Hanako@GMAIL.com ", C.OK, "Hanako@gmail.com"),
        ("Ｈａｎａｋｏ＠ｇｍａｉｌ．ｃｏｍ", C.OK, "Hanako@gmail.com"),
        ("hana\u200bko@gmail.com", C.OK, "hanako@gmail.com"),
        ("hanako@例え.jp", C.OK, "hanako@xn--r8jz45g.jp"),
        ("a..b@docomo.ne.jp", C.RFC_VIOLATING, '"a..b"@docomo.ne.jp'),
        ("a.@docomo.ne.jp", C.RFC_VIOLATING, '"a."@docomo.ne.jp'),
        (".a@ezweb.ne.jp", C.RFC_VIOLATING, '".a"@ezweb.ne.jp'),
        (".a@t.biz.ezweb.ne.jp", C.RFC_VIOLATING, '".a"@t.biz.ezweb.ne.jp'),
        ("a..b@softbank.ne.jp", C.INVALID, ""),
        ("a..b@gmail.com", C.INVALID, ""),
        ('"a..b"@docomo.ne.jp', C.INVALID, ""),
        ("花子@gmail.com", C.INVALID, ""),
        ("a" * 65 + "@gmail.com", C.INVALID, ""),
        ("hanako", C.INVALID, ""),
        ("", C.INVALID, ""),
        ("a@b@gmail.com", C.INVALID, ""),
        ("a@gmail.com\r\nBcc: b@gmail.com", C.INVALID, ""),
        ("x0123@fw.rakuten.ne.jp", C.RELAY, "x0123@fw.rakuten.ne.jp"),
        ("x0123@marketplace.amazon.co.jp", C.RELAY, "x0123@marketplace.amazon.co.jp"),
        ("hanako@example.com", C.RESERVED, "hanako@example.com"),
        ("hanako@shop.example", C.RESERVED, "hanako@shop.example"),
        ("hanako@foo.test", C.RESERVED, "hanako@foo.test"),
        ("hanako@foo.invalid", C.RESERVED, "hanako@foo.invalid"),
        ("hanako@localhost", C.RESERVED, "hanako@localhost"),
        ("a..b@example.com", C.RESERVED, "a..b@example.com"),
    ],
)
def test_every_address_is_judged(given: str, kind: AddressClass, rcpt: str) -> None:
    judged = classify(given)
    assert (judged.kind, judged.rcpt) == (kind, rcpt)


def test_the_header_shows_an_old_phone_address_without_the_quotes() -> None:
    assert classify("a..b@docomo.ne.jp").text == "a..b@docomo.ne.jp"


def test_comparing_persons_keeps_dots_and_plus_tags() -> None:
    assert classify("Hana.Ko+tea@GMAIL.com").key == "hana.ko+tea@gmail.com"
    assert normalise(None) == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@docomo.ne.jp", "docomo"),
        ("a@t.ezweb.ne.jp", "au"),
        ("a@au.com", "au"),
        ("a@d.vodafone.ne.jp", "softbank"),
        ("a@yahoo.ne.jp", "softbank"),
        ("a@yahoo.co.jp", "yahoo_jp"),
        ("a@gmail.com", "gmail"),
        ("a@notgmail.com", "other"),
        ("a@shop.rakuten.ne.jp", "rakuten_relay"),
        ("a@company.co.jp", "other"),
    ],
)
def test_the_receiver_class_decides_the_lane(address: str, expected: str) -> None:
    assert domain_class(address) == expected
    assert lane("info@order.shop.jp", address) == f"order.shop.jp>{expected}"


def test_logs_never_show_an_address() -> None:
    assert mask("taro@docomo.ne.jp") == "t***@docomo.ne.jp"
    assert mask("nonsense") == "***"
    assert mask(None) == "***"
    said = '5.1.1 <taro@docomo.ne.jp>: unknown; try "a..b"@docomo.ne.jp'
    assert scrub(said) == '5.1.1 <t***@docomo.ne.jp>: unknown; try "***@docomo.ne.jp'
