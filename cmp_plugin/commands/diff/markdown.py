"""A report of `diff` as a comment on a pull request: GitHub's and GitLab's Markdown.

In: a report. Out: text that fits into one comment. Whatever comes out of files stands in code blocks whose
fence is longer than any in them, so that it can neither end them nor mention anybody; outside stand only
names of clusters and services, which are DNS names, and what the person typed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence

from ..terminal import visible
from .lines import Line, group_title
from .report import Report
from .sections import headline, manner, sections

# What GitHub takes in one comment, in characters; counted in bytes here, which is never less.
MAX_BYTES = 65_536
_RESERVED = 600  # bytes for the fences, the HTML around a section and the sentence at the end
# By this a CI job finds its own comment to replace it.
MARK = "<!-- cmp-plugin diff -->\n"
_FENCES = re.compile(r"`{3,}")


def as_markdown(report: Report, whole: bool) -> str:
    """The report in at most MAX_BYTES: what does not fit is left out from the end, with a sentence."""
    how = manner(report, whole)
    groups = {group_title(group, how) for group in report.groups}
    text = f"{MARK}### {_code(headline(report))}\n\n"
    cut = 0
    for title, lines in sections(report, how):
        form = _details if title in groups else _section
        left = MAX_BYTES - _RESERVED - len(text.encode())
        kept = 0 if cut else _most(form, title, lines, left)
        text += form(title, lines[:kept]) if kept else ""
        cut += kept < len(lines)
    if cut:
        text += (
            f"\n**Not all is shown**: of {cut} {'sections' if cut > 1 else 'section'} the end, or all, did not fit, "
            f"as a comment holds {MAX_BYTES:,} characters. "
            "`cmp-plugin diff` with the same words and `-v` prints everything.\n"
        )
    elif report.is_empty:
        text += f"{report.services[1]} services were compared.\n"
    return text


def _most(form: Callable[[str, Sequence[Line]], str], title: str, lines: Sequence[Line], left: int) -> int:
    """How many of the lines fit into `left` bytes, found by halving."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(form(title, lines[:middle]).encode()) <= left
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _section(title: str, lines: Sequence[Line]) -> str:
    return f"**{title}**\n\n{_block(lines)}\n"


def _details(title: str, lines: Sequence[Line]) -> str:
    return f"<details><summary><code>{html.escape(visible(title))}</code></summary>\n\n{_block(lines)}\n</details>\n\n"


def _block(lines: Iterable[Line]) -> str:
    text = ""
    for line in lines:
        # GitHub colours a line by its first character.
        coloured = line.depth < 2 or line.sign in "+-"
        sign = {"~": "!", "!!": "-"}.get(line.sign, line.sign) if coloured else line.sign
        indented = f"{sign or ' '} {'  ' * (line.depth - 1)}{visible(line.text)}"
        text += indented.rstrip().replace("\n", "\\n") + "\n"
    longest = max((len(run) for run in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}diff\n{text}{fence}\n"


def _code(text: str) -> str:
    """Text in a code span, whatever it holds."""
    text = " ".join(visible(text).split())
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
