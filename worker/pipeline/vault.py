"""Secrets at rest: coupon codes are kept encrypted, with a key derived from the installation's."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet

from worker.pipeline.context import Context
from worker.store.rewards import CouponCode


def seal(ctx: Context, clear: str) -> str:
    """Encrypt a short text for the store."""
    return _fernet(ctx.key).encrypt(clear.encode()).decode()


def unseal(ctx: Context, cipher: str) -> str:
    """Decrypt it again. Raises cryptography's InvalidToken under another installation's key."""
    return _fernet(ctx.key).decrypt(cipher.encode()).decode()


def reveal(ctx: Context, code: CouponCode) -> str:
    """The clear code of a coupon, for a card, a mail or whoever may export."""
    return unseal(ctx, code.cipher)


def _fernet(key: bytes) -> Fernet:
    derived = hmac.new(key, b"okaeri vault", hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(derived))
