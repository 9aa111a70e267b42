"""The child of ``try_in_child``: renders one source under hard limits and prints the result."""

from __future__ import annotations

import json
import resource
import sys

from jinja2 import TemplateError

from worker.mail.placeholders import ALIASES
from worker.mail.sandbox import ENVIRONMENTS, OUTPUT_LIMIT, MissingValue

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024


def main() -> int:
    """Read the question from stdin, answer on stdout; 3 when the memory ran out."""
    _limit(resource.RLIMIT_CPU, CPU_SECONDS)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    question = json.load(sys.stdin)
    try:
        answer = _answer(question["source"], question["values"], html=question["html"])
    except MemoryError:
        return 3
    sys.stdout.write(json.dumps(answer))
    return 0


def _limit(what: int, most: int) -> None:
    """Set a limit, or keep the stricter one the process was started with."""
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _answer(source: str, values: dict[str, str], *, html: bool) -> dict[str, object]:
    # The room itself is tried here, without the list of allowed words: this is the second wall.
    known = values | {alias: values[name] for alias, name in ALIASES.items() if name in values}
    try:
        output = ENVIRONMENTS[html].from_string(source).render(known)
    except (TemplateError, MissingValue, TypeError, ValueError, ArithmeticError) as error:
        return {"ok": False, "reason": str(error) or type(error).__name__}
    if len(output.encode()) > OUTPUT_LIMIT:
        return {"ok": False, "reason": f"the mail is longer than {OUTPUT_LIMIT // 1024} KB"}
    return {"ok": True, "output": output}


if __name__ == "__main__":
    sys.exit(main())
