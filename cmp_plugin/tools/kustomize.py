"""Kustomize: which one to use, and `kustomize build`.

In: a directory with a kustomization. Out: what kustomize printed. No plugins, no helm, no git and no
network: the environment is made from nothing, and what a kustomization would fetch is an error.
"""

from __future__ import annotations

from ..errors import Location, ToolError
from . import discovery
from .discovery import Tool
from .process import Deadline, clean_environment, run

DEFAULT_RANGE = "~5.8"


def find(wanted: str = DEFAULT_RANGE, strict: bool = False, at: Location | None = None) -> Tool:
    """The kustomize to use; see `discovery.find`."""
    return discovery.find(_KUSTOMIZE, wanted, strict, at)


def _refusal(_version: str) -> str:
    return ""


_KUSTOMIZE = discovery.Kind(
    name="kustomize",
    variable="CMP_PLUGIN_KUSTOMIZE",
    version_arguments=("version",),
    refusal=_refusal,
    one_major=False,
)


def build(
    tool: Tool,
    directory: str,
    *,
    workdir: str,
    deadline: Deadline,
    load_anywhere: bool = False,
) -> bytes:
    """What `kustomize build` prints for a directory.

    `load_anywhere` lifts Kustomize's rule that files lie below their kustomization; whoever asks for
    that has checked every path. Raises ToolError with one line, absolute paths still in it.
    """
    restrictor = "LoadRestrictionsNone" if load_anywhere else "LoadRestrictionsRootOnly"
    argv = [tool.path, "build", f"--load-restrictor={restrictor}", "--", directory]
    done = run(argv, cwd=workdir, env=clean_environment(workdir), deadline=deadline)
    if done.code:
        stderr = done.stderr.decode(errors="replace")
        reason = _reason(stderr) or f"kustomize ended with exit code {done.code}"
        raise ToolError(reason, argv=argv, exit_code=done.code, stderr=stderr)
    return done.stdout


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines()]
    kept = [line for line in lines if line and not line.startswith("# Warning:")]
    return " ".join(kept).removeprefix("Error: ")
