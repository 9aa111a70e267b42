"""The signature of Yahoo!'s order API: who asks and when, encrypted with the store's public key."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from connectors.contract import NeedsPerson

_MARKS = re.compile(r"-----[A-Z ]+-----")


def public_key(pem: str) -> RSAPublicKey:
    """Read the downloaded key, also where its line breaks were lost. Raises NeedsPerson."""
    try:
        der = base64.b64decode("".join(_MARKS.sub("", pem).split()), validate=True)
        key = load_der_public_key(der)
    except (binascii.Error, ValueError) as error:
        raise _unusable() from error
    if not isinstance(key, RSAPublicKey):
        raise _unusable()
    return key


def signature(seller_id: str, key: RSAPublicKey, moment: datetime) -> str:
    """``sellerId:seconds``, encrypted (PKCS#1 v1.5) and in Base64; new for every request."""
    told = f"{seller_id}:{int(moment.timestamp())}"
    return base64.b64encode(key.encrypt(told.encode(), PKCS1v15())).decode()


def _unusable() -> NeedsPerson:
    return NeedsPerson(
        "公開鍵を読み取れません。The public key cannot be read.",
        "ストアクリエイターPro の「設定」→「暗号鍵管理」からダウンロードした公開鍵の全文を登録して"
        "ください。Enter the whole public key downloaded from Store Creator Pro.",
    )
