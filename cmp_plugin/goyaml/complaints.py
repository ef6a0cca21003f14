"""libyaml's complaints in plain words.

In: an error of PyYAML's parser. Out: what is wrong, one line, and where (line and column from 0).
The messages are libyaml's (reader.c, scanner.c, parser.c); one it adds later is passed on as it is.
"""

from __future__ import annotations

import re

import yaml
from yaml.reader import ReaderError

Position = tuple[int, int]  # line and column from 0, as libyaml counts; a Location counts from 1

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_INDENT = "the indentation is wrong"

# problem -> text; `{opened}` is where the construct began that libyaml was reading.
_AT_PROBLEM = {
    "mapping values are not allowed in this context": f'no "key: value" can stand here: {_INDENT}, or a text with ": " needs quotes',
    "mapping keys are not allowed in this context": f'no key can stand here: {_INDENT}, or a text with "? " needs quotes',
    "block sequence entries are not allowed in this context": f'no "- item" can stand here: {_INDENT}, or a text with "- " needs quotes',
    "did not find expected key": "neither a key of the map that starts at {opened} nor part of a value: check indentation and quotes",
    "did not find expected '-' indicator": 'no "- item" of the list that starts at {opened}: check the indentation',
    "did not find expected node content": "a value is missing here",
    "did not find expected ',' or ']'": 'expected "," or "]" in the list that starts at {opened}',
    "did not find expected ',' or '}'": 'expected "," or "}}" in the map that starts at {opened}',
    "found a tab character that violates indentation": "a tab indents this line: use spaces",
    "found a tab character where an indentation space is expected": "a tab indents this line: use spaces",
    "found unexpected ':'": 'a text with ":" before a bracket or comma needs quotes here',
    "found unknown escape character": "unknown escape after a backslash: use single quotes for text with backslashes",
    "found invalid Unicode character escape code": "this escape is no character (write the character itself, not surrogates)",
    "did not find expected hexdecimal number": r"\x, \u and \U need 2, 4 and 8 hexadecimal digits",
    "did not find expected alphabetic or numeric character": 'a name must follow "&" or "*", or the text needs quotes',
    "did not find expected comment or line break": 'only a comment may follow on this line (text that starts with "|" or ">" needs quotes)',
    "did not find expected whitespace or line break": 'a space is missing here, or a text that starts with "!" needs quotes',
    "found undefined tag handle": 'a text that starts with "!" needs quotes',
    "did not find expected <document start>": 'one value has ended and another begins without "---" between them',
    "found unexpected document indicator": 'a quoted text is not closed before "---" or "..."',
    "found an indentation indicator equal to 0": 'the number after "|" or ">" is 1 to 9',
    "control characters are not allowed": "a control character: write it as an escape in double quotes",
}
_AT_CONTEXT = {
    "could not find expected ':'": 'a key without ":", or a text that needs quotes',
    "found unexpected end of stream": "the quoted text that starts here is not closed",
}
_BAD_START = "found character that cannot start any token"


def explain(error: yaml.YAMLError, data: bytes, origin: Position) -> tuple[str, Position]:
    """What is wrong in `data`, and the line and column, from 0. Other positions count from `origin`."""
    if isinstance(error, ReaderError):
        # The C parser gives the offset in bytes.
        reason = str(error.reason)
        return _AT_PROBLEM.get(reason, reason), position_of_byte(data, error.position)
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"not YAML: {error}", (0, 0)
    problem = error.problem or ""
    position, opened = _position(error.problem_mark), _position(error.context_mark)
    if problem in _AT_CONTEXT:
        return _AT_CONTEXT[problem], opened or position or (0, 0)
    position = position or opened or (0, 0)
    if problem == _BAD_START:
        lines = BREAK.split(data.decode("utf-8", "replace"))
        character = lines[position[0]][position[1] : position[1] + 1] if position[0] < len(lines) else ""
        if character == "\t":
            return "a tab stands where a value or the indentation is expected: use spaces", position
        return f'a text that starts with "{character}" needs quotes', position
    line, column = (a + b + 1 for a, b in zip(opened or position, origin, strict=True))
    text = _AT_PROBLEM.get(problem, "not YAML: " + problem.replace("{", "{{").replace("}", "}}"))
    return text.format(opened=f"{line}:{column}"), position


def position_of_byte(data: bytes, offset: int) -> Position:
    """Line and column, from 0, of the byte at `offset`, counted as libyaml counts them."""
    lines = BREAK.split(data[:offset].decode("utf-8", "replace"))
    return len(lines) - 1, len(lines[-1])


def _position(mark: object) -> Position | None:
    line, column = getattr(mark, "line", None), getattr(mark, "column", None)
    return (line, column) if isinstance(line, int) and isinstance(column, int) else None
