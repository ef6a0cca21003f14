"""What is a version, which of two is newer, and what a program prints about itself. Ranges: test_discovery."""

from __future__ import annotations

import itertools

import pytest

from cmp_plugin.tools.versions import is_exact, is_kubernetes, is_release, minor, numbers, printed, rank, same


@pytest.mark.parametrize("text", ["1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "v10.20.30-a-b.1+c-d"])
def test_one_version(text: str) -> None:
    assert is_exact(text)


def test_a_release() -> None:
    texts = ["v1.2.3", "1.2.3", "v1.2.3-rc.1", "1.2.3+b", "v1.2"]
    assert [is_release(text) for text in texts] == [True, True, False, False, False]


@pytest.mark.parametrize("text", ["", "1.2", "1", "~1.2.3", "1.x", "1.2.3 ", "latest", "1.2.3-", "vv1.2.3", "1.2.3_4"])
def test_no_version(text: str) -> None:
    assert not is_exact(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("1.34", "1.34"), ("v1.34.2+k3s1", "1.34"), ("1.34.2-gke.100", "1.34"), ("1", ""), ("latest", "")],
)
def test_kubernetes(text: str, found: str) -> None:
    assert is_kubernetes(text) is bool(found)
    assert minor(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v4.3.1\n", "4.3.1"),
        ("v4.3", "4.3.0"),
        ("v3.20.2+g1234567", "3.20.2+g1234567"),
        ("{kustomize/v5.8.2  2025-01-01T00:00:00Z  }", "5.8.2"),
        ("git version 2.39.5 (Apple Git-154)", "2.39.5"),
        ("v4.4.0-rc.1", "4.4.0-rc.1"),
        ("no version here", ""),
    ],
)
def test_what_a_program_prints(text: str, found: str) -> None:
    assert printed(text) == found
    assert printed(found) == found


def test_numbers() -> None:
    versions = ["4.3.10", "4.3.9+g1", "4.3.2-rc.1", "3.22.0"]
    assert [numbers(version) for version in versions] == [(4, 3, 10), (4, 3, 9), (4, 3, 2), (3, 22, 0)]


def test_a_leading_v_makes_no_difference() -> None:
    assert same("v1.2.3", "1.2.3") and same("1.2.3", "1.2.3")
    assert not same("1.2.3", "1.2.4")


def test_which_is_newer() -> None:
    """The order of Semantic Versioning 2, section 11."""
    order = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 v1.0.0 1.9.0 1.10.0".split()
    ranks = [rank(version) for version in order]
    for older, newer in itertools.pairwise(ranks):
        assert older is not None and newer is not None
        assert older < newer and not newer < older
    same_build = rank("1.0.0+a"), rank("v1.0.0")
    assert same_build[0] is not None and same_build[1] is not None
    assert not same_build[0] < same_build[1] and not same_build[1] < same_build[0]
    assert rank("1.0.0-a..b") is None
