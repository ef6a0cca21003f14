"""A golden case in one file, as tests/golden/README.md describes it: reading one, and writing what came out."""

from __future__ import annotations

import itertools
import os
import posixpath
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from program import CHECKOUT, Outcome

# The file of what all cases of a group share: files without a command.
SHARED = "_fleet.txt"
# A line that begins so is a section's or refused; content that has one is written escaped.
MARK = re.compile("^(?:--|==) ", re.MULTILINE)
SECTION = re.compile(r"(--|==) (\S+)(?: (.+))? \1\n")
ESCAPED = "(escaped)"
ESCAPES = re.compile(r"(?:[^\\]|\\(?:[\\nrt]|x[0-9a-f]{2}))*")


class Case(NamedTuple):
    """`expected` is None before `make golden` has run for the first time."""

    variables: dict[str, str]
    arguments: list[str]
    files: dict[str, bytes]
    links: dict[str, str]
    expected: Outcome | None

    def lay_out(self, directory: Path) -> None:
        """Write the files and links of the case below `directory`, over what is there."""
        for name, content in self.files.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(content)
        for name, target in self.links.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).symlink_to(target)


class Source(NamedTuple):
    """The text of a case's file."""

    path: Path
    text: str

    def refusal(self, position: int, why: str) -> ValueError:
        """The error for what is at `position`: file, line and reason in one line."""
        line = self.text.count("\n", 0, position) + 1
        return ValueError(f"{os.path.relpath(self.path, CHECKOUT)}:{line}: {why}")


def read(path: Path) -> Case:
    """The case in `path`, or what a group shares. A ValueError says in which line what is not in the format."""
    text = path.read_bytes().decode(errors="surrogateescape")
    source = Source(path, text)
    if stray := re.search("[\udc80-\udcff]", text):
        raise source.refusal(stray.start(), f"not UTF-8: only a section that is {ESCAPED} can say such bytes")
    if not text.endswith("\n"):
        raise source.refusal(len(text), "no newline at the end of the file")
    starts = [mark.start() for mark in MARK.finditer(text)]
    variables, arguments = command(source, min([*starts, len(text)]))
    files, links, results = dict[str, bytes](), dict[str, str](), dict[str, bytes]()
    code = None
    for start, end in itertools.pairwise([*starts, len(text)]):
        match = SECTION.match(text, start, end)
        if not match:
            raise source.refusal(start, f"neither a section nor content: content that begins so is {ESCAPED}")
        kind, name, note = match.groups()
        body = text[match.end() : end]
        if kind == "==" and path.name == SHARED:
            raise source.refusal(start, "a shared file expects nothing")
        if code is not None or (kind == "--" and results):
            raise source.refusal(start, "not in order: files, then stdout and stderr, and exit at the end")
        if name in (results if kind == "==" else files.keys() | links.keys()):
            raise source.refusal(start, f"{kind} {name} {kind} a second time")
        if why := fault(kind, name, note, body):
            raise source.refusal(start, why)
        if (kind, name) == ("==", "exit"):
            code = int(note)
        elif note and note != ESCAPED:
            links[name] = note.removeprefix("-> ")
        else:
            content = unescaped(source, match.end(), end) if note else body.encode()
            (files if kind == "--" else results)[name] = content
    expected = None if code is None else Outcome(results.get("stdout", b""), results.get("stderr", b""), code)
    return Case(variables, arguments, files, links, expected)


def command(source: Source, end: int) -> tuple[dict[str, str], list[str]]:
    """Variables and arguments of the one line before `end` that begins with `$`; a shared file has none."""
    shared = source.path.name == SHARED
    lines = list(re.finditer(r"^\$.*", source.text[:end], re.MULTILINE))
    if len(lines) > (0 if shared else 1):
        raise source.refusal(
            lines[-1].start(), f"a $ line too many: {'a shared file has none' if shared else 'one case, one command'}"
        )
    if shared:
        return {}, []
    if not lines:
        raise source.refusal(0, "no line with $ cmp-plugin ...")
    position = lines[0].start()
    try:
        words = shlex.split(lines[0][0])
    except ValueError as error:
        raise source.refusal(position, f"not quoted as for a shell: {error}") from None
    program = words.index("cmp-plugin") if "cmp-plugin" in words else 0
    variables = words[1:program]
    if words[0] != "$" or not words[program + 1 :] or not program or not all("=" in word for word in variables):
        raise source.refusal(position, "not of the form $ NAME=value cmp-plugin arguments")
    named = dict(word.split("=", 1) for word in variables)
    if not inside(named.get("PWD", ".")):
        raise source.refusal(position, f'"{named["PWD"]}" is not a path inside of the fleet, in its shortest form')
    return named, words[program + 1 :]


def fault(kind: str, name: str, note: str | None, body: str) -> str | None:
    """Why a section cannot be as it is; None for one that can."""
    if kind == "==" and name not in ("stdout", "stderr", "exit"):
        return f'no section "{name}" (there is stdout, stderr, exit)'
    if (kind, name) == ("==", "exit"):
        if not re.fullmatch("[0-9]+", note or ""):
            return f'exit "{note or ""}" is not a number'
        return "text after the exit code" if body else None
    if kind == "--" and not (inside(name) and name != "."):
        return f'"{name}" is not a path inside of the fleet, in its shortest form'
    if kind == "--" and note and note.startswith("-> "):
        return "a link with content" if body else None
    if note not in (None, ESCAPED):
        return f'"{note}" after "{name}" (there is {ESCAPED}{", -> target" if kind == "--" else ""})'
    return None


def inside(path: str) -> bool:
    """Whether a path is relative, stays in the directory that it is relative to, and has no shorter form."""
    return posixpath.normpath(path) == path and path.split("/", maxsplit=1)[0] not in ("", "..")


def write(path: Path, seen: Outcome) -> None:
    """Make `seen` what the case expects; the exit code that it expects already must be the same."""
    expected = read(path).expected
    assert expected is None or expected.code == seen.code, f"exit code {seen.code}: {seen.stderr.decode()}"
    given = re.split("^== ", path.read_bytes().decode(), maxsplit=1, flags=re.MULTILINE)[0]
    results = section("stdout", seen.stdout) + section("stderr", seen.stderr)
    path.write_bytes(f"{given}{results}== exit {seen.code} ==\n".encode())


def section(name: str, content: bytes) -> str:
    """The section of a result, escaped where it would not be read as it was; nothing for no result."""
    if not content:
        return ""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if text.endswith("\n") and not MARK.search(text):
        return f"== {name} ==\n{text}"
    return f"== {name} {ESCAPED} ==\n{escaped(content)}"


def escaped(content: bytes) -> str:
    r"""Every line feed as `\n` and what is not ASCII as `\xff`, one line for each; no line begins like a section."""
    text = content.decode("latin1").encode("unicode_escape").decode().replace(r"\n", "\\n\n").rstrip("\n") + "\n"
    return MARK.sub(lambda mark: rf"\x{ord(mark[0][0]):x}{mark[0][1:]}", text)


def unescaped(source: Source, start: int, end: int) -> bytes:
    """The bytes that `escaped` was given; the ends of lines mean nothing."""
    known = ESCAPES.match(source.text, start, end)
    stop = known.end() if known else start
    if stop < end:
        escape = source.text[stop : min(stop + 2, end)].rstrip("\n")
        raise source.refusal(stop, rf'no escape "{escape}" (there is \xff, \n, \r, \t, \\)')
    return source.text[start:end].replace("\n", "").encode().decode("unicode_escape").encode("latin1")
