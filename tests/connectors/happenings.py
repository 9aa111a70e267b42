"""What happens at a pretend marketplace of the live demonstration, whatever its kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.connectors.loopback import Answered, Loopback, told, web_page

Act = Callable[[str, datetime], None]
"""Changes an order, named by its number, at an instant."""


@dataclass
class Street:
    """Orders arrive, and go on by the marketplace's own acts: ship, cancel, refund."""

    loopback: Loopback
    place: Callable[[int, datetime], str]
    """Lets the order of a serial number arrive and gives its number."""
    acts: dict[str, Act]
    expire: Callable[[], None] | None = None
    """Ends the token that is in use, where the kind can renew it by itself."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The marketplace's own, where its answers tell the time; a story moves it."""
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    serial: int = 0
    open: list[str] = field(default_factory=list)

    def happen(self, now: datetime) -> str:
        """Half of the time an order arrives; else something becomes of an open one."""
        with self.loopback._lock:  # a reader must not see half of a change
            if len(self.open) < 3 or self.chance.random() < 0.5:
                self.serial += 1
                number = self.place(self.serial, now)
                self.open.append(number)
                return f"{number} 受注 / ordered"
            number = self.open.pop(self.chance.randrange(len(self.open)))
            name = self.chance.choice(sorted(self.acts))
            self.acts[name](number, now)
            return f"{number} {name}"

    def disturb(self) -> str:
        """The next answers are an error, a web page, garbage or half an answer; or a token ends."""
        if self.expire is not None and self.chance.random() < 0.4:
            with self.loopback._lock:
                self.expire()
            return "トークン失効 / the token has ended"
        kinds: dict[str, Answered] = {
            "エラー応答 / errors": told({"error": "busy"}, 503),
            "メンテナンス画面 / a web page": web_page(200),
            "壊れた応答 / garbage": Answered(200, b"garbage", {"content-type": "application/json"}),
            "途切れた応答 / half answers": Answered(
                200, b'{"a": [1, 2', {"content-type": "application/json"}
            ),
        }
        name = self.chance.choice(sorted(kinds))
        self.loopback.faults.extend([kinds[name]] * 4)
        return name
