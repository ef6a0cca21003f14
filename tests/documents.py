"""The code blocks of the documentation: where they stand, of what kind, whether they can run here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from program import CHECKOUT

KINDS = {"sh", "console", "yaml", "json", "text"}
NOT_RUN = "not-run:"
AWAY = {".git", ".venv", "build", "dist", "node_modules", ".pytest_cache", "golden"}


class Block(NamedTuple):
    """A fenced block. `reason` says why it is not run; empty when it is."""

    file: str
    line: int
    kind: str
    reason: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def documents() -> list[str]:
    """All Markdown files of the checkout, as relative paths; golden cases are data, not documents."""
    found = []
    for directory, names, files in os.walk(CHECKOUT):
        names[:] = sorted(set(names) - AWAY)
        paths = [Path(directory, file) for file in files if file.endswith(".md")]
        found += [str(path.relative_to(CHECKOUT)) for path in paths]
    return sorted(found)


def blocks(file: str) -> list[Block]:
    """The fenced and indented code blocks of one document, in order."""
    text = Path(CHECKOUT, file).read_text()
    found = []
    for token in MarkdownIt().parse(text):
        if token.type not in ("fence", "code_block"):
            continue
        kind, _, rest = token.info.strip().partition(" ")
        reason = rest.removeprefix(NOT_RUN).strip() if rest.startswith(NOT_RUN) else ""
        line = token.map[0] + 1 if token.map else 0
        found.append(Block(file, line, kind, reason, token.content))
    return found


def summary() -> list[str]:
    """How much of the documentation is tested, and by name what is not."""
    every = [block for file in documents() for block in blocks(file) if block.kind != "text"]
    left = [block for block in every if block.reason]
    return [
        f"documentation: {len(every) - len(left)} code blocks run or checked, {len(left)} not run",
        *(f"  {block.place}: {block.reason}" for block in left),
    ]
