"""The code blocks of the documentation: where they stand, of what kind, whether they can run here."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from program import CHECKOUT

KINDS = {"sh", "console", "yaml", "json", "text"}
# A comment right above a block, which no reader of the page sees.
NOT_RUN = re.compile(r"<!-- not-run: (.+) -->\s*$")
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


@functools.cache
def blocks(file: str) -> list[Block]:
    """The fenced and indented code blocks of one document, in order."""
    text = Path(CHECKOUT, file).read_text()
    found = []
    above = ""
    for token in MarkdownIt().parse(text):
        if token.type in ("fence", "code_block"):
            reason = NOT_RUN.match(above)
            line = token.map[0] + 1 if token.map else 0
            found.append(Block(file, line, token.info.strip(), reason[1] if reason else "", token.content))
        above = token.content if token.type == "html_block" else ""
    return found


def summary() -> list[str]:
    """How much of the documentation is tested, and by name what is not."""
    every = [block for file in documents() for block in blocks(file) if block.kind != "text"]
    left = [block for block in every if block.reason]
    return [
        f"documentation: {len(every) - len(left)} code blocks run or checked, {len(left)} not run",
        *(f"  {block.place}: {block.reason}" for block in left),
    ]
