"""Mirrors: which source is asked, what is refused, and that a lock is about the chart's own address."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from packing import AT
from serving import Repository

from cmp_plugin.charts import store
from cmp_plugin.charts.chart_request import chart_request
from cmp_plugin.charts.lockfile import Locked
from cmp_plugin.charts.mirrors import source_of
from cmp_plugin.charts.obtain import FetchContext, lock_chart, locked_chart
from cmp_plugin.errors import CmpError, InputError

MakeContext = Callable[..., FetchContext]
HTTP = "https://charts.example.com/stable"
OCI = "oci://registry.example.com/team/charts"


def source(repository: str, context: FetchContext) -> tuple[str, str]:
    """Address and name that are asked for the chart `small` of `repository`."""
    found = source_of(chart_request(repository, "small", "1.0.0", AT), context.mirrors, context.tree)
    return found.address, found.name


PLACES = {
    "no mirror": ({}, HTTP, HTTP),
    "another repository": ({"https://charts.example.com/stab": "https://m.example.com"}, HTTP, HTTP),
    "a host": ({"https://charts.example.com": "https://m.example.com/x"}, HTTP, "https://m.example.com/x/stable"),
    "the repository": ({HTTP + "/": "https://m.example.com/a/"}, HTTP, "https://m.example.com/a"),
    "a repository as a registry": ({HTTP: "oci://m.example.com/a"}, HTTP, "oci://m.example.com/a"),
    "a registry": ({"oci://registry.example.com": "oci://m.example.com/b"}, OCI, "oci://m.example.com/b/team/charts"),
    "a registry's prefix": ({"oci://registry.example.com/team": "oci://m/t"}, OCI, "oci://m/t/charts"),
    "not half a name": ({"oci://registry.example.com/te": "oci://m/t"}, OCI, OCI),
    "the longest": ({"oci://registry.example.com": "oci://a", OCI: "oci://b/c"}, OCI, "oci://b/c"),
    "a registry as a repository": (
        {"oci://registry.example.com": "https://m.example.com"},
        OCI,
        "https://m.example.com",
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_places(case: str, context: MakeContext) -> None:
    mirrors, repository, expected = PLACES[case]
    assert source(repository, context(mirrors=mirrors)) == (expected, "small")


def test_one_chart_of_a_registry(context: MakeContext) -> None:
    assert source(OCI, context(mirrors={f"{OCI}/small": "oci://m/tiny"})) == ("oci://m", "tiny")


def test_the_variable_wins(context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_CHART_MIRROR", "https://m.example.com/")
    assert source(HTTP, context(mirrors={HTTP: "https://other.example.com"})) == ("https://m.example.com", "small")
    assert source(OCI, context()) == ("https://m.example.com", "small")


def test_a_lock_names_the_charts_own_address(served: Repository, context: MakeContext) -> None:
    asked = chart_request(HTTP, "small", "1.0.0", AT)
    entry, _ = lock_chart(asked, context(mirrors={HTTP: served.url}))
    digest = store.digest_of(f"{served.directory}/small-1.0.0.tgz")
    assert entry == Locked(HTTP, "small", "1.0.0", digest)


def test_a_mirror_cannot_change_a_chart(served: Repository, context: MakeContext) -> None:
    entry = Locked(HTTP, "small", "1.0.0", "sha256:" + "0" * 64, url=f"{HTTP}/small-1.0.0.tgz")
    with pytest.raises(InputError) as refused:
        locked_chart(chart_request(HTTP, "small", "1.0.0", AT), entry, context(mirrors={HTTP: served.url}))
    digest = store.digest_of(f"{served.directory}/small-1.0.0.tgz")
    assert refused.value.message == (
        f"chart small 1.0.0 from {served.url}, the mirror of {HTTP} has the digest {digest},"
        f" the lock says sha256:{'0' * 64}"
    )
    assert served.paths() == ["/index.yaml", "/small-1.0.0.tgz"]


def test_a_directory_of_the_fleet(charts: Path, context: MakeContext, tmp_path: Path) -> None:
    use = context(mirrors={HTTP: "mirror"})
    charts.rename(tmp_path / "fleet" / "mirror")
    entry, _ = lock_chart(chart_request(HTTP, "vee", "1.0.0", AT), use)
    assert (entry.version, entry.url) == ("v1.0.0", "")
    with pytest.raises(CmpError) as refused:
        lock_chart(chart_request(HTTP, "small", "9.9.9", AT), use)
    assert refused.value.message == f"chart small 9.9.9 is not in mirror, the mirror of {HTTP}"


def test_a_directory_by_the_variable(charts: Path, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no network, so it serves offline too; errors do not say where it is."""
    monkeypatch.setenv("CMP_PLUGIN_CHART_MIRROR", str(charts))
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    assert lock_chart(chart_request(OCI, "small", "1.0.0", AT), context())
    assert lock_chart(chart_request(OCI, "small", "~1.0", AT), context())[0].version == "1.0.0"
    with pytest.raises(CmpError) as refused:
        lock_chart(chart_request(HTTP, "nothing", "1.0.0", AT), context())
    assert str(refused.value) == "chart nothing 1.0.0 is not in the mirror that CMP_PLUGIN_CHART_MIRROR names"


@pytest.mark.parametrize("address", ["../outside.tgz", "/etc/passwd", "https://charts.example.com/small.tgz", "."])
def test_addresses_in_a_directorys_index(
    address: str, charts: Path, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    (charts.parent / "outside.tgz").write_bytes((charts / "small-1.0.0.tgz").read_bytes())
    entries = {"small": [{"name": "small", "version": "1.0.0", "urls": [address]}]}
    (charts / "index.yaml").write_text(json.dumps({"apiVersion": "v1", "entries": entries}))
    monkeypatch.setenv("CMP_PLUGIN_CHART_MIRROR", str(charts))
    with pytest.raises(CmpError) as refused:
        lock_chart(chart_request(HTTP, "small", "1.0.0", AT), context())
    assert refused.value.message == "chart small 1.0.0 is not in the mirror that CMP_PLUGIN_CHART_MIRROR names"


def test_a_variable_that_names_nothing(context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_CHART_MIRROR", str(tmp_path))
    with pytest.raises(InputError) as refused:
        source(HTTP, context())
    assert str(refused.value) == "CMP_PLUGIN_CHART_MIRROR names neither an address nor a directory with an index.yaml"
