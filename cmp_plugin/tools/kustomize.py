"""Kustomize: which one to use, and `kustomize build`.

In: a directory with a kustomization. Out: what kustomize printed. No plugins, no helm, no git and no
network: the environment is made from nothing, and what a kustomization would fetch is an error.
"""

from __future__ import annotations

import re

from ..errors import Location, ToolError
from ..system.process import Deadline, clean_environment, run
from ..system.slots import turn
from . import discovery
from .discovery import Tool
from .redact import clipped


def find(wanted: str, strict: bool = False, at: Location | None = None) -> Tool:
    """The kustomize to use; see `discovery.find`."""
    return discovery.find(KIND, wanted, strict, at)


KIND = discovery.Kind(
    name="kustomize",
    variable="CMP_PLUGIN_KUSTOMIZE",
    version_arguments=("version",),
    refusal=lambda _version: "",
    one_major=False,
)


def build(tool: Tool, directory: str, *, workdir: str, deadline: Deadline) -> bytes:
    """What `kustomize build` prints for a directory (absolute).

    Raises ToolError with one line, in which absolute paths still stand as Kustomize prints them.
    """
    argv = [tool.path, "build", "--", directory]
    with turn("kustomize", deadline):
        done = run(argv, cwd=workdir, env=clean_environment(workdir), deadline=deadline)
    if done.code:
        reason = explain(done.stderr.decode(errors="replace"))
        reason = reason or f"kustomize ended with exit code {done.code}"
        raise ToolError(reason, argv=argv, exit_code=done.code)
    return done.stdout


# Kustomize tries a path as a file, then as a directory, then as an address, and tells of each try:
# only the first is of use, or, in a directory, what was wrong below it.
_BELOW = re.compile(r".*recursed accumulation of path '(.*?)': (?=.)", re.DOTALL)
_FIRST_TRY = re.compile(r"accumulation err='(.*)': (?:must build at directory|no 'git' program)", re.DOTALL)
_SHORTER = [
    (re.compile(r"evalsymlink failure on '(.*?)' ?: .*", re.DOTALL), r"\1 does not exist"),
    (re.compile(r"Get \"(.*?)\": proxyconnect.*", re.DOTALL), r"a render loads nothing from \1"),
    (re.compile(r"//[^/@\s]*@"), "//"),  # a password in an address
    (re.compile(r"accumulating resources from '.*?': (?=\S+ does not exist|a render loads)"), ""),
    (re.compile(r"\A.*(?=cycle detected: )", re.DOTALL), ""),
    # What follows quotes patches, objects and literals: a Secret's content may be among it.
    (re.compile(r"trouble configuring builtin (\w+) with config: `.*?`: ", re.DOTALL), r"\1: "),
    (re.compile(r"(unable to parse SM or JSON patch) from .*", re.DOTALL), r"\1"),
    (
        re.compile(r"literal sources \[.*?\]: invalid literal source .*, expected", re.DOTALL),
        "a literal source is no",
    ),
    (re.compile(r" in object \{\{(.*?)\} .*", re.DOTALL), r" in \1"),
]


def explain(stderr: str) -> str:
    """The reason in a failed kustomize's stderr, as one line without quoted content."""
    _, marker, text = f"\n{stderr}".partition("\nError: ")
    text = clipped(text if marker else stderr.strip().partition("\n")[0])
    if below := _BELOW.match(text):
        text = text[below.end() :]
    text = text.removeprefix("accumulating resources: ").removeprefix("accumulating components: ")
    if first := _FIRST_TRY.match(text):
        text = first[1]
    for pattern, shorter in _SHORTER:
        text = pattern.sub(shorter, text)
    return " ".join(text.split())
