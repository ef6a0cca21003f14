"""Helm: which one to use, and `helm template`.

In: a chart and one values file on disk. Out: what helm printed. Nothing of the user's own Helm (home,
repositories, plugins, `HELM_*`) and no network has a say: the environment is made from nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..errors import Location
from ..system.process import Deadline, clean_environment, run
from ..system.slots import turn
from . import discovery
from .discovery import Tool
from .helm_errors import failure
from .versions import numbers


def find(wanted: str, strict: bool = False, at: Location | None = None) -> Tool:
    """The helm to use; see `discovery.find`. Versions with known holes are refused."""
    return discovery.find(KIND, wanted, strict, at)


def _refusal(version: str) -> str:
    """Why this version is never used, or "" (the security fixes of 3.20.2 and 4.1.4)."""
    if numbers(version) < (3, 20, 2) or (4, 0, 0) <= numbers(version) <= (4, 1, 3):
        return "is refused: it has known security holes"
    return ""


KIND = discovery.Kind(
    name="helm",
    variable="CMP_PLUGIN_HELM",
    version_arguments=("version", "--template", "{{.Version}}"),
    refusal=_refusal,
    one_major=True,
)


def template(
    tool: Tool,
    *,
    chart_path: str,
    release: str,
    namespace: str,
    include_crds: bool,
    skip_tests: bool,
    kube_version: str,
    api_versions: Iterable[str],
    values_file: str,
    workdir: str,
    deadline: Deadline,
    more: Iterable[str] = (),
) -> bytes:
    """What `helm template` prints for the chart (a directory or an archive) and one values file.

    `more`: further options of helm's, after that file.

    `workdir` is the render's private directory; helm's home lies in it. Raises ToolError with one
    line; its place, if it has one, is as helm has it: `<chart's name>/templates/x.yaml`.
    """
    argv = [
        tool.path,
        "template",
        f"--namespace={namespace}",
        f"--kube-version={kube_version}",
        # Helm splits this option at commas; relative, it has none of $TMPDIR's.
        f"--values={os.path.relpath(values_file, workdir)}",
        *(["--include-crds"] if include_crds else []),
        *(["--skip-tests"] if skip_tests else []),
        *(f"--api-versions={version}" for version in api_versions),
        *more,
        "--",
        release,
        chart_path,
    ]
    with turn("helm", deadline):
        done = run(argv, cwd=workdir, env=clean_environment(workdir), deadline=deadline)
    if done.code:
        raise failure(argv, done)
    return done.stdout
