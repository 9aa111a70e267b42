"""Secrets and personal data do not reach a log line."""

from connectors.kit.redaction import redact_headers, redact_text, redact_url


def test_a_url_shows_only_harmless_parameters() -> None:
    url = "https://ck:cs@shop.example:8443/v3/orders?page=2&email=a%40b.jp&consumer_key=ck_1#x"
    shown = redact_url(url)
    assert shown == "https://shop.example:8443/v3/orders?page=2&email=***&consumer_key=***"


def test_headers_are_masked_unless_known() -> None:
    shown = redact_headers({"Authorization": "ESA x", "Retry-After": "3"})
    assert shown == {"Authorization": "***", "Retry-After": "3"}


def test_text_loses_secrets_mail_and_phone() -> None:
    text = "key s3cret for hanako@example.jp, tel 090-0000-0000"
    assert redact_text(text, ["s3cret", ""]) == "key *** for ***, tel ***"
