"""What is going on, on stderr when it is a terminal, nothing otherwise: a bar where there are steps to count,
a word where there are none and it takes more than a moment. Nothing without rich, which draws both.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from .terminal import has_colours, has_rich, is_terminal

MOMENT = 1.0  # seconds
Item = TypeVar("Item")


def _can_draw() -> bool:
    return is_terminal(sys.stderr) and has_rich()


@contextmanager
def progress(total: int, doing: str) -> Iterator[Callable[[], None]]:
    """Gives a function to call after each of `total` steps."""
    if total < 2 or not _can_draw():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr))
    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # What is printed meanwhile goes above the bar; a stdout that goes elsewhere stays what it is.
    shared = is_terminal(sys.stdout)
    with Progress(*looks, console=console, transient=True, redirect_stdout=shared) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)


def with_progress(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """The items as they come, one step of `total` each."""
    with progress(total, doing) as step:
        for item in items:
            step()
            yield item


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Says what is being done, from when it takes longer than a moment until it is done."""
    if not _can_draw():
        yield
        return
    with ExitStack() as shown:

        def show() -> None:
            from rich.console import Console

            console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr))
            shown.enter_context(console.status(f"{doing} ..."))

        timer = threading.Timer(MOMENT, show)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
