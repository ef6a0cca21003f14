"""Files from git are hostile: what a tree reads, what it refuses, what it says then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmp_plugin.errors import InputError, Location
from cmp_plugin.system.files import MAX_FILE, FileTree

AT = Location("services/web/service.yaml", 4, 8)


@pytest.fixture
def tree(tmp_path: Path) -> FileTree:
    """A fleet of two services, with a secret beside the fleet and one in a cluster's directory."""
    root = tmp_path / "fleet"
    for directory in ("services/web/chart/templates", "services/other", "clusters/c"):
        (root / directory).mkdir(parents=True)
    for file in ("services/web/values.yaml", "services/web/chart/Chart.yaml", "services/other/a.yaml"):
        (root / file).write_text("a: 1\n")
    (root / "clusters/c/secret.yaml").write_text("secret\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.yaml").write_text("secret\n")
    return FileTree(os.path.realpath(root), ("/profiles", "/services"))


def refused(tree: FileTree, path: str, locate: bool = False) -> str:
    with pytest.raises(InputError) as error:
        tree.locate(path, AT) if locate else tree.read(path, AT)
    text = str(error.value)
    assert text.startswith(f"{AT}: ") and tree.root not in text
    return text.removeprefix(f"{AT}: ")


def test_reads_what_is_allowed(tree: FileTree) -> None:
    assert tree.read("/services/web/values.yaml", AT) == b"a: 1\n"
    assert tree.locate("/services/web/chart", AT) == f"{tree.root}/services/web/chart"
    assert tree.exists("/services/web/values.yaml") and not tree.exists("/services/web/none")
    assert tree.is_dir("/services/web") and not tree.is_dir("/services/web/values.yaml")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/services/web/vaules.yaml", 'services/web/vaules.yaml does not exist (did you mean "values.yaml"?)'),
        ("/services/web/VALUES.yaml", 'services/web/VALUES.yaml does not exist (did you mean "values.yaml"?)'),
        ("/services/web/charts/x/y", 'services/web/charts/x/y does not exist (did you mean "chart"?)'),
        ("/services/wbe/chart", 'services/wbe/chart does not exist (did you mean "web"?)'),
        ("/services/web/zzz", "services/web/zzz does not exist"),
        ("/services/web/values.yaml/x", "services/web/values.yaml/x does not exist"),
        ("/services/web", "services/web is a directory, a file is needed"),
        ("/services/web/" + "x" * 300, f"services/web/{'x' * 300} does not exist"),
    ],
)
def test_what_is_missing(path: str, message: str, tree: FileTree) -> None:
    assert refused(tree, path) == message


OUT = "is a link that leads out of the allowed directories"
LINKS = [
    ("/etc/passwd", OUT),
    ("../../../secret/key.yaml", OUT),
    ("../../../secret", OUT),
    ("../../../nowhere", OUT),
    ("../../clusters/c/secret.yaml", OUT),
    ("../../fleet.yaml", OUT),
    ("nowhere.yaml", "does not exist (it is a link to nothing)"),
    ("link.yaml", "does not exist (it is a link to nothing)"),
]


@pytest.mark.parametrize(("target", "message"), LINKS)
def test_links_that_are_refused(target: str, message: str, tree: FileTree) -> None:
    os.symlink(target, f"{tree.root}/services/web/link.yaml")
    assert refused(tree, "/services/web/link.yaml") == f"services/web/link.yaml {message}"


def test_a_link_inside_the_allowed_directories_is_followed(tree: FileTree) -> None:
    os.symlink("../other/a.yaml", f"{tree.root}/services/web/link.yaml")
    assert tree.read("/services/web/link.yaml", AT) == b"a: 1\n"


def test_a_path_through_a_linked_directory(tree: FileTree) -> None:
    os.symlink("../../../secret", f"{tree.root}/services/web/link")
    assert refused(tree, "/services/web/link/key.yaml") == f"services/web/link/key.yaml {OUT}"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../clusters/c/secret.yaml", "../../../../../secret"])
def test_nothing_below_a_located_directory_leads_out(target: str, tree: FileTree) -> None:
    os.symlink(target, f"{tree.root}/services/web/chart/templates/link")
    assert refused(tree, "/services/web/chart", locate=True) == f"services/web/chart/templates/link {OUT}"


def test_nothing_behind_a_link_to_an_allowed_directory_leads_out(tree: FileTree) -> None:
    """Helm follows links to directories, so what lies there is looked at too."""
    os.symlink("../../../other", f"{tree.root}/services/web/chart/templates/other")
    assert tree.locate("/services/web/chart", AT)
    os.symlink("/etc/passwd", f"{tree.root}/services/other/link")
    assert refused(tree, "/services/web/chart", locate=True) == f"services/other/link {OUT}"


def test_links_in_a_circle_end(tree: FileTree) -> None:
    os.symlink("..", f"{tree.root}/services/web/chart/up")
    os.symlink("self", f"{tree.root}/services/web/chart/self")
    assert tree.locate("/services/web/chart", AT)


def test_pipes_are_neither_read_nor_located(tree: FileTree) -> None:
    os.mkfifo(f"{tree.root}/services/web/chart/pipe")
    assert refused(tree, "/services/web/chart/pipe") == "services/web/chart/pipe is no regular file"
    assert refused(tree, "/services/web/chart", locate=True) == "services/web/chart/pipe is no regular file"


def test_a_file_is_bounded(tree: FileTree) -> None:
    with open(f"{tree.root}/services/web/large", "wb") as file:
        file.truncate(MAX_FILE + 1)
    assert refused(tree, "/services/web/large") == "services/web/large is larger than 64 MiB"


def test_a_service_alone_sees_itself_and_what_came_along(tmp_path: Path, tree: FileTree) -> None:
    """As in the sidecar: the directory stands for /services/web, other files travel as text."""
    alone = FileTree(f"{tree.root}/services/web", ("/services/web",), "/services/web", {"/clusters/c/v.yaml": b"v"})
    assert alone.read("/services/web/values.yaml", AT) == b"a: 1\n"
    assert alone.read("/clusters/c/v.yaml", AT) == b"v"
    assert alone.locate("/services/web/chart", AT) == f"{tree.root}/services/web/chart"
    assert refused(alone, "/services/other/a.yaml") == "services/other/a.yaml does not exist"
    assert refused(alone, "/services/webb") == "services/webb does not exist"
    os.symlink("../other/a.yaml", f"{tree.root}/services/web/link.yaml")
    assert refused(alone, "/services/web/link.yaml") == f"services/web/link.yaml {OUT}"


@pytest.mark.parametrize(
    ("mount", "text", "expected"),
    [
        ("/", "{root}/services/web/x: wrong", "services/web/x: wrong"),
        ("/", "in {root}", "in ."),
        ("/services/web", "{root}/x: wrong", "services/web/x: wrong"),
        ("/services/web", "in '{root}'", "in 'services/web'"),
    ],
)
def test_absolute_paths_leave_a_tools_error(mount: str, text: str, expected: str, tree: FileTree) -> None:
    told = tree._replace(mount=mount).relative(text.format(root=tree.root))
    assert told == expected
