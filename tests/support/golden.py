"""A golden case in one file, as tests/golden/README.md describes it: reading one, and writing what came out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from program import Outcome

SECTION = re.compile(r"^(--|==) (\S+)(?: (.+))? \1\n", re.MULTILINE)
ESCAPED = "(escaped)"


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


def read(path: Path) -> Case:
    """The case in `path`. A ValueError names what is not in the format."""
    head, *sections = SECTION.split(path.read_bytes().decode())
    variables, arguments = command(head)
    files, links = dict[str, bytes](), dict[str, str]()
    results = {"stdout": b"", "stderr": b""}
    code = None
    for kind, name, note, body in zip(*[iter(sections)] * 4, strict=True):
        if (kind, name) == ("==", "exit"):
            code = int(note)
        elif kind == "==" and name not in results:
            raise ValueError(f"{path}: == {name} ==")
        elif note and note.startswith("-> "):
            links[name] = note[3:]
        elif note not in (None, ESCAPED):
            raise ValueError(f"{path}: {name} {note}")
        else:
            (files if kind == "--" else results)[name] = unescaped(body) if note else body.encode()
    return Case(variables, arguments, files, links, None if code is None else Outcome(**results, code=code))


def command(head: str) -> tuple[dict[str, str], list[str]]:
    """Variables and arguments of the line that begins with `$`; none where a file has no such line."""
    line = re.search(r"^\$ (.*)", head, re.MULTILINE)
    words = shlex.split(line[1]) if line else ["cmp-plugin"]
    program = words.index("cmp-plugin")
    return dict(word.split("=", 1) for word in words[:program]), words[program + 1 :]


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
    if text.endswith("\n") and not SECTION.search(text):
        return f"== {name} ==\n{text}"
    return f"== {name} {ESCAPED} ==\n{escaped(content)}"


def escaped(content: bytes) -> str:
    r"""Every line feed as `\n` and what is not ASCII as `\xff`, one line for each."""
    return content.decode("latin1").encode("unicode_escape").decode().replace(r"\n", "\\n\n").rstrip("\n") + "\n"


def unescaped(body: str) -> bytes:
    """The bytes that `escaped` was given; the ends of lines mean nothing."""
    return body.replace("\n", "").encode().decode("unicode_escape").encode("latin1")
