"""Warnings: sentences on stderr, each once, however many renders say it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .. import __version__
from ..errors import InputError, Location
from ..fleet.settings import Settings
from ..tools import versions

_said: set[str] = set()  # a process runs one command; what is rendered never depends on it


def warn(sentences: Iterable[str]) -> None:
    """Prints each sentence that this process has not printed yet."""
    for sentence in sentences:
        if sentence not in _said:
            _said.add(sentence)
            print(f"warning: {sentence}", file=sys.stderr)


def warn_about_plugin(settings: Settings, at: Location | None) -> None:
    """Says when this program is not the one the fleet wants; with `strict` that is an InputError."""
    try:
        fits = not settings.plugin or versions.satisfies(__version__, settings.plugin)
    except ValueError as error:
        raise InputError(f"tools.plugin: {error}", at) from None
    if fits:
        return
    message = f"cmp-plugin {__version__} is outside {settings.plugin}"
    if settings.strict:
        raise InputError(f"tools.plugin: {message}", at)
    warn([message])
