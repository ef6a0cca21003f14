"""What a chart says about its own values, from directories, archives and the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fleets import resolved, write
from packing import archive, file

from cmp_plugin.charts import store
from cmp_plugin.charts.contents import ChartFiles, NotHere, chart_files, defaults, read_chart
from cmp_plugin.errors import InputError, Location
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.goyaml.load import plain
from cmp_plugin.system.files import FileTree

AT = Location("services/web/service.yaml", 4, 8)
OUTER = """\
apiVersion: v2
name: outer
version: 1.0.0
dependencies:
  - {name: inner, version: 1.0.0, condition: "inner.enabled, global.inner", tags: [extra]}
  - {name: inner, version: 1.0.0, alias: second, import-values: [data, {child: a.b, parent: .c}]}
  - {name: absent, version: 1.0.0, condition: absent.enabled}
"""
INNER = "apiVersion: v2\nname: inner\nversion: 1.0.0\n"
VALUES = "# comment\nreplicas: 1\ninner:\n  port: 80\n"
INNER_VALUES = "port: 8080\nhost: inner\n"


def files(**more: str) -> dict[str, str]:
    return {
        "Chart.yaml": OUTER,
        "values.yaml": VALUES,
        "values.schema.json": '{"type": "object"}',
        "templates/a.yaml": "{{ .Values.replicas }}",
        "crds/large.yaml": "kind: CustomResourceDefinition",
        "charts/inner/Chart.yaml": INNER,
        "charts/inner/values.yaml": INNER_VALUES,
        "charts/inner/templates/b.yaml": "{{ .Values.port }}",
        **more,
    }


def directory(root: Path, content: dict[str, str]) -> str:
    for name, text in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root)


def packed(place: Path, content: dict[str, str]) -> str:
    return str(archive(place, [file(f"outer/{name}", text.encode()) for name, text in content.items()]))


def check(chart: ChartFiles) -> None:
    assert (chart.name, chart.version, chart.is_library) == ("outer", "1.0.0", False)
    assert plain(chart.values) == {"replicas": 1, "inner": {"port": 80}}
    assert str(chart.values.entries()["replicas"].key) == "shown/values.yaml:2:1"
    assert chart.schema == b'{"type": "object"}'
    assert chart.switches == ("inner.enabled", "global.inner", "tags.extra", "absent.enabled")
    assert sorted(chart.files) == ["Chart.yaml", "templates/a.yaml", "values.schema.json", "values.yaml"]
    assert [(one.key, one.chart.name, one.imports) for one in chart.subcharts] == [
        ("inner", "inner", ()),
        ("second", "inner", (("exports.data", ""), ("a.b", "c"))),
    ]
    merged = defaults(chart)
    assert plain(merged) == {
        "replicas": 1,
        "inner": {"port": 80, "host": "inner"},
        "second": {"port": 8080, "host": "inner"},
    }
    port = merged.entries("inner")["port"]
    assert str(port.at) == "shown/values.yaml:4:9"
    assert [str(one.at).replace("-1.0.0", "") for one in port.over] == ["shown/charts/inner/values.yaml:1:7"]


def test_a_directory(tmp_path: Path) -> None:
    check(read_chart(directory(tmp_path, files()), "shown", AT))


def test_an_archive(tmp_path: Path) -> None:
    check(read_chart(packed(tmp_path / "a.tgz", files()), "shown", AT))


@pytest.mark.parametrize("outer_is_packed", [True, False])
def test_a_chart_packed_in_a_chart(tmp_path: Path, outer_is_packed: bool) -> None:
    inner = archive(
        tmp_path / "inner-1.0.0.tgz",
        [file("inner/Chart.yaml", INNER.encode()), file("inner/values.yaml", INNER_VALUES.encode())],
    )
    kept = {name: text for name, text in files().items() if not name.startswith("charts/")}
    if outer_is_packed:
        members = [file(f"outer/{name}", text.encode()) for name, text in kept.items()]
        members.append(file("outer/charts/inner-1.0.0.tgz", inner.read_bytes()))
        place = str(archive(tmp_path / "outer.tgz", members))
    else:
        place = directory(tmp_path / "outer", kept)
        (tmp_path / "outer/charts").mkdir()
        inner.rename(tmp_path / "outer/charts/inner-1.0.0.tgz")
    check(read_chart(place, "shown", AT))


def test_the_manner_of_helm_2(tmp_path: Path) -> None:
    old = files() | {"Chart.yaml": "apiVersion: v1\nname: outer\nversion: 1.0.0\n"}
    old["requirements.yaml"] = OUTER.partition("version: 1.0.0\n")[2]
    chart = read_chart(directory(tmp_path, old), "shown", AT)
    assert [one.key for one in chart.subcharts] == ["inner", "second"]


def test_a_chart_that_no_dependency_names_counts(tmp_path: Path) -> None:
    chart = read_chart(directory(tmp_path, files() | {"Chart.yaml": INNER.replace("inner", "outer")}), "shown", AT)
    assert [one.key for one in chart.subcharts] == ["inner"]


def test_links_are_followed_once(tmp_path: Path) -> None:
    place = directory(tmp_path / "chart", files())
    for name in ("again", "more"):
        os.symlink(".", os.path.join(place, name))
        os.symlink("..", os.path.join(place, "templates", name))
    check(read_chart(place, "shown", AT))


def refusal(place: str) -> str:
    with pytest.raises(InputError) as refused:
        read_chart(place, "shown", AT)
    return str(refused.value)


def test_what_is_no_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(directory(tmp_path / "a", {"values.yaml": ""})) == f"{AT}: shown holds no Chart.yaml"
    (tmp_path / "b.tgz").write_bytes(b"text")
    assert refusal(str(tmp_path / "b.tgz")) == f"{AT}: shown is no whole chart archive"
    broken = directory(tmp_path / "c", files() | {"values.yaml": "a: [\n"})
    assert refusal(broken).startswith("shown/values.yaml:")
    deep = {"/".join(["charts/in"] * depth + ["Chart.yaml"]).lstrip("/"): INNER for depth in range(8)}
    assert read_chart(directory(tmp_path / "d", deep), "shown", AT).name == "inner"
    monkeypatch.setattr("cmp_plugin.charts.archive.MAX_BYTES", 1 << 20)
    large = directory(tmp_path / "e", files(large="x" * (2 << 20)))
    assert refusal(large) == f"{AT}: shown is larger than 1 MiB"
    monkeypatch.setattr("cmp_plugin.charts.archive.MAX_FILES", 5)
    assert refusal(directory(tmp_path / "f", files())) == f"{AT}: shown holds more than 5 files"


LOCK = """\
apiVersion: cmp-plugin/v1alpha1
kind: Lock
charts:
  - {name: outer, repository: "https://charts.example.com", version: 1.0.0, digest: "%s"}
"""


def fleet_with_a_chart_from_elsewhere(root: Path, **more: str) -> tuple[ResolvedService, FileTree]:
    spec = 'namespace: web\nchart: {repo: "https://charts.example.com", name: outer}\nversion: 1.0.0\n'
    cluster = 'kubernetes: {version: "1.34"}\nservices: {web: }\n'
    write(root, {"services/web/service.yaml": spec, "clusters/c/cluster.yaml": cluster, **more})
    return resolved(root).service, FileTree(str(root.resolve()), ("/services",))


def test_a_chart_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not locked, locked but nowhere, vendored, and in the cache alone."""
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path / "cache"))
    service, tree = fleet_with_a_chart_from_elsewhere(tmp_path / "fleet")
    assert chart_files(service, tree) == NotHere("chart outer 1.0.0 is not locked")
    place = packed(tmp_path / "outer-1.0.0.tgz", files())
    digest = store.digest_of(place)
    (tmp_path / "fleet/services/web/service.lock").write_text(LOCK % digest)
    assert chart_files(service, tree) == NotHere("chart outer 1.0.0 is not on this machine")
    vendored = tmp_path / "fleet/services/web/charts"
    vendored.mkdir()
    Path(place).rename(vendored / "outer-1.0.0.tgz")
    for _ in range(2):
        found = chart_files(service, tree)
        assert isinstance(found, ChartFiles)
        assert str(found.values.entries()["replicas"].key) == "outer-1.0.0/values.yaml:2:1"
        if vendored.exists():
            store.add(str(vendored / "outer-1.0.0.tgz"), digest)
            (vendored / "outer-1.0.0.tgz").unlink()
            vendored.rmdir()


def test_a_chart_of_the_fleet_with_charts_from_elsewhere(tmp_path: Path) -> None:
    outer = OUTER.replace("{name: inner,", '{name: inner, repository: "file://../inner",').partition(
        "  - {name: absent"
    )[0]
    content = {f"services/web/chart/{name}": text for name, text in files().items() if "charts/" not in name}
    content |= {"services/web/chart/Chart.yaml": outer, "services/web/inner/Chart.yaml": INNER}
    content["services/web/service.yaml"] = "namespace: web\nchart: {path: chart}\n"
    content["services/web/inner/values.yaml"] = INNER_VALUES
    service, tree = fleet_with_a_chart_from_elsewhere(tmp_path, **content)
    found = chart_files(service, tree)
    assert isinstance(found, ChartFiles)
    assert [one.key for one in found.subcharts] == ["inner", "second"]
    host = defaults(found).entries("second")["host"]
    assert str(host.at) == "services/web/inner/values.yaml:2:7"
