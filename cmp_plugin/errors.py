"""What can go wrong, as data: message, place, hint; and how an error prints.

Nothing here knows about files, tools or terminals. An error's text never contains an absolute
path, an environment variable's value or a value that may be secret: whoever raises it sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self


class Location(NamedTuple):
    """A place in a file of the fleet: path relative to the root, line and column from 1.

    `line` 0 means the file as a whole. A layer that came with Argo CD's `inputs` parameter has no
    lines; its `file` is then a phrase such as `inputs (profile prod)`.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class CmpError(Exception):
    """An expected failure. Prints as one line: `file:line:col: message (hint)`."""

    exit_code = 1

    def __init__(self, message: str, at: Location | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint

    def __str__(self) -> str:
        location = f"{self.at}: " if self.at else ""
        hint = f" ({self.hint})" if self.hint else ""
        return " ".join(f"{location}{self.message}{hint}".split("\n"))

    def changed(self, *, message: str | None = None, at: Location | None = None, hint: str | None = None) -> Self:
        """The same error with other words or another location. The one at hand may be kept, and raised again."""
        new = type(self).__new__(type(self), *self.args)
        new.__dict__.update(self.__dict__)
        new.message = self.message if message is None else message
        new.at = self.at if at is None else at
        new.hint = self.hint if hint is None else hint
        return new

    def sort_key(self) -> tuple[str, int, int, str]:
        """Order of a report: file, line, column, text."""
        at = self.at or Location("")
        return (at.file, at.line, at.column, self.message)


class InputError(CmpError):
    """Something a person wrote is wrong."""


class UsageError(CmpError):
    """The command line is wrong."""

    exit_code = 2


class ToolError(CmpError):
    """helm, kustomize or git failed. `argv` and `stderr` are for -v; the message says it all."""

    def __init__(
        self,
        message: str,
        at: Location | None = None,
        hint: str = "",
        *,
        argv: Sequence[str] = (),
        exit_code: int = 0,
        stderr: str = "",
    ) -> None:
        super().__init__(message, at, hint)
        self.argv = tuple(argv)
        self.tool_exit_code = exit_code
        self.stderr = stderr


class Errors(CmpError):
    """Several errors, sorted by place; prints one line each."""

    def __init__(self, errors: Iterable[CmpError]) -> None:
        self.errors = tuple(sorted(flatten(errors), key=CmpError.sort_key))
        super().__init__(f"{len(self.errors)} errors")

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(str(e) for e in self.errors))


def flatten(errors: Iterable[CmpError]) -> list[CmpError]:
    """Single errors, those of nested `Errors` included."""
    flat: list[CmpError] = []
    for error in errors:
        flat.extend(error.errors if isinstance(error, Errors) else [error])
    return flat


def labelled(error: CmpError, label: str) -> CmpError:
    """The same error with a message (or each one's) that begins with `cluster/service: `, once."""
    if isinstance(error, Errors):
        return Errors(labelled(each, label) for each in error.errors)
    beginning = f"{label}: "
    return error if error.message.startswith(beginning) else error.changed(message=beginning + error.message)


def hinted(error: CmpError, more: str) -> CmpError:
    """The same error, or each of several, with one more hint."""
    if isinstance(error, Errors):
        return Errors(hinted(each, more) for each in error.errors)
    return error.changed(hint=f"{error.hint}; {more}" if error.hint else more)


def nearest(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or an empty string when none is near."""
    import difflib

    words = {candidate.lower(): candidate for candidate in known if candidate != word}
    lower = word.lower()
    close = difflib.get_close_matches(lower, list(words), n=1, cutoff=0.6)
    if not close and len(lower) > 2:
        close = [candidate for candidate in words if len(candidate) > 2 and (candidate in lower or lower in candidate)]
    return words[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` for the nearest known word, or an empty string."""
    close = nearest(word, known)
    return f'did you mean "{close}"?' if close else ""


def there_is(word: str, known: Sequence[str]) -> str:
    """The nearest known word, or else the known ones if they are few: a hint where names are needed."""
    few = f"there is {', '.join(known)}" if 0 < len(known) <= 10 else ""
    return did_you_mean(word, known) or few
