"""Chart directories whose Chart.yaml names charts from elsewhere, rendered by the real helm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packing import AT, chart, package
from serving import Repository

from cmp_plugin.charts import locate as place_of_charts
from cmp_plugin.charts.dependencies import missing
from cmp_plugin.charts.lockfile import dump
from cmp_plugin.charts.obtain import FetchContext, lock_chart
from cmp_plugin.errors import CmpError, InputError
from cmp_plugin.fleet.service import Chart
from cmp_plugin.render.chart import LocatedChart, chart_manifests
from cmp_plugin.render.context import RenderContext
from cmp_plugin.system.files import FileTree
from cmp_plugin.tools import helm
from services import service

MakeContext = Callable[..., FetchContext]
PATH = "/services/web/chart"


def entry(name: str, version: str, repository: str, **more: str) -> str:
    fields = {"name": name, "version": f'"{version}"', "repository": f'"{repository}"', **more}
    return "- {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}\n"


@pytest.fixture
def own(context: MakeContext) -> Callable[..., FileTree]:
    """Writes the service's chart with dependencies; gives the tree."""

    def write(*entries: str, name: str = "web") -> FileTree:
        tree = context().tree
        directory = Path(tree.root, f"services/web/{'chart' if name == 'web' else name}")
        chart(directory, name, "1.0.0", "dependencies:\n" + "".join(entries) if entries else "")
        return tree

    return write


def lock(tree: FileTree, use: FetchContext) -> list[str]:
    """Writes the service's lock; gives what was fetched as name and version."""
    wanted = place_of_charts.needed(Chart(AT, path=PATH), tree)
    entries = [lock_chart(one, use)[0] for one in wanted]
    Path(tree.root, "services/web/service.lock").write_bytes(dump(entries))
    return [f"{one.name} {one.version}" for one in entries]


def rendered(tree: FileTree, use: FetchContext, **fields: object) -> list[str]:
    """Name and version of the charts that made the objects, as their templates see them."""
    web = service(chart=Chart(AT, path=PATH), release="r", kube_version="1.34.0", **fields)
    directory = place_of_charts.locate(web, tree, use.workdir, use.deadline).path
    context = RenderContext(web, tree, use.workdir, use.deadline)
    manifests = chart_manifests(context, LocatedChart(directory, helm.find("~4.3")))
    return sorted(manifest.value["data"]["chart"] for manifest in manifests)


def test_a_chart_without_any(own: Callable[..., FileTree], context: MakeContext) -> None:
    tree, use = own(), context()
    web = service(chart=Chart(AT, path=PATH))
    assert place_of_charts.locate(web, tree, use.workdir, use.deadline).path == f"{tree.root}{PATH}"
    assert place_of_charts.needed(Chart(AT, path=PATH), tree) == []


def test_from_a_repository(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    tree = own(entry("small", "1.x", served.url), entry("vee", "1.0.0", f"{served.url}/", alias="other"))
    assert lock(tree, context()) == ["small 1.2.0", "vee v1.0.0"]
    assert rendered(tree, context()) == ["other v1.0.0", "small 1.2.0", "web 1.0.0"]


def test_one_chart_twice(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    """Two versions of one chart, told apart by their aliases."""
    tree = own(entry("small", "1.0.0", served.url), entry("small", "2.0.0", served.url, alias="new"))
    assert lock(tree, context()) == ["small 1.0.0", "small 2.0.0"]
    assert rendered(tree, context()) == ["new 2.0.0", "small 1.0.0", "web 1.0.0"]


def test_what_is_not_locked(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    tree, use = own(entry("small", "1.x", served.url)), context()
    web = service(chart=Chart(AT, path=PATH))
    with pytest.raises(InputError) as refused:
        place_of_charts.locate(web, tree, use.workdir, use.deadline)
    assert str(refused.value) == (
        "services/web/chart/Chart.yaml:5:10: one/web: chart small 1.x is not in services/web/service.lock"
        " (run `cmp-plugin lock` and commit what it writes)"
    )
    assert served.asked == []
    assert rendered(tree, use, lock_optional=True) == ["small 1.2.0", "web 1.0.0"]
    asked = list(served.asked)
    assert rendered(tree, context(), lock_optional=True) == ["small 1.2.0", "web 1.0.0"]
    assert served.asked == asked


def test_what_stands_in_charts_counts(
    own: Callable[..., FileTree], packed: Path, helm4: str, context: MakeContext
) -> None:
    tree = own(entry("small", "1.0.0", "https://charts.example.com"), entry("inner", "1.0.0", ""))
    inside = Path(tree.root, "services/web/chart/charts")
    package(helm4, packed.parent / "small-1.0.0" / "small", inside)
    chart(inside / "whatever", "inner", "1.0.0")
    assert missing(PATH, tree, AT) == []
    assert rendered(tree, context()) == ["inner 1.0.0", "small 1.0.0", "web 1.0.0"]


def test_beside_what_stands_in_charts(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    tree = own(entry("small", "1.0.0", served.url), entry("inner", "1.0.0", ""))
    chart(Path(tree.root, "services/web/chart/charts/inner"), "inner", "1.0.0")
    lock(tree, context())
    before = sorted(os.walk(tree.root))
    assert rendered(tree, context()) == ["inner 1.0.0", "small 1.0.0", "web 1.0.0"]
    assert sorted(os.walk(tree.root)) == before


def test_files_of_the_fleet(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    """`file://` is a path; what it names may need charts of its own."""
    own(entry("small", "2.0.0", served.url), name="shared")
    tree = own(entry("shared", "1.0.0", "file://../shared"))
    assert lock(tree, context()) == ["small 2.0.0"]
    assert rendered(tree, context()) == ["shared 1.0.0", "small 2.0.0", "web 1.0.0"]


def test_helms_own_lock_is_followed(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    tree = own(entry("small", "1.x", served.url))
    locked = f"dependencies:\n- name: small\n  repository: {served.url}\n  version: 1.0.0\ndigest: sha256:0\n"
    Path(tree.root, "services/web/chart/Chart.lock").write_text(locked)
    assert lock(tree, context()) == ["small 1.0.0"]
    assert rendered(tree, context()) == ["small 1.0.0", "web 1.0.0"]


def test_charts_of_helm_2(own: Callable[..., FileTree], served: Repository, context: MakeContext) -> None:
    tree = own()
    directory = Path(tree.root, "services/web/chart")
    (directory / "Chart.yaml").write_text("apiVersion: v1\nname: web\nversion: 1.0.0\n")
    (directory / "requirements.yaml").write_text("dependencies:\n" + entry("small", "1.0.0", served.url))
    assert lock(tree, context()) == ["small 1.0.0"]
    assert rendered(tree, context()) == ["small 1.0.0", "web 1.0.0"]


def test_charts_in_a_circle(own: Callable[..., FileTree], context: MakeContext) -> None:
    own(entry("web", "1.0.0", "file://../chart"), name="other")
    tree = own(entry("other", "1.0.0", "file://../other"))
    with pytest.raises(CmpError) as refused:
        rendered(tree, context())
    assert refused.value.message == "charts depend on each other more than 5 deep"
    assert place_of_charts.needed(Chart(AT, path=PATH), tree) == []


REFUSED = {
    "no repository": (entry("a", "1.0.0", ""), "a is not in charts/, and names no repository"),
    "a name": (
        entry("a", "1.0.0", "@mine"),
        "the repository of a is a name that only your helm knows (write its address)",
    ),
    "an alias": (
        entry("a", "1.0.0", "alias:mine"),
        "the repository of a is a name that only your helm knows (write its address)",
    ),
    "a path outside": (entry("a", "1.0.0", "file://../../../../a"), '"../../../../a" leaves the fleet'),
    "another path": (
        entry("a", "1.0.0", "file:///clusters/a"),
        '"/clusters/a" lies outside of the allowed directories',
    ),
    "a bucket": (
        entry("a", "1.0.0", "s3://bucket"),
        '"s3://bucket" is no address of a chart repository (it starts with https:// or oci://)',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, own: Callable[..., FileTree], context: MakeContext) -> None:
    dependency, message = REFUSED[case]
    tree = own(dependency)
    with pytest.raises(CmpError) as refused:
        rendered(tree, context())
    assert str(refused.value).endswith(message)
    assert refused.value.at and refused.value.at.file in ("services/web/chart/Chart.yaml", "services/web/service.yaml")


def test_an_archive_in_the_fleet(own: Callable[..., FileTree], packed: Path, context: MakeContext) -> None:
    """It is looked at like one from elsewhere, and unpacked once."""
    tree, use = own(), context()
    Path(tree.root, "services/web/small.tgz").write_bytes((packed / "small-1.0.0.tgz").read_bytes())
    web = service(chart=Chart(AT, path="/services/web/small.tgz"))
    directory = place_of_charts.locate(web, tree, use.workdir, use.deadline).path
    assert os.path.isfile(f"{directory}/Chart.yaml")
    Path(tree.root, "services/web/small.tgz").write_bytes(b"page")
    with pytest.raises(InputError) as refused:
        place_of_charts.locate(web, tree, use.workdir, use.deadline)
    assert refused.value.message == "one/web: services/web/small.tgz is no whole chart archive"
    assert refused.value.at == AT


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../planted", '"../../planted"'),
        ("/planted", '"/planted"'),
        ("..", '".."'),
        ("a/b", '"a/b"'),
        ("", '""'),
        ("a\\0b", '"a\\u0000b"'),
        ("a\\nb", '"a\\nb"'),
    ],
)
@pytest.mark.parametrize("repository", ["file://../shared", "https://charts.example.com", ""])
def test_a_name_that_leads_away(
    name: str, shown: str, repository: str, own: Callable[..., FileTree], context: MakeContext
) -> None:
    """A dependency's name becomes a directory's: no other name than Helm's own gets that far."""
    own(name="shared")
    tree = own(entry(f'"{name}"', "1.0.0", repository))
    use = context()
    before = sorted(os.walk(use.workdir))
    with pytest.raises(InputError) as refused:
        rendered(tree, use)
    assert str(refused.value) == f"services/web/chart/Chart.yaml:5:10: {shown} is no name of a chart"
    assert sorted(os.walk(use.workdir)) == before
