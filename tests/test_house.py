"""House rules that a linter does not know: sizes, names, borders, and what the front page says."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.folders import ROOT

PRODUCT = ("worker", "connectors", "console", "bench")
MAX_FUNCTION, MAX_DECILE, MAX_MEDIAN, MAX_FILE = 60, 35, 12, 400
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "managers",
    "base",
    "common",
    "misc",
}
BORDERS = {
    "celery": ("worker/celery.py", "worker/tasks.py", "worker/supervisor.py", "tests/", "bench/"),
    "kombu": ("worker/celery.py", "worker/tasks.py"),
    "requests": ("connectors/kit/http.py", "worker/mail/transport", "tests/", "bench/"),
    "smtplib": ("worker/mail/transport", "tests/", "bench/"),
    "unittest.mock": ("tests/",),
}
# Paths and hosts of the machine that somebody happened to sit at.
MACHINE = re.compile(
    r"(?<![\w.])(/work/|/home/\w|/root/|/Users/\w|[A-Z]:\\Users)"
    r"|\b(files\.pythonhosted\.org|pypi\.org|registry\.npmjs\.org)\b"
)
TEXT = {".py", ".toml", ".txt", ".md", ".yml", ".yaml", ".cfg", ".sh", ".html", ".css", ".js", ""}


@cache
def _listed() -> tuple[Path, ...]:
    """Every file that is in the repository or would be, if all were added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def _modules(*folders: str) -> dict[str, ast.Module]:
    """Our Python files, parsed, without the migrations that a tool drafts."""
    named = {path.relative_to(ROOT).as_posix(): path for path in _listed() if path.suffix == ".py"}
    return {
        name: ast.parse(path.read_text(encoding="utf-8"), name)
        for name, path in named.items()
        if name.split("/")[0] in folders and "/migrations/versions/" not in name
    }


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Name and length in lines of each function, without its docstring: words are no burden."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            words = 0
            if ast.get_docstring(node) is not None:
                first = node.body[0]
                words = (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, node.end_lineno - node.lineno + 1 - words


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_each_module_opens_with_one_sentence() -> None:
    bad = []
    for name, tree in _modules(*PRODUCT, "tests").items():
        first = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
        # One sentence, in whichever language, with what follows in paragraphs of its own.
        if not re.search(r"[.。:]$", first) or re.search(r"[.。] [A-Z]", first):
            bad.append(name)
    assert bad == []


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = {
        f"{name}:{function}": lines
        for name, tree in _modules(*PRODUCT, "tests").items()
        for function, lines in _functions(tree)
        if lines > MAX_FUNCTION
    }
    assert long == {}


def test_most_functions_are_short() -> None:
    lengths = [n for tree in _modules(*PRODUCT).values() for _, n in _functions(tree)]
    median, decile = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    sys.stdout.write(
        f"\n{len(lengths)} functions: median {median:g} lines, nine of ten within {decile:g}\n"
    )
    assert median <= MAX_MEDIAN
    assert decile <= MAX_DECILE


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    names = _modules(*PRODUCT, "tests")
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in names}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    words = {
        part for name in _modules(*PRODUCT, "tests") for part in Path(name).with_suffix("").parts
    }
    assert words & VAGUE_NAMES == set()


@pytest.mark.parametrize(("package", "allowed"), BORDERS.items())
def test_only_its_own_modules_import(package: str, allowed: tuple[str, ...]) -> None:
    trespassers = [
        name
        for name, tree in _modules(*PRODUCT, "tests").items()
        if not name.startswith(allowed)
        and any(n == package or n.startswith(f"{package}.") for n in _imported(tree))
    ]
    assert trespassers == []


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        f"{name}:{node.lineno}"
        for name, tree in _modules(*PRODUCT, "tests").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (_catches_all(node.type) and _does_nothing(node.body)))
    ]
    assert swallowed == []


def _catches_all(caught: ast.expr) -> bool:
    return ast.unparse(caught) in {"Exception", "BaseException"}


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(line, ast.Pass | ast.Continue)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in body
    )


def test_nothing_is_left_to_do() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError\(\)")
    assert _lines_with(unfinished, [*_modules(*PRODUCT, "tests")]) == []


def test_no_file_names_this_machine_or_a_registry() -> None:
    names = [p.relative_to(ROOT).as_posix() for p in _listed() if p.suffix in TEXT]
    assert _lines_with(MACHINE, names) == []


def _lines_with(pattern: re.Pattern[str], names: list[str]) -> list[str]:
    here = Path(__file__).relative_to(ROOT).as_posix()
    found = []
    for name in names:
        if name == here or "/vendor/" in name or "/samples/" in name:
            continue
        lines = (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()
        found += [f"{name}:{i}" for i, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_each_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", makefile, re.MULTILINE)
    phony = set(re.search(r"\.PHONY: ((?:.*\\\n)*.*)", makefile)[1].replace("\\", "").split())  # type: ignore[index]
    assert {name for name, _ in targets} == phony
    assert [name for name, rest in targets if "## " not in rest] == []


def test_hooks_and_ci_call_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in (".ci/run", ".pre-commit-config.yaml", "README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        called = set(
            re.findall(
                r"(?:^|[`\s])(?<!need )make (?:--silent )?([a-z][a-z-]+)", text, re.MULTILINE
            )
        )
        assert called <= targets, name


def test_the_front_page_names_the_two_commands() -> None:
    for name in ("README.md", "README.ja.md"):
        path = ROOT / name
        if path.exists():
            text = path.read_text(encoding="utf-8")
            assert "make demo" in text, name
            assert "make test" in text, name


def test_every_declared_package_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [line for group in groups for line in group]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    pins = (ROOT / "requirements" / "constraints.txt").read_text().lower().splitlines()
    assert names - {pin.partition("==")[0] for pin in pins} == set()


def test_each_decision_fits_one_screen_and_counts_on() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, page.name
        for heading in ("## Decision", "## Reason", "## What the alternative would cost"):
            assert heading in text, page.name
