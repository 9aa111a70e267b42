"""Rebuilds the vendored CodeMirror from pinned npm packages: for developers, never at install.

Run ``python -m console.vendoring_editor FOLDER`` with an empty FOLDER; it needs ``npm``. The
bundle holds nothing of ours: what the page does with it stands in ``static/templates.js``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from console.vendoring import VENDOR

PINS = {
    "codemirror": "6.0.2",
    "@codemirror/autocomplete": "6.20.4",
    "@codemirror/commands": "6.11.1",
    "@codemirror/lang-css": "6.3.1",
    "@codemirror/lang-html": "6.4.12",
    "@codemirror/lang-javascript": "6.2.5",
    "@codemirror/lang-jinja": "6.0.1",
    "@codemirror/language": "6.13.1",
    "@codemirror/lint": "6.9.8",
    "@codemirror/search": "6.7.2",
    "@codemirror/state": "6.7.6",
    "@codemirror/streamparser": "6.0.0",
    "@codemirror/view": "6.43.15",
    "@lezer/common": "1.5.5",
    "@lezer/css": "1.3.9",
    "@lezer/highlight": "1.2.5",
    "@lezer/html": "1.3.13",
    "@lezer/javascript": "1.5.6",
    "@lezer/lr": "1.4.12",
    "@marijn/find-cluster-break": "1.0.4",
    "crelt": "1.0.7",
    "esbuild": "0.28.2",
    "style-mod": "4.1.4",
    "w3c-keyname": "2.2.8",
}
"""Every package that goes into the bundle, and the tool that makes it, to the last digit."""

ENTRY = """
export { autocompletion, completionKeymap } from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { html } from "@codemirror/lang-html";
export { jinja } from "@codemirror/lang-jinja";
export { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { lintGutter, setDiagnostics } from "@codemirror/lint";
export { EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
export {
  Decoration, EditorView, MatchDecorator, ViewPlugin, WidgetType,
  drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers,
} from "@codemirror/view";
export { tags } from "@lezer/highlight";
"""
"""What the page takes from it, as ``window.CodeMirrorParts``."""

_BUILD = (
    "npx", "--no-install", "esbuild", "entry.js", "--bundle", "--minify", "--format=iife",
    "--global-name=CodeMirrorParts", "--charset=utf8", "--legal-comments=none",
    "--target=es2022", "--outfile=codemirror.min.js",
)  # fmt: skip


def rebuild(folder: Path) -> str:
    """Fetch, bundle and put the file into the vendored folder; gives its SHA-256."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is needed to rebuild the editor")
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"private": True, "dependencies": PINS}
    (folder / "package.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    (folder / "entry.js").write_text(ENTRY, "utf-8")
    fetch = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    for command in (fetch, list(_BUILD)):
        subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - our own two commands
    made = folder / "codemirror.min.js"
    shutil.copyfile(made, VENDOR / made.name)
    return hashlib.sha256(made.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(f"codemirror.min.js {rebuild(Path(sys.argv[1]))}\n")
