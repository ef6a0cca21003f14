"""`doctor`: the tools, the cache and the fleet as this program sees them, and how to fix what is wrong.

The findings are the result and go to stdout, one a line. Exit code 1 when an error is among them.
"""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from .. import __version__
from ..charts.store_gc import clear, entries
from ..errors import CmpError
from ..fleet.files import Fleet, find_root, open_fleet
from ..fleet.settings import Settings
from ..tools import helm, kustomize
from ..tools.discovery import Tool, cache_directory, on_path
from .terminal import counted

EXAMPLES = (
    ("before you ask somebody else", "cmp-plugin doctor"),
    ("when the disk is full", "cmp-plugin doctor --clean-cache"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("--clean-cache", action="store_true", help="empty the cache")


def run(args: Namespace) -> int:
    """Prints every finding, after emptying the cache where --clean-cache asks for it."""
    if args.clean_cache:
        # What this program stored, and nothing else that may lie in the directory; the tools stay.
        clear()
        shutil.rmtree(os.path.join(cache_directory(), "versions"), ignore_errors=True)
    fleet, finding, wrong = _fleet(args)
    settings = fleet.settings if fleet else Settings()
    print(f"ok     cmp-plugin {__version__}, Python {sys.version.split()[0]}")
    print(finding)
    wrong |= _tool("helm", lambda: helm.find(settings.helm, settings.strict))
    wrong |= _tool("kustomize", lambda: kustomize.find(settings.kustomize, settings.strict))
    git = on_path("git")
    # Needed only for `revision`, `diff` and `preview --applications`.
    print(f"ok     git: {git}" if git else "warn   git: not on PATH, revisions cannot be read")
    wrong |= _cache(cache_directory())
    return int(wrong)


def _fleet(args: Namespace) -> tuple[Fleet | None, str, bool]:
    try:
        root = find_root(args.directory)
    except CmpError as error:
        return None, f"warn   fleet: {error}", False
    try:
        fleet = open_fleet(root)
    except CmpError as error:
        return None, f"error  fleet: {error}", True
    count = len(fleet.names("Cluster"))
    return fleet, f"ok     fleet with {counted(count, 'cluster')} in {fleet.root}", False


def _tool(name: str, find: Callable[[], Tool]) -> bool:
    """Prints what was found; True when it will not do."""
    try:
        tool = find()
    except CmpError as error:
        print(f"error  {name}: {error}")
        return True
    if tool.warning:
        print(
            f"warn   {name} {tool.version}: {tool.path}: {tool.warning} (cmp-plugin tools install builds one that fits)"
        )
    else:
        print(f"ok     {name} {tool.version}: {tool.path}")
    return False


def _cache(directory: str) -> bool:
    """Prints what the cache holds; True when it cannot be written."""
    existing = directory
    while not os.path.exists(existing):
        existing = os.path.dirname(existing)
    if not (os.path.isdir(existing) and os.access(existing, os.W_OK)):
        print(f"error  cache: {directory} cannot be written (set CMP_PLUGIN_CACHE_DIR)")
        return True
    charts = entries()
    size = sum(
        os.lstat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(directory) for name in names
    )
    held = f"{counted(len(charts), 'chart')} in {sum(chart.size for chart in charts) / 1e6:.1f} MB"
    print(f"ok     cache: {directory}, {held}, {size / 1e6:.1f} MB altogether")
    return False
