"""Which helm or kustomize to use, and what version it is.

In: a tool's kind, a version range, the environment's PATH and `CMP_PLUGIN_*`. Out: a program and its
version. The version is asked of the program itself, once: the answer is kept in our cache under the
file's identity, so that a render starts no second process. A cache that cannot be read or written
costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..errors import InputError, Location, ToolError
from ..system.process import Deadline, run
from ..system.publish import replace_file
from . import versions

OFFLINE = "CMP_PLUGIN_OFFLINE"


class Tool(NamedTuple):
    """A program to run. `version` without a leading `v`; `warning` is a sentence for stderr or ""."""

    path: str
    version: str
    warning: str = ""


class Kind(NamedTuple):
    """One kind of tool: what its file is called, what tells its version, which ones are no good.

    `refusal` gives the reason why a version is never used, or "". With `one_major` a range must
    admit a single major version, and a tool of another one is an error, never a warning.
    """

    name: str
    variable: str
    version_arguments: tuple[str, ...]
    refusal: Callable[[str], str]
    one_major: bool


class _Candidate(NamedTuple):
    """A program to consider; `origin` says where it was found."""

    origin: str
    path: str
    version: str


def find(kind: Kind, wanted: str, strict: bool, at: Location | None) -> Tool:
    """The tool to use for range `wanted`: named by the variable, on PATH, or in our tools cache.

    The first that fits is taken, of the cache the newest. When none fits, the first that may be used
    at all is, with a warning; not when `strict`. Raises InputError (the range) or ToolError (the
    tools), both at `at`.
    """
    seen: list[_Candidate] = []
    try:
        majors = versions.majors(wanted) if kind.one_major else []
        if kind.one_major and len(majors) != 1:
            raise ValueError(f'"{wanted}" must admit exactly one major version of {kind.name}')
        for tool in _candidates(kind):
            if versions.satisfies(tool.version, wanted) and not kind.refusal(tool.version):
                return Tool(tool.path, tool.version)
            seen.append(tool)
    except ValueError as error:
        raise InputError(f"tools.{kind.name}: {error}", at) from None
    except ToolError as error:
        raise error.changed(at=at) from None
    for tool in seen if not strict else ():
        if not kind.refusal(tool.version) and (not majors or versions.numbers(tool.version)[0] in majors):
            return Tool(tool.path, tool.version, f"{kind.name} {tool.version} {tool.origin} is outside {wanted}")
    reasons = [(tool, kind.refusal(tool.version)) for tool in seen]
    unfit = [f"{tool.version} {tool.origin}" + (f", which {reason}" if reason else "") for tool, reason in reasons]
    message = f"{kind.name} {wanted} is needed, found " + ("; ".join(unfit) or "none")
    builds = "cmp-plugin tools install builds the one that fleet.yaml asks for"
    raise ToolError(message, at, hint=f"{builds}; or put one on PATH or name it in {kind.variable}")


def _candidates(kind: Kind) -> Iterator[_Candidate]:
    """Every program to consider, best first, each with its version."""
    named = os.environ.get(kind.variable)
    if named:
        path = os.path.abspath(named)
        yield _Candidate(f"named by {kind.variable}", path, version_of(kind, path))
        return
    path = on_path(kind.name)
    if path:
        with contextlib.suppress(ToolError):
            yield _Candidate("on PATH", path, version_of(kind, path))
    tools = os.path.join(cache_directory(), "tools")
    cached: list[_Candidate] = []
    try:
        names = os.listdir(tools)
    except OSError:
        names = []
    for name in names:
        path = os.path.join(tools, name, kind.name)
        if name.startswith(f"{kind.name}-"):
            with contextlib.suppress(ToolError):
                cached.append(_Candidate("in the tools cache", path, version_of(kind, path)))
    yield from sorted(cached, key=lambda tool: versions.numbers(tool.version), reverse=True)


def on_path(name: str) -> str:
    """The first program called `name` on PATH; relative directories could lie in a repository."""
    for directory in os.get_exec_path():
        path = os.path.join(directory, name)
        if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return ""


def version_of(kind: Kind, path: str) -> str:
    """The version of the program at `path`, remembered as long as the file stays the same."""
    real = os.path.realpath(path)
    try:
        facts = os.stat(real)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ToolError(f"{kind.name} named by {kind.variable}: {reason}") from None
    identity = f"{facts.st_dev:x}-{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"
    known = os.path.join(cache_directory(), "versions", f"{kind.name}-{identity}")
    with contextlib.suppress(OSError, ValueError):  # nothing is remembered, or what is there makes no sense
        with open(known, encoding="utf-8") as file:
            version, of = file.read(8192).split("\n")[:2]
        if of == real and version and versions.printed(version) == version:
            return version
    version = ask(kind, real)
    with contextlib.suppress(OSError, ValueError):
        os.makedirs(os.path.dirname(known), exist_ok=True)
        replace_file(known, f"{version}\n{real}\n".encode())
    return version


def ask(kind: Kind, path: str) -> str:
    """The version that the program at `path` says it has, like `4.3.1`. ToolError when it says none."""
    # A home that is not there: a person's plugins are not even looked at.
    env = {"HOME": "/nonexistent", "PATH": ""}
    done = run([path, *kind.version_arguments], cwd="/", env=env, deadline=Deadline(20))
    version = versions.printed(done.stdout.decode(errors="replace"))
    if done.code or not version:
        raise ToolError(f"{os.path.basename(path)} does not tell its version", argv=[path])
    return version


def is_offline() -> bool:
    """Whether nothing may be fetched, neither charts nor tools."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def cache_directory() -> str:
    """`CMP_PLUGIN_CACHE_DIR`, else `cmp-plugin` in the user's cache directory. It may not exist.

    Without a home it is a place that never exists: never a directory below the current one.
    """
    given = os.environ.get("CMP_PLUGIN_CACHE_DIR")
    if given:
        return os.path.abspath(given)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache if os.path.isabs(cache) else "/dev/null", "cmp-plugin")
