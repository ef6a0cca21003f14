"""Charts from a real OCI registry: versions, ranges, logins, mirrors, certificates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packing import AT, chart, package
from registry import Registry

from cmp_plugin.charts import store
from cmp_plugin.charts.chart_request import ChartRequest, chart_request, request_of
from cmp_plugin.charts.obtain import FetchContext, lock_chart, locked_chart
from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.service import Chart

MakeContext = Callable[..., FetchContext]


@pytest.fixture(scope="module")
def plus(tmp_path_factory: pytest.TempPathFactory, helm4: str) -> Path:
    """A version with build metadata, which a tag cannot hold as it is."""
    base = tmp_path_factory.mktemp("plus")
    return package(helm4, chart(base / "small", "small", "3.0.0+build.1"), base)


@pytest.fixture(scope="module")
def open_registry(tmp_path_factory: pytest.TempPathFactory, packed: Path, plus: Path, helm4: str) -> Iterator[Registry]:
    base = tmp_path_factory.mktemp("registry")
    with Registry(base / "open") as registry:
        for archive in (*sorted(packed.glob("small-*.tgz")), plus):
            registry.push(helm4, archive, base)
        yield registry


@pytest.fixture(scope="module")
def closed_registry(tmp_path_factory: pytest.TempPathFactory, packed: Path, helm4: str) -> Iterator[Registry]:
    base = tmp_path_factory.mktemp("registry")
    with Registry(base / "closed", login=True) as registry:
        registry.push(helm4, packed / "small-1.0.0.tgz", base, login=True)
        yield registry


def trust(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", registry.certificate.cert)


def small(registry: Registry, version: str = "1.0.0") -> ChartRequest:
    return chart_request(registry.address, "small", version, AT)


def refusal(chart: ChartRequest, context: FetchContext) -> str:
    with pytest.raises(CmpError) as refused:
        lock_chart(chart, context)
    return str(refused.value)


def test_a_chart_of_a_registry(
    open_registry: Registry, packed: Path, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(open_registry, monkeypatch)
    asked = request_of(Chart(AT, oci=f"{open_registry.address}/small", version="1.0.0"))
    entry, _ = lock_chart(asked, context())
    assert entry.repository == open_registry.address
    assert entry.digest == store.digest_of(str(packed / "small-1.0.0.tgz"))
    assert entry.url == ""
    assert locked_chart(asked, entry, context())


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_versions(
    helm: str,
    open_registry: Registry,
    context: MakeContext,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """A range as in a Chart.yaml, and build metadata, which is a tag with `_`."""
    trust(open_registry, monkeypatch)
    monkeypatch.setenv("CMP_PLUGIN_HELM", request.getfixturevalue(helm))
    use = context()._replace(helm_range="~4.3" if helm == "helm4" else "~3.22")
    entry, _ = lock_chart(small(open_registry, "1.x"), use)
    assert (entry.version, entry.request) == ("1.2.0", "1.x")
    entry, _ = lock_chart(small(open_registry, "3.0.0+build.1"), use)
    assert (entry.version, entry.request) == ("3.0.0+build.1", "")


def test_what_is_not_there(open_registry: Registry, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(open_registry, monkeypatch)
    place = f"cannot be fetched from {open_registry.address}"
    assert (
        refusal(small(open_registry, "9.9.9"), context())
        == f"chart small 9.9.9 {place}: it has no such chart or version"
    )
    nothing = chart_request(open_registry.address, "nothing", "1.0.0", AT)
    assert refusal(nothing, context()) == f"chart nothing 1.0.0 {place}: it has no such chart or version"


def test_a_certificate_of_nobody(open_registry: Registry, context: MakeContext) -> None:
    assert refusal(small(open_registry), context()) == (
        f"chart small 1.0.0 cannot be fetched from {open_registry.address}:"
        " its certificate is signed by an unknown authority"
    )


def test_401(closed_registry: Registry, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(closed_registry, monkeypatch)
    assert refusal(small(closed_registry), context()) == (
        f"chart small 1.0.0 cannot be fetched from {closed_registry.address}: 401 Unauthorized"
        " (credentials are looked for in helm's registry configuration (HELM_REGISTRY_CONFIG), docker's,"
        " and netrc (NETRC))"
    )


def test_another_password(
    closed_registry: Registry, context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is nowhere in the error."""
    trust(closed_registry, monkeypatch)
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login ci password hunter2\n")
    message = refusal(small(closed_registry), context())
    assert ": 401 Unauthorized (credentials" in message
    assert "hunter2" not in message


def login_of(registry: Registry) -> str:
    token = base64.b64encode(b"ci:secret").decode()
    return json.dumps({"auths": {f"127.0.0.1:{registry.port}": {"auth": token}}})


@pytest.mark.parametrize("place", ["variable", "helm", "docker", "netrc"])
def test_logins(
    place: str, closed_registry: Registry, context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(closed_registry, monkeypatch)
    home = tmp_path / "home"
    files = {
        "variable": tmp_path / "secret" / "registry.json",
        "helm": home / ".config" / "helm" / "registry" / "config.json",
        "docker": home / ".docker" / "config.json",
        "netrc": home / ".netrc",
    }
    files[place].parent.mkdir(parents=True, exist_ok=True)
    netrc = "machine 127.0.0.1 login ci password secret\n"
    files[place].write_text(netrc if place == "netrc" else login_of(closed_registry))
    if place == "variable":
        monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(files[place]))
    assert lock_chart(small(closed_registry), context())


def test_a_mirror_of_a_prefix(open_registry: Registry, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(open_registry, monkeypatch)
    asked = chart_request("oci://registry.example.com/team/charts", "small", "1.0.0", AT)
    mirrors = {"oci://registry.example.com/team": open_registry.address.removesuffix("/charts")}
    entry, _ = lock_chart(asked, context(mirrors=mirrors))
    assert entry.repository == "oci://registry.example.com/team/charts"
    whole = {"oci://registry.example.com/team/charts/small": f"{open_registry.address}/small"}
    assert lock_chart(asked, context(mirrors=whole))[0] == entry


def test_a_busy_registry_is_helms_matter(open_registry: Registry, context: MakeContext) -> None:
    """Nothing listens: our own tries are the same as for repositories."""
    nobody = chart_request("oci://127.0.0.1:1/charts", "small", "1.0.0", AT)
    assert refusal(nobody, context()).endswith("from oci://127.0.0.1:1/charts: the connection was refused")
