"""A report of `diff` as a comment on a pull request: GitHub's and GitLab's Markdown.

In: a report. Out: text that fits into one comment. Whatever comes out of files stands in code blocks whose
fence is longer than any in them, so that it can neither end them nor mention anybody; outside stand only
names of clusters and services, which are DNS names, and what the person typed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from .diff_lines import Line, group_title
from .diff_sections import headline, manner, sections
from .differing import Report
from .terminal import visible

# What GitHub takes in one comment, in characters; counted in bytes here, which is never less.
MAX_BYTES = 65_536
_RESERVED = 600
# By this a CI job finds its own comment to replace it.
MARK = "<!-- cmp-plugin diff -->\n"
_FENCES = re.compile(r"`{3,}")


def as_markdown(report: Report, whole: bool) -> str:
    """The report in at most MAX_BYTES: what does not fit is left out from the end, with a sentence."""
    how = manner(report, whole)
    parts = [f"{MARK}### {_code(headline(report))}\n\n"]
    titles = {group_title(group, how) for group in report.groups}
    left = MAX_BYTES - _RESERVED - len(parts[0].encode())
    cut: list[str] = []
    for title, lines in sections(report, how):
        text = _details(title, lines) if title in titles else _section(title, lines)
        if len(text.encode()) > left and not cut:
            text, whole_section = _shortened(title, lines, left, title in titles)
            cut += [] if whole_section else [title]
        elif cut:
            cut.append(title)
            continue
        left -= len(text.encode())
        parts.append(text)
    return "".join([*parts, *_ending(report, cut)])


def _section(title: str, lines: Iterable[Line]) -> str:
    return f"**{title}**\n\n{_block(lines)}\n"


def _details(title: str, lines: Iterable[Line]) -> str:
    return f"<details><summary><code>{html.escape(visible(title))}</code></summary>\n\n{_block(lines)}\n</details>\n\n"


def _block(lines: Iterable[Line]) -> str:
    text = "".join(f"{_line(line)}\n" for line in lines)
    longest = max((len(found) for found in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}diff\n{text}{fence}\n"


def _line(line: Line) -> str:
    """GitHub colours a line by its first character."""
    sign = {"~": "!", "!!": "-"}.get(line.sign, line.sign) if line.depth < 2 or line.sign in "+-" else line.sign
    return f"{sign or ' '} {'  ' * (line.depth - 1)}{visible(line.text)}".rstrip()


def _shortened(title: str, lines: list[Line], left: int, is_group: bool) -> tuple[str, bool]:
    """As many lines of a section as fit into `left` bytes."""
    form = _details if is_group else _section
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(form(title, lines[:middle]).encode()) <= left
        low, high = (middle, high) if fits else (low, middle - 1)
    return (form(title, lines[:low]) if low else ""), False


def _ending(report: Report, cut: list[str]) -> Iterator[str]:
    if cut:
        more = f"{len(cut)} parts" if len(cut) > 1 else "the end of one part"
        yield (
            f"\n**Not all is shown**: {more} of this report did not fit, as a comment holds {MAX_BYTES:,} characters. "
            f"{_code(_command(report))} prints everything.\n"
        )
    elif report.is_empty:
        yield f"{report.services[1]} services, {report.renders} renders.\n"


def _command(report: Report) -> str:
    return f"cmp-plugin diff {report.before.name} {report.after.name} -v"


def _code(text: str) -> str:
    """Text in a code span, whatever it holds."""
    text = " ".join(visible(text).split())
    ticks = "`" * (max((len(found) for found in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
