"""Which helm and which kustomize are taken, and what their version is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmp_plugin.errors import InputError, ToolError
from cmp_plugin.tools import helm
from cmp_plugin.tools import kustomize as kustomize_tool
from cmp_plugin.tools import versions as ranges
from cmp_plugin.tools.discovery import Tool

IN_RANGE = [
    ("~4.3", "4.3.0 4.3.1 4.3.99", "4.2.9 4.4.0 3.3.1 5.3.0 4.30.1 4.4.0-rc.1"),
    ("~4.3.2", "4.3.2 4.3.9", "4.3.1 4.4.0"),
    (">=4.3.1 <4.5", "4.3.1 4.4.9", "4.3.0 4.5.0"),
    (">= 4.3.1, < 4.5", "4.3.1 4.4.9", "4.3.0 4.5.0"),
    ("4.x", "4.0.0 4.9.9", "3.9.9 5.0.0"),
    ("^4.3", "4.3.0 4.9.0", "4.2.0 5.0.0"),
    ("4.3", "4.3.0 4.3.7", "4.4.0"),
    ("v4.3.1", "4.3.1", "4.3.2"),
    ("~3.22 || ~4.3", "3.22.0 4.3.0", "3.23.0 4.4.0"),
    ("4.1 - 4.3", "4.1.0 4.3.9", "4.4.0"),
]


@pytest.mark.parametrize(("text", "inside", "outside"), IN_RANGE, ids=[row[0] for row in IN_RANGE])
def test_ranges(text: str, inside: str, outside: str) -> None:
    assert all(ranges.satisfies(version, text) for version in inside.split())
    assert not any(ranges.satisfies(version, text) for version in outside.split())


@pytest.mark.parametrize("version", "4.3.0 4.3.1 4.4.0 4.2.9 3.3.0 4.30.0 4.3.1+g1234567".split())
def test_the_everyday_form_says_what_the_library_says(version: str) -> None:
    assert ranges.satisfies(version, "~4.3") is ranges.satisfies(version, "~4.3 ")
    assert ranges.majors("~4.3") == ranges.majors("~4.3 ") == [4]


@pytest.mark.parametrize("text", ["", "  ", "four", "~4.3 garbage", "4.3.1.2", "latest"])
def test_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="is no version range such as"):
        ranges.satisfies("4.3.1", text)


@pytest.mark.parametrize(
    ("text", "majors"),
    [
        ("~3.22 || ~4.3", [3, 4]),
        (">4.3.1 <4.3.3", [4]),
        (">3.99.99 <4.0.1", [3, 4]),
        (">=4.3.1 <5", [4]),
        (">=4.3 <=5.0.0", [4, 5]),
        ("<3.20.3 >=3.20.2", [3]),
        (">4 <4", []),
    ],
)
def test_majors_of_a_range(text: str, majors: list[int]) -> None:
    assert ranges.majors(text) == majors


def test_an_open_range_admits_every_later_major() -> None:
    assert ranges.majors(">=4.3")[:2] == [4, 5]


class Machine:
    """A PATH directory, a tools cache and nothing else; its tools are scripts that tell a version."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self._monkeypatch = root, monkeypatch
        self.asked = root / "asked"
        for name in ("bin", "home"):
            (root / name).mkdir()
        self.setenv(PATH=str(root / "bin"), HOME=str(root / "home"), XDG_CACHE_HOME=str(root / "c"))
        for name in ("CMP_PLUGIN_HELM", "CMP_PLUGIN_KUSTOMIZE", "CMP_PLUGIN_CACHE_DIR"):
            monkeypatch.delenv(name, raising=False)

    def setenv(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def tool(self, path: str, says: str, code: int = 0) -> str:
        """A program that prints `says`, exits with `code` and notes that it was asked."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\necho '{says}'\necho $0 >> {self.asked}\nexit {code}\n")
        file.chmod(0o755)
        return str(file)

    def times_asked(self) -> int:
        return len(self.asked.read_text().splitlines()) if self.asked.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_the_one_on_path(machine: Machine) -> None:
    path = machine.tool("bin/helm", "v4.3.1")
    machine.tool("c/cmp-plugin/tools/helm-4.3.9/helm", "v4.3.9")
    assert helm.find("~4.3") == Tool(path, "4.3.1", "")


def test_the_newest_of_the_cache_that_fits_when_path_has_none(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.2.0")
    machine.tool("c/cmp-plugin/tools/helm-4.3.9/helm", "v4.3.9")
    newest = machine.tool("c/cmp-plugin/tools/helm-4.3.10/helm", "v4.3.10")
    machine.tool("c/cmp-plugin/tools/helm-4.4.0/helm", "v4.4.0")
    machine.tool("c/cmp-plugin/tools/helm-broken/helm", "no version here")
    assert helm.find("~4.3") == Tool(newest, "4.3.10", "")


def test_the_variable_decides_alone(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.3.1")
    machine.setenv(CMP_PLUGIN_HELM=machine.tool("own/helm", "v4.4.2"))
    tool = helm.find("~4.3")
    assert (tool.version, tool.warning) == (
        "4.4.2",
        "helm 4.4.2 named by CMP_PLUGIN_HELM is outside ~4.3",
    )


def test_a_miss_is_an_error_when_strict(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.4.0")
    assert helm.find("~4.3").warning == "helm 4.4.0 on PATH is outside ~4.3"
    with pytest.raises(ToolError) as caught:
        helm.find("~4.3", strict=True)
    assert str(caught.value) == (
        "helm ~4.3 is needed, found 4.4.0 on PATH (cmp-plugin tools install builds the one that fleet.yaml asks for; "
        "or put one on PATH or name it in CMP_PLUGIN_HELM)"
    )


def test_another_major_of_helm_is_always_an_error(machine: Machine) -> None:
    machine.tool("bin/helm", "v3.22.0")
    machine.tool("c/cmp-plugin/tools/helm-5.0.0/helm", "v5.0.0")
    with pytest.raises(ToolError, match="found 3.22.0 on PATH; 5.0.0 in the tools cache"):
        helm.find("~4.3")


def test_kustomize_of_another_major_is_a_warning(machine: Machine) -> None:
    machine.tool("bin/kustomize", "v6.0.0")
    assert kustomize_tool.find("~5.8").warning == "kustomize 6.0.0 on PATH is outside ~5.8"


@pytest.mark.parametrize("version", "3.20.1 3.9.4 2.17.0 4.0.0 4.1.3 4.1".split())
def test_versions_with_known_holes_are_refused(machine: Machine, version: str) -> None:
    machine.tool("bin/helm", f"v{version}")
    with pytest.raises(ToolError, match="on PATH, which is refused: it has known security holes"):
        helm.find(f"~{'.'.join(version.split('.')[:2])}")


@pytest.mark.parametrize("version", "3.20.2 3.22.0 4.1.4 4.3.0".split())
def test_the_fixed_versions_are_taken(machine: Machine, version: str) -> None:
    machine.tool("bin/helm", f"v{version}")
    assert helm.find(f"~{version[:4].rstrip('.')}").version == version


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("v4.3.1", "4.3.1"),
        ("v4.3.1+g27a3c5a", "4.3.1+g27a3c5a"),
        ("v4.3", "4.3.0"),  # what a plain `go install` makes
        ("4.3.1", "4.3.1"),
    ],
)
def test_what_helm_says_about_itself(machine: Machine, says: str, version: str) -> None:
    machine.tool("bin/helm", says)
    assert helm.find("~4.3").version == version


def test_none_at_all(machine: Machine) -> None:
    with pytest.raises(ToolError, match="^helm ~4.3 is needed, found none "):
        helm.find("~4.3")
    with pytest.raises(ToolError, match="^kustomize ~5.8 is needed, found none .*_KUSTOMIZE"):
        kustomize_tool.find("~5.8")


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("nothing", 0, "helm does not tell its version"),
        ("v4.3.1", 1, "helm does not tell its version"),
        (None, 0, "helm named by CMP_PLUGIN_HELM: No such file or directory"),
    ],
)
def test_a_named_tool_that_is_no_good(machine: Machine, content: str | None, code: int, message: str) -> None:
    path = machine.tool("own/helm", content, code) if content else str(machine.root / "absent")
    machine.setenv(CMP_PLUGIN_HELM=path)
    with pytest.raises(ToolError) as caught:
        helm.find("~4.3")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("four", 'tools.helm: "four" is no version range such as "~4.3" or ">=4.3.1 <4.5"'),
        (">=4.3", 'tools.helm: ">=4.3" must admit exactly one major version of helm'),
        (
            "~3.22 || ~4.3",
            'tools.helm: "~3.22 || ~4.3" must admit exactly one major version of helm',
        ),
    ],
)
def test_a_range_that_is_no_good(machine: Machine, wanted: str, message: str) -> None:
    machine.tool("bin/helm", "v4.3.1")
    with pytest.raises(InputError) as caught:
        helm.find(wanted)
    assert str(caught.value) == message


def test_relative_directories_of_path_are_not_looked_into(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.tool("repository/helm", "v4.3.1")
    monkeypatch.chdir(machine.root / "repository")
    machine.setenv(PATH=f".::{machine.root / 'bin'}")
    with pytest.raises(ToolError, match="found none"):
        helm.find("~4.3")


def test_the_version_is_asked_once(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.3.1")
    for _ in range(3):
        assert helm.find("~4.3").version == "4.3.1"
    assert machine.times_asked() == 1


def test_a_program_that_changed_is_asked_again(machine: Machine) -> None:
    path = machine.tool("bin/helm", "v4.3.1")
    assert helm.find("~4.3").version == "4.3.1"
    os.utime(path, ns=(1, 1))
    assert helm.find("~4.3").version == "4.3.1"
    machine.tool("bin/helm", "v4.3.22")
    assert helm.find("~4.3").version == "4.3.22"
    assert machine.times_asked() == 3


def test_a_damaged_cache_is_asked_again(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.3.1")
    helm.find("~4.3")
    (known,) = (machine.root / "c/cmp-plugin/versions").iterdir()
    for damage in (b"", b"\xff\xfe", b"9.9.9\n/elsewhere\n", b"nonsense\n\n", b"\0" * 9000):
        known.write_bytes(damage)
        assert helm.find("~4.3").version == "4.3.1"


@pytest.mark.parametrize("variable", ["CMP_PLUGIN_CACHE_DIR", "XDG_CACHE_HOME"])
def test_a_cache_that_cannot_be_written_does_no_harm(machine: Machine, variable: str) -> None:
    machine.tool("bin/helm", "v4.3.1")
    machine.setenv(**{variable: "/dev/null/cache"})
    assert helm.find("~4.3").version == helm.find("~4.3").version == "4.3.1"
    assert machine.times_asked() == 2


def test_without_a_home_nothing_is_written_where_we_are(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.tool("bin/helm", "v4.3.1")
    (machine.root / "here").mkdir()
    monkeypatch.chdir(machine.root / "here")
    monkeypatch.delenv("XDG_CACHE_HOME")
    machine.setenv(HOME="~nobody-of-this-name")
    assert helm.find("~4.3").version == "4.3.1"
    assert os.listdir(".") == []


def test_the_cache_directory_can_be_given(machine: Machine) -> None:
    machine.tool("bin/helm", "v4.3.1")
    machine.setenv(CMP_PLUGIN_CACHE_DIR=str(machine.root / "own"))
    helm.find("~4.3")
    assert len(os.listdir(machine.root / "own" / "versions")) == 1


def test_the_real_ones_tell_their_versions(helm4: str, helm3: str, kustomize: str, machine: Machine) -> None:
    machine.setenv(CMP_PLUGIN_HELM=helm4, CMP_PLUGIN_KUSTOMIZE=kustomize)
    assert helm.find("~4.3", strict=True).path == helm4
    assert kustomize_tool.find("~5.8", strict=True).path == kustomize
    machine.setenv(CMP_PLUGIN_HELM=helm3)
    assert helm.find("~3.22", strict=True).path == helm3
