"""Which of many settings decide an outcome: found by leaving out halves, then halves of those.

In: settings, and what the outcome is without some of them. Out: those without which it is another one.
Pure; knows no renders. How often it asks grows with the logarithm of the number of settings.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .valuepath import Path

_Setting = TypeVar("_Setting")
# What so many fields are that it says nothing about where they come from.
_COMMON: tuple[Any, ...] = (True, False, 0, 1, "", None)


def deciding(settings: Sequence[_Setting], differs: Callable[[Sequence[_Setting]], bool]) -> list[_Setting]:
    """Each setting without which alone the outcome differs.

    Settings that make up for each other are not found; that takes leaving out both.
    """
    if not settings or not differs(settings):
        return []
    if len(settings) == 1:
        return [*settings]
    middle = len(settings) // 2
    return [*deciding(settings[:middle], differs), *deciding(settings[middle:], differs)]


def likeness(field: Path, there: Any, keys: Sequence[str], value: Any) -> int:
    """How much speaks for a value being what makes a field: what they are, and how they are called."""
    names = {str(step).lower() for step in field if isinstance(step, str)}
    last = [step for step in field if isinstance(step, str)][-1:]
    score = len(names & {key.lower() for key in keys})
    if isinstance(there, dict | list):
        return score + (3 if value not in _COMMON and value in _scalars(there) else 0)
    if last and keys and difflib.SequenceMatcher(None, last[0].lower(), keys[-1].lower()).ratio() > 0.6:
        score += 2
    if type(value) is type(there) and value == there:
        score += 1 if value in _COMMON else 4
    elif isinstance(value, str) and isinstance(there, str) and len(value) > 2 and value in there:
        score += 3
    return score


def _scalars(value: Any) -> list[Any]:
    """Every value in a map or list that is none itself."""
    if isinstance(value, dict | list):
        return [one for child in (value.values() if isinstance(value, dict) else value) for one in _scalars(child)]
    return [value]


def another(value: Any) -> Any:
    """A value of the same kind that is not this one; None where there is none to try."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return str(int(value) + 1) if value.isdecimal() else f"{value}-x".lstrip("-")
    return "x" if value is None else None
