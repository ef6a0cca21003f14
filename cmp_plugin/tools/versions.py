"""Versions: what is one, which of two is newer, does it fit a range. The one owner of these questions.

In: texts, as people and programs write them. Out: answers; nothing here knows whose version it is. node-semver
decides, which has the ranges that npm and Helm users write (`~4.3`, `>=4.3.1 <4.5`, `4.x`). It is imported only
where no everyday form will do: it costs a render more time than all else that happens here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodesemver import Range, SemVer

# One version and no range, as charts have them: Semantic Versioning with or without a `v` before it. Looser in
# what follows the numbers than node-semver, since a chart that calls itself `1.0.0-a..b` can be fetched.
_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
# What helm takes for --kube-version, and what a cluster says: `1.34`, `v1.34.2+k3s1`, `1.34.2-gke.100`.
_KUBERNETES = re.compile(r"v?([0-9]+\.[0-9]+)(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?")
# Somewhere in what a program prints; a build of a branch calls itself v4.3.
_PRINTED = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?([-+][0-9A-Za-z.+-]+)?")
_EVERYDAY = re.compile(r"~(\d+\.\d+)")
# The majors that a range such as `>=4` is tried with; no tool comes near.
_HIGHEST_MAJOR = 99


def is_exact(text: str) -> bool:
    """Whether it is one version of a chart: `1.2.3` or `v1.2.3-rc.1+b`, no range and no part of one."""
    return _EXACT.fullmatch(text) is not None


def is_release(text: str) -> bool:
    """Whether it is one version that is no pre-release and no build of its own: `v1.2.3`."""
    return is_exact(text) and not set("-+") & set(text)


def is_kubernetes(text: str) -> bool:
    """Whether it is a version of Kubernetes: `1.34`, `v1.34.2+k3s1`."""
    return _KUBERNETES.fullmatch(text) is not None


def minor(text: str) -> str:
    """`1.34` of `v1.34.2+k3s1`, or ""."""
    match = _KUBERNETES.match(text)
    return match[1] if match else ""


def printed(text: str) -> str:
    """The first version in what a program prints about itself, complete and without a `v`: `4.3.1`; or ""."""
    match = _PRINTED.search(text)
    return f"{match[1]}.{match[2]}.{match[3] or 0}{match[4] or ''}" if match else ""


def same(first: str, second: str) -> bool:
    """Whether two versions are one to Helm: a leading `v` makes no difference."""
    return first.removeprefix("v") == second.removeprefix("v")


def numbers(version: str) -> tuple[int, int, int]:
    """(4, 3, 1) of `4.3.1-rc.1`, a version as `printed` gives it. Orders programs without the library."""
    major, minor, patch = (int(number) for number in re.split("[-+]", version)[0].split("."))
    return major, minor, patch


class Rank:
    """A version's position among others by the rules of Semantic Versioning; `v1.2.3` is `1.2.3`."""

    def __init__(self, version: SemVer) -> None:
        self._version = version

    def __lt__(self, other: Rank) -> bool:
        return bool(self._version.compare(other._version) < 0)


@lru_cache(maxsize=4096)  # pure, and a board compares the same versions many times
def rank(version: str) -> Rank | None:
    """A version to compare with `<`; None when it only looks like one, as `1.0.0-a..b` does."""
    from nodesemver import make_semver

    try:
        return Rank(make_semver(version, True))
    except ValueError:
        return None


def satisfies(version: str, text: str) -> bool:
    """Whether a complete version lies in the range. ValueError, with a sentence, when it is no range."""
    if everyday := _EVERYDAY.fullmatch(text):
        return re.fullmatch(re.escape(everyday[1]) + r"\.\d+(\+.*)?", version) is not None
    return bool(_range(text).test(version))


def majors(text: str) -> list[int]:
    """The major versions that the range admits, at most up to 99. ValueError as above."""
    if everyday := _EVERYDAY.fullmatch(text):
        return [int(everyday[1].split(".")[0])]
    wanted = _range(text)
    # Of a major, one of these is in the range if any is: its ends, and the bounds that the range names.
    bounds = [[*map(int, bound.split(".")), 0, 0][:3] for bound in re.findall(r"\d+(?:\.\d+){0,2}", text)]
    samples = [f"{major}.{minor}.{patch + more}" for major, minor, patch in bounds for more in (0, 1)]
    return [
        major
        for major in range(_HIGHEST_MAJOR + 1)
        if any(
            wanted.test(version)
            for version in (f"{major}.0.0", f"{major}.999999.999999", *samples)
            if numbers(version)[0] == major
        )
    ]


def _range(text: str) -> Range:
    from nodesemver import make_range

    message = f'"{text}" is no version range such as "~4.3" or ">=4.3.1 <4.5"'
    if not text.strip():
        raise ValueError(message)
    try:
        return make_range(text.replace(",", " "), False)
    except ValueError:
        raise ValueError(message) from None
