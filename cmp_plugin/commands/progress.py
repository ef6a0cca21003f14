"""A progress bar on stderr when it is a terminal, nothing otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .terminal import has_colours, is_terminal


@contextmanager
def progress(total: int, doing: str) -> Iterator[Callable[[], None]]:
    """Gives a function to call after each of `total` steps."""
    if total < 2 or not is_terminal(sys.stderr):
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
