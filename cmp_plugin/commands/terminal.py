"""What people read on a terminal: colours by meaning, and tables that fit its width.

In: plain text, with a role where it means more than itself. Out: text to print. Nothing is printed here.
Plain where nobody would see colours: in a pipe, with NO_COLOR, on a dumb terminal. What files say is
never taken as a command to the terminal. rich is imported only for a colour or a table; without it, as in
the sidecar, there are no colours.
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

# What a piece of text is, and how that looks (rich's words for styles).
ROLES = {
    "head": "bold",
    "name": "bold",
    "value": "cyan",
    "place": "dim",
    "note": "dim",
    "good": "green",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "warning": "yellow",
    "error": "bold red",
}
Cell = str | tuple[str, str]
Paint = Callable[[str, str], str]
# Controls, and what turns the direction of text: shown as escapes, so that no value moves the cursor.
_UNSEEN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_UNSEEN |= {code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
WIDE = 100_000


def visible(text: str) -> str:
    r"""`text` without control characters: what they are is written out, as in `\x1b`."""
    return text if text.isprintable() else text.translate(_UNSEEN)


def counted(number: int, word: str) -> str:
    """`1 cluster`, `12 clusters`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at `stream` through something that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colours(stream: TextIO) -> bool:
    """Whether colours are wanted there (https://no-color.org: an empty NO_COLOR is none) and can be made."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and has_rich()


def has_rich() -> bool:
    """Whether the package that draws is installed, as it is with the extra `cli`."""
    return importlib.util.find_spec("rich") is not None


def columns(stream: TextIO) -> int:
    """How many characters fit into a line of `stream`; 0 when it has no width, as a pipe."""
    if not stream.isatty():
        return 0
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    return os.get_terminal_size(stream.fileno()).columns or 80


def painter(stream: TextIO) -> Paint:
    """A function (text, role) -> text, in the role's colour where `stream` has colours, plain elsewhere."""
    if not has_colours(stream):
        return lambda text, _role: visible(text)
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {role: Style.parse(words) for role, words in ROLES.items()}
    return lambda text, role: styles[role].render(visible(text), color_system=ColorSystem.STANDARD)


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], stream: TextIO, folding: Sequence[str] = ()) -> str:
    """Rows as the text of a table for `stream`; a cell is text, or text and its role.

    On a terminal it is never wider than that: the columns `folding` go on in the next line; where that does not
    do, the others are cut, with an ellipsis. In a pipe every row is one line with all of its text.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = columns(stream)
    made = Table(
        box=box.SIMPLE_HEAD if width else None, pad_edge=False, show_edge=False, padding=(0, 1 if width else 2, 0, 0)
    )
    for name in head:
        folds = width > 0 and name in folding
        made.add_column(Text(name, ROLES["head"]), no_wrap=not folds, overflow="fold" if folds else "ellipsis")
    for row in rows:
        pairs = ((cell, "") if isinstance(cell, str) else cell for cell in row)
        made.add_row(*(Text(visible(text).replace("\n", " "), ROLES.get(role, "")) for text, role in pairs))
    drawn = io.StringIO()
    colours = has_colours(stream)
    system: Literal["standard"] | None = "standard" if colours else None
    Console(file=drawn, width=width or WIDE, color_system=system, force_terminal=colours, no_color=False).print(made)
    return "".join(f"{line.rstrip()}\n" for line in drawn.getvalue().strip("\n").split("\n"))
