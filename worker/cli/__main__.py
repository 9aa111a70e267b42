"""``python -m worker.cli``: what the installed command ``okaeri`` is."""

from __future__ import annotations

from worker.cli import app

if __name__ == "__main__":
    app(prog_name="okaeri")
