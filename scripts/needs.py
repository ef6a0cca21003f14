"""Debian's programs that only tests run: what each is for and which package has it.

In: one of the tables. Out: the rows whose program this machine lacks, and the command that installs them.
Standard library only, as scripts/set_up.py uses it before anything is installed. Nothing is installed here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import NamedTuple


class Need(NamedTuple):
    """A program on PATH, the Debian package that has it, and what the tests do with it."""

    program: str
    package: str
    reason: str


_OPENSSL = Need("openssl", "openssl", "makes the certificates of servers that tests start")
_REDIS = Need("redis-server", "redis-server", "argocd-repo-server keeps its cache in it")

TESTS = (
    Need("chromium", "chromium", "shows the page that `list -o html` writes"),
    Need("chromedriver", "chromium-driver", "drives chromium"),
    Need("docker-registry", "docker-registry", "serves charts as an OCI registry"),
    Need("fish", "fish", "completes command lines, as a person's shell does"),
    _OPENSSL,
    Need("zsh", "zsh", "completes command lines, as a person's shell does"),
)
ARGOCD = (_OPENSSL, _REDIS)
SIDECAR = (
    Need("buildah", "buildah", "builds sidecar.Dockerfile"),
    Need("bwrap", "bubblewrap", "runs the built image"),
    Need("debootstrap", "debootstrap", "makes the image's Debian"),
    _OPENSSL,
    _REDIS,
)


def missing(needs: Iterable[Need]) -> list[Need]:
    """The needs whose program is not on PATH."""
    return [need for need in needs if shutil.which(need.program) is None]


def missing_programs(programs: Iterable[str]) -> list[Need]:
    """The same for programs by name. KeyError for a program that no table has."""
    table = {need.program: need for need in (*TESTS, *ARGOCD, *SIDECAR)}
    return missing(table[program] for program in programs)


def advice(lacking: Iterable[Need]) -> str:
    """One line: what is missing and the command that installs it."""
    lacking = list(lacking)
    programs = ", ".join(need.program for need in lacking)
    verb = "is" if len(lacking) == 1 else "are"
    return f"{programs} {verb} missing: apt-get install {' '.join(need.package for need in lacking)}"
