"""What decides a render: equal where nothing differs that it can read, another one wherever something does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fleets import planned, write

from cmp_plugin.commands.diff.digests import Contents
from cmp_plugin.commands.diff.fingerprint import fingerprint
from cmp_plugin.errors import InputError
from cmp_plugin.system.files import FileTree

PART = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"
FILES = {
    "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
    "services/web/service.yaml": "namespace: web\nresources: [own.yaml]\n",
    "services/web/own.yaml": PART,
    "clusters/a/cluster.yaml": "services: {web: }\n",
    "clusters/b/cluster.yaml": "services:\n\n\n  web:\n",
}


def prints(root: Path) -> list[str]:
    """The fingerprint of `web` on each cluster."""
    contents = Contents()
    found = [one for cluster in ("a", "b") for one in planned(root, cluster)]
    return [fingerprint(one.resolved.service, one.request.tree, contents) for one in found]


def test_clusters_with_the_same_inputs_share_a_render(tmp_path: Path) -> None:
    first = prints(write(tmp_path, FILES))
    assert first[0] == first[1]
    (tmp_path / "services/web/service.yaml").write_text(
        "# a comment\n" + (tmp_path / "services/web/service.yaml").read_text()
    )
    (tmp_path / "fleet.yaml").write_text((tmp_path / "fleet.yaml").read_text().replace("1.34", "1.35"))
    assert prints(tmp_path) == first
    (tmp_path / "services/web/own.yaml").write_text(PART + "data: {}\n")
    assert first[0] not in prints(tmp_path)


def test_values_of_one_cluster_are_its_own(tmp_path: Path) -> None:
    files = {**FILES, "clusters/b/cluster.yaml": "services: {web: {metadata: {labels: {a: b}}}}\n"}
    found = prints(write(tmp_path, files))
    assert found[0] != found[1]


def test_link_that_only_one_cluster_may_follow(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "clusters/a/more.yaml": PART})
    os.symlink("../../clusters/a/more.yaml", tmp_path / "services/web/more.yaml")
    found = prints(tmp_path)
    assert found[0] != found[1]


def test_what_cannot_be_read_is_like_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "services/web/own.yaml").unlink()
    assert len({*prints(tmp_path), *prints(tmp_path)}) == 4


def of(root: Path, path: str = "/services", allowed: tuple[str, ...] = ("/services",)) -> str:
    return Contents().of(path, FileTree(os.path.realpath(root), allowed))


def test_contents(tmp_path: Path) -> None:
    place = tmp_path / "services"
    (place / "a").mkdir(parents=True)
    (place / "a/file").write_text("one")
    first = of(tmp_path)
    assert first == of(tmp_path)
    (place / ".git").write_text("gitdir: elsewhere\n")
    assert of(tmp_path) == first
    (place / "a/file").write_text("two")
    changed = of(tmp_path)
    (place / "a/file").rename(place / "a/other")
    assert len({first, changed, of(tmp_path)}) == 3
    assert of(tmp_path, "/services/nowhere") == "nothing"
    os.mkfifo(place / "pipe")
    assert of(tmp_path, "/services/pipe") == "other"


def test_links(tmp_path: Path) -> None:
    place = tmp_path / "services"
    (place / "a").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/file").write_text("one")
    os.symlink("../../shared", place / "a/link")
    os.symlink("..", place / "a/back")
    outside, both = of(tmp_path), ("/services", "/shared")
    inside = of(tmp_path, allowed=both)
    assert outside != inside
    (tmp_path / "shared/file").write_text("two")
    assert of(tmp_path) == outside
    assert of(tmp_path, allowed=both) != inside


def test_links_that_multiply_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty directories, each with two links to the next: a million ways."""
    monkeypatch.setattr("cmp_plugin.commands.diff.digests.MAX_ENTRIES", 1000)
    for number in range(20):
        place = tmp_path / "services" / f"d{number}"
        place.mkdir(parents=True)
        for name in "ab":
            os.symlink(f"../d{number + 1}", place / name)
    with pytest.raises(InputError, match="holds too many files"):
        of(tmp_path)
