"""Which of many settings decide an outcome: found by leaving out halves, then halves of those.

In: settings, and what the outcome is without some of them. Out: those without which it is another one.
Pure; knows no renders. How often it asks grows with the logarithm of the number of settings.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ...fleet.value_path import Path

# The likeness of a value that is tried alone before all others: its own text is in the field, or its name is
# the field's.
LIKELY = 3
_Setting = TypeVar("_Setting")
# What so many fields are that it says nothing about where they come from.
_COMMON: tuple[Any, ...] = (True, False, 0, 1, "", None)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def likely_first(
    scored: Iterable[tuple[int, _Setting]], differs: Callable[[Sequence[_Setting]], bool]
) -> Iterator[_Setting]:
    """Each setting without which the outcome differs, of settings with their likeness.

    The one that is most alike is tried alone: mostly that is it, and then the others make no difference at once.
    """
    by_likeness = sorted(scored, key=lambda pair: -pair[0])
    alone = sum(likeness >= LIKELY for likeness, _ in by_likeness[:1])
    settings = [setting for _, setting in by_likeness]
    yield from deciding(settings[:alone], differs)
    yield from deciding(settings[alone:], differs)


def deciding(settings: Sequence[_Setting], differs: Callable[[Sequence[_Setting]], bool]) -> Iterator[_Setting]:
    """Each setting without which alone the outcome differs.

    Settings that make up for each other are not found; that takes leaving out both.
    """
    if not settings or not differs(settings):
        return
    if len(settings) == 1:
        yield settings[0]
        return
    middle = len(settings) // 2
    yield from deciding(settings[:middle], differs)
    yield from deciding(settings[middle:], differs)


def likeness(field: Path, there: Any, keys: Sequence[str], value: Any) -> int:
    """How much speaks for a value being what makes a field: what they are, and how they are called.

    Only an order of trials, so the weights need not be right: one point for each word in common, two for a
    last key that is nearly the same, three to five for what is too special to be there by chance.
    """
    last = [step for step in field if isinstance(step, str)][-1:]
    score = len(_words(field) & _words(keys))
    if isinstance(there, dict | list):
        # A whole item is no coincidence, a number in it may be.
        parts = _parts(there)
        if isinstance(value, list):
            return score + (5 if any(item in parts for item in value) else 0)
        return score + (3 if value not in _COMMON and value in parts else 0)
    if last and keys and difflib.SequenceMatcher(None, last[0].lower(), keys[-1].lower()).ratio() > 0.6:
        score += 2
    if (value == there and type(value) is type(there)) or (isinstance(value, int | float) and str(value) == there):
        score += 1 if value in _COMMON else 4
    elif isinstance(value, str) and isinstance(there, str) and len(value) > 2 and value in there:
        score += 3
    return score


def _words(names: Sequence[object]) -> set[str]:
    """The words in names such as `traceSampling` and `TRACE_SAMPLING`."""
    return {word.lower() for name in names for word in _WORD.findall(str(name))}


def _parts(value: Any) -> list[Any]:
    """A value and everything in it."""
    if not isinstance(value, dict | list):
        return [value]
    children = value.values() if isinstance(value, dict) else value
    return [value, *(part for child in children for part in _parts(child))]


def another(value: Any, there: Any = None) -> Any:
    """A value of the same kind that is not this one; None where there is none to try.

    Of a list the item goes that is `there`, or else the last.
    """
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return str(int(value) + 1) if value.isdecimal() else f"{value}-x".lstrip("-")
    if isinstance(value, list):
        return ([item for item in value if item != there] if there in value else value[:-1]) if value else None
    return "x" if value is None else None
