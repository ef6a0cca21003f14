"""The wheel: what is in it, and that the sidecar's few packages are enough for what the sidecar runs.

The environment is a venv with the packages of requirements/sidecar.txt and the wheel, and nothing else: an
import of anything else fails there. The packages are linked from the tests' own, so that no network is needed.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from packaging.requirements import Requirement
from program import CHECKOUT, PROGRAM

from cmp_plugin.cli import EXTRA

PROJECT = tomllib.loads(Path(CHECKOUT, "pyproject.toml").read_text())["project"]
LOCKED = Path(CHECKOUT, "requirements", "sidecar.txt")
BUILDS_THE_WHEEL = "flit-core"  # the image uninstalls it again
SERVICE = {
    "ARGOCD_APP_NAME": "kind.local-web",
    "ARGOCD_APP_NAMESPACE": "web",
    "ARGOCD_APP_PARAMETERS": '[{"name": "service", "string": "web"}]',
}


def locked() -> dict[str, str]:
    """Package -> version, of those that this Python gets."""
    lines = re.findall(r"^(\S+==.*?)(?: \\)?$", LOCKED.read_text(), re.MULTILINE)
    wanted = [Requirement(line) for line in lines]
    return {
        each.name: str(each.specifier).removeprefix("==")
        for each in wanted
        if each.name != BUILDS_THE_WHEEL and (each.marker is None or each.marker.evaluate())
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as the release does it, from a copy of what it is built from."""
    root = tmp_path_factory.mktemp("wheel")
    shutil.copytree(Path(CHECKOUT, "cmp_plugin"), root / "cmp_plugin", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(Path(CHECKOUT, name), root)
    build = "from flit_core.buildapi import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=root, check=True, capture_output=True, timeout=120)
    (built,) = root.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a venv that is what the sidecar's image has."""
    root = tmp_path_factory.mktemp("sidecar") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True, timeout=120)
    (packages,) = root.glob("lib/python3*/site-packages")
    for name, version in locked().items():
        distribution = importlib.metadata.distribution(name)
        assert distribution.version == version, f"{name}: the two locks differ"
        for file in distribution.files or ():
            target = packages / file
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(Path(str(file.locate())).resolve())
    zipfile.ZipFile(wheel).extractall(packages)
    return root / "bin" / "python"


def call(
    python: Path, words: list[str], env: dict[str, str], cwd: str = CHECKOUT
) -> subprocess.CompletedProcess[bytes]:
    """The wheel's program; -P: this checkout's package is not in the way."""
    argv = [str(python), "-P", "-m", "cmp_plugin", *words]
    return subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False
    )


def test_nothing_for_development_is_in_the_wheel(wheel: Path) -> None:
    """Our package and its metadata. That each module in it is used, test_architecture says."""
    names = zipfile.ZipFile(wheel).namelist()
    version = importlib.metadata.version("cmp-plugin")
    assert {name.split("/")[0] for name in names} == {"cmp_plugin", f"cmp_plugin-{version}.dist-info"}
    assert {"cmp_plugin/tools/go.txt", "cmp_plugin/commands/list/board/board.html"} <= set(names)


def test_the_locks_are_of_what_the_project_asks_for() -> None:
    core = {Requirement(each).name for each in PROJECT["dependencies"]}
    extra = {Requirement(each).name for each in PROJECT["optional-dependencies"]["cli"]}
    assert core <= set(locked())
    assert not extra & set(locked())
    # By the name of the module; markupsafe comes with jinja2, and the page imports it itself.
    assert EXTRA == {name.replace("-", "_") for name in extra} | {"markupsafe"}


def test_generate_and_parameters(python: Path, clean_env: dict[str, str]) -> None:
    where = os.path.join(CHECKOUT, "clusters", "kind.local")
    for words, env in ((["generate"], {**clean_env, **SERVICE}), (["parameters"], {**clean_env, **SERVICE})):
        done = call(python, words, env, where)
        whole = subprocess.run([PROGRAM, *words], cwd=where, env=env, capture_output=True, timeout=300, check=False)
        assert (done.returncode, done.stderr) == (0, b""), words
        assert done.stdout == whole.stdout != b""


def test_preview(python: Path, clean_env: dict[str, str]) -> None:
    done = call(python, ["preview", "kind.local"], clean_env)
    whole = subprocess.run(
        [PROGRAM, "preview", "kind.local"], cwd=CHECKOUT, env=clean_env, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == whole.stdout != b""


def test_preview_on_a_terminal(python: Path, clean_env: dict[str, str]) -> None:
    """No bar and no colour without rich, and nothing else is different."""
    printed, code = pexpect.run(
        f"{python} -P -m cmp_plugin preview kind.local", cwd=CHECKOUT, env={**clean_env, "TERM": "xterm"},
        withexitstatus=True, timeout=300,
    )  # fmt: skip
    assert code == 0, printed
    assert b"\x1b" not in printed and b"kind: Deployment" in printed


@pytest.fixture
def listener() -> Iterator[str]:
    """argocd-cmp-server's socket; its path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cmp-") as directory, socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.join(directory, "cmp-plugin.sock"))
        server.listen()
        yield directory


def test_healthcheck(python: Path, listener: str, clean_env: dict[str, str]) -> None:
    done = call(python, ["healthcheck"], {**clean_env, "ARGOCD_PLUGINSOCKFILEPATH": listener})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("words", "package"),
    [
        ("list", "rich"),
        ("list -o html", "jinja2"),
        ("explain kind.local web", "rich"),
        ("validate", "jsonschema_rs"),
        ("completion bash", "argcomplete"),
    ],
)
def test_what_people_call_says_what_to_install(
    words: str, package: str, python: Path, clean_env: dict[str, str]
) -> None:
    done = call(python, words.split(), clean_env)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"this needs the package {package}: install cmp-plugin[cli]\n"
