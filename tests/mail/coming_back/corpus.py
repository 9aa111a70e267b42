"""The samples as bytes, with the addresses and ids of a test put in; invented people only."""

from __future__ import annotations

from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"
TO = "hanako@mail.example"
MAIL_ID = "<abcdefghij.1@hinata.example>"
PATH = "shop@hinata.example"


def sample(name: str, *, to: str = TO, mail_id: str = MAIL_ID, path: str = PATH) -> bytes:
    """One received mail, with CRLF; ``path`` is the envelope sender it came back to."""
    text = (SAMPLES / f"{name}.eml").read_text(encoding="utf-8")
    for place, value in (("{to}", to), ("{mail_id}", mail_id), ("{path}", path)):
        text = text.replace(place, value)
    return text.replace("\n", "\r\n").encode()


def names() -> list[str]:
    """All samples."""
    return sorted(path.stem for path in SAMPLES.glob("*.eml"))
