"""Kustomize bases in other repositories: by a full commit only, fetched once, never by Kustomize."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleets import write
from gitserving import GitServer, committed
from netless import run_without_network
from packing import AT, below
from program import run

from cmp_plugin.charts.bases import localised, names_elsewhere
from cmp_plugin.charts.git_address import parse
from cmp_plugin.charts.obtain import FetchContext
from cmp_plugin.errors import CmpError, InputError
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.system.files import FileTree
from services import service

MakeContext = Callable[..., FetchContext]
SHA = "0123456789abcdef0123456789abcdef01234567"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "repositories") as server:
        yield server


@pytest.fixture
def commit(tmp_path: Path) -> str:
    """A repository with a base that needs another directory, and much that nobody needs."""
    return committed(
        tmp_path / "repositories" / "team" / "bases",
        {
            "web/kustomization.yaml": "resources: [map.yaml, ../shared, more]\n",
            "web/map.yaml": MAP % "web",
            "web/more/kustomization.yaml": "resources: [map.yaml]\n",
            "web/more/map.yaml": MAP % "more",
            "shared/kustomization.yaml": "resources: [map.yaml]\nconfigMapGenerator: [{name: g, files: [data/a.txt]}]\n",
            "shared/map.yaml": MAP % "shared",
            "shared/data/a.txt": "a\n",
            "unneeded/large.bin": "x" * 1000,
        },
    )


def local(one: ResolvedService, use: FetchContext) -> tuple[ResolvedService, FileTree]:
    return localised(one, use.tree, use.workdir, use.deadline)


def refusal(one: ResolvedService, use: FetchContext) -> str:
    with pytest.raises(CmpError) as refused:
        local(one, use)
    return str(refused.value)


def test_a_base_of_a_spec(served: GitServer, commit: str, context: MakeContext) -> None:
    use = context()
    web = service(resources=[f"{served.url}/team/bases//web?ref={commit}"])
    found, tree = local(web, use)
    host = served.url.removeprefix("http://").replace(":", "-")
    top = f"/services/web/bases/{host}/team/bases@{commit}"
    assert [one.path for one in found.resources] == [f"{top}/web"]
    assert below(tree.locate(top, AT)) == [
        "shared/data/a.txt",
        "shared/kustomization.yaml",
        "shared/map.yaml",
        "web/kustomization.yaml",
        "web/map.yaml",
        "web/more/kustomization.yaml",
        "web/more/map.yaml",
    ]
    assert below(use.tree.root) == []


def test_it_is_fetched_once(
    served: GitServer, commit: str, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = service(resources=[f"{served.url}/team/bases//web?ref={commit}"])
    local(web, context())
    asked = len(served.asked)
    assert asked
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    local(web, context())
    assert len(served.asked) == asked


def test_a_base_of_a_kustomization(served: GitServer, commit: str, context: MakeContext) -> None:
    """The file in the repository stays as it is; the copy names a path."""
    use = context()
    place = Path(use.tree.root, "services/web/overlay")
    place.mkdir()
    text = f"resources:\n- {served.url}/team/bases//web?ref={commit}\n- own.yaml\n- ../other\nnamePrefix: a-\n"
    (place / "kustomization.yaml").write_text(text)
    (place / "own.yaml").write_text(MAP % "own")
    other = Path(use.tree.root, "services/web/other")
    other.mkdir()
    (other / "kustomization.yaml").write_text("resources: []\n")
    found, tree = local(service(resources=["/services/web/overlay"]), use)
    assert [one.path for one in found.resources] == ["/services/web/overlay"]
    written = tree.read("/services/web/overlay/kustomization.yaml", AT).decode()
    assert served.url not in written and f"@{commit}/web" in written and "a-" in written
    assert "../other" in written and "own.yaml" in written
    assert (place / "kustomization.yaml").read_text() == text


def test_a_base_of_a_base(served: GitServer, commit: str, context: MakeContext, tmp_path: Path) -> None:
    outer = committed(
        tmp_path / "repositories" / "outer",
        {"kustomization.yaml": f"resources: ['{served.url}/team/bases//web?ref={commit}']\n"},
    )
    found, tree = local(service(resources=[f"{served.url}/outer?ref={outer}"]), context())
    written = tree.read(f"{found.resources[0].path}/kustomization.yaml", AT).decode()
    assert f"bases@{commit}/web" in written and "http" not in written


def test_a_component(served: GitServer, commit: str, context: MakeContext) -> None:
    fragment = {"components": [f"{served.url}/team/bases//web?ref={commit}"], "namePrefix": "x-"}
    found, _ = local(service(kustomize=fragment), context())
    assert found.kustomize is not None and isinstance(found.kustomize.value, dict)
    assert f"bases@{commit}/web" in str(found.kustomize.elements("components")[0].value)
    assert found.kustomize.value["namePrefix"].value == "x-"


def test_where_only_the_services_directory_is(served: GitServer, commit: str, context: MakeContext) -> None:
    """As in Argo CD's sidecar."""
    use = context()
    alone = FileTree(f"{use.tree.root}/services/web", ("/services/web",), "/services/web")
    web = service(resources=[f"{served.url}/team/bases//web?ref={commit}"])
    found, tree = localised(web, alone, use.workdir, use.deadline)
    assert tree.kustomization(found.resources[0].path)


def test_whether_there_is_any(served: GitServer, context: MakeContext) -> None:
    use = context()
    for name, text in (
        ("a", "resources: [../b, x.yaml]"),
        ("b", f"Resources: ['{served.url}/r?ref={SHA}']"),
        ("c", ""),
    ):
        Path(use.tree.root, "services/web", name).mkdir()
        Path(use.tree.root, "services/web", name, "kustomization.yaml").write_text(text)
    found = {name: names_elsewhere(service(resources=[f"/services/web/{name}"]), use.tree) for name in "abc"}
    assert found == {"a": True, "b": True, "c": False}
    assert names_elsewhere(service(resources=[f"{served.url}/r?ref={SHA}"]), use.tree)


def test_what_is_not_there(served: GitServer, commit: str, context: MakeContext) -> None:
    def said(text: str) -> str:
        return refusal(service(resources=[text]), context()).partition(": ")[2]

    assert said(f"{served.url}/team/bases//web?ref={SHA}").endswith("cannot be fetched: it has no such commit")
    assert said(f"{served.url}/team/none//web?ref={SHA}").endswith("cannot be fetched: there is no such repository")
    assert said(f"{served.url}/team/bases//none?ref={commit}").endswith(": the commit has no such directory")
    assert said(f"{served.url}/team/bases//unneeded?ref={commit}").endswith(": there is no kustomization.yaml")
    nobody = f"http://127.0.0.1:1/team/bases//web?ref={commit}"
    assert said(nobody) == f"base {nobody} cannot be fetched: the connection was refused"


@pytest.mark.parametrize("words", ["Couldn't connect to server", "Could not connect to server"])
def test_a_refused_connection_in_any_curls_words(
    words: str, context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 8 says it otherwise than 7; a git whose fetch says either stands for both."""
    git = tmp_path / "git"
    git.write_text(
        '#!/bin/sh\n[ "$1" != --version ] || { echo git version 2.47.3; exit; }\n[ "$3" = fetch ] || exit 0\n'
        f'echo "fatal: unable to access: Failed to connect to 127.0.0.1 port 1 after 0 ms: {words}" >&2\nexit 128\n'
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    base = f"http://127.0.0.1:1/team/bases//web?ref={SHA}"
    said = refusal(service(resources=[base]), context())
    assert said.endswith(f"base {base} cannot be fetched: the connection was refused")


def test_500_then_fine(served: GitServer, commit: str, context: MakeContext) -> None:
    served.refusals = [500]
    assert local(service(resources=[f"{served.url}/team/bases//web?ref={commit}"]), context())


def test_logins_by_netrc(served: GitServer, commit: str, context: MakeContext, tmp_path: Path) -> None:
    served.login = "ci:s3cret"
    web = service(resources=[f"{served.url}/team/bases//web?ref={commit}"])
    assert refusal(web, context()).endswith(
        "cannot be fetched: it wants to know who we are (git's own credential helpers and netrc are asked)"
    )
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login ci password s3cret\n")
    assert local(web, context())


def test_links_are_refused(served: GitServer, commit: str, context: MakeContext, tmp_path: Path) -> None:
    linked = committed(tmp_path / "repositories" / "team" / "bases", {}, {"web/link": "/etc/passwd"})
    message = refusal(service(resources=[f"{served.url}/team/bases//web?ref={linked}"]), context())
    assert message.endswith("holds web/link, which is no regular file")


def test_offline(served: GitServer, commit: str, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    message = refusal(service(resources=[f"{served.url}/team/bases//web?ref={commit}"]), context())
    assert "is neither vendored nor in the cache, and CMP_PLUGIN_OFFLINE is set" in message
    assert served.asked == []


FORMS = {
    f"https://github.com/org/repo/deep/dir?ref={SHA}": (
        "https://github.com/org/repo",
        "deep/dir",
        "github.com/org/repo",
    ),
    f"github.com/org/repo//dir?ref={SHA}": ("https://github.com/org/repo", "dir", "github.com/org/repo"),
    f"https://github.com/org/repo?version={SHA}": ("https://github.com/org/repo", "", "github.com/org/repo"),
    f"git::https://host:8443/a/b/c.git/dir?ref={SHA}": ("https://host:8443/a/b/c.git", "dir", "host-8443/a/b/c"),
    f"https://host/a/b//dir/?timeout=90s&ref={SHA}": ("https://host/a/b", "dir", "host/a/b"),
    f"ssh://git@host/a/b.git//dir?ref={SHA}": ("ssh://git@host/a/b.git", "dir", "host/a/b"),
    f"git@github.com:org/repo.git//dir?ref={SHA}": ("git@github.com:org/repo.git", "dir", "github.com/org/repo"),
    f"https://host/a/b//dir?ref={SHA}{SHA[:24]}": ("https://host/a/b", "dir", "host/a/b"),
}


@pytest.mark.parametrize("text", FORMS, ids=lambda text: text.partition("?")[0])
def test_forms(text: str) -> None:
    found = parse(text, AT)
    url, path, place = FORMS[text]
    assert (found.url, found.path) == (url, path)
    assert found.directory == f"{place}@{found.commit}"


ELSEWHERE = "is on another machine: a render reads this repository only"
REFUSED = {
    "https://github.com/org/repo//dir?ref=main": ELSEWHERE,
    "https://github.com/org/repo//dir?ref=v1.0.0": ELSEWHERE,
    f"https://github.com/org/repo//dir?ref={SHA[:12]}": ELSEWHERE,
    "https://github.com/org/repo//dir": ELSEWHERE,
    "https://example.com/quota.yaml": ELSEWHERE,
    f"file:///etc//dir?ref={SHA}": "is no address of a git repository",
    f"ext::sh -c id?ref={SHA}": "is no address of a git repository",
    f"https://ci:s3cret@host/a//b?ref={SHA}": "this is no address of a git repository",
    f"ssh://-oProxyCommand=id/a//b?ref={SHA}": "is no address of a git repository",
    f"https://host/../../a//b?ref={SHA}": "has a path that no git repository has",
    f"https://host/a//../b?ref={SHA}": "has a path that no git repository has",
    f"https://host/a//-b?ref={SHA}": "has a path that no git repository has",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text, AT)
    assert REFUSED[text] in refused.value.message
    assert "s3cret" not in str(refused.value)


def test_nothing_is_left_in_the_fleet(served: GitServer, commit: str, context: MakeContext) -> None:
    use = context()
    before = sorted(os.walk(use.tree.root))
    local(service(resources=[f"{served.url}/team/bases//web?ref={commit}"]), use)
    assert sorted(os.walk(use.tree.root)) == before


@pytest.fixture
def fleet(tmp_path: Path, served: GitServer, commit: str) -> Path:
    """A base by the spec, and one by a kustomization of the service's."""
    base = f"{served.url}/team/bases//web?ref={commit}"
    files = {
        "services/a/service.yaml": f'resources: ["{base}"]\nmetadata: {{labels: {{team: web}}}}\n',
        "services/b/service.yaml": "resources: [overlay]\n",
        "services/b/overlay/kustomization.yaml": f"resources: ['{base}']\nnamePrefix: b-\n",
        "clusters/c/cluster.yaml": "destination: {name: c}\nservices: {a: , b: }\n",
    }
    return write(tmp_path / "checkout", files)


@pytest.fixture
def env(tmp_path: Path, clean_env: dict[str, str], helm4: str, kustomize: str) -> dict[str, str]:
    tools = {"CMP_PLUGIN_HELM": helm4, "CMP_PLUGIN_KUSTOMIZE": kustomize}
    return {**clean_env, **tools, "CMP_PLUGIN_CACHE_DIR": str(tmp_path / "cache2")}


def test_renders(fleet: Path, env: dict[str, str], served: GitServer) -> None:
    done = run(["preview", "c"], str(fleet), env)
    assert (done.code, done.stderr) == (0, b"")
    for name in (b"name: web\n", b"name: more\n", b"name: shared\n", b"name: b-web\n", b"team: web"):
        assert name in done.stdout
    expanded = run(["expand", "c", "b", "--out", "out"], str(fleet), env)
    assert expanded.code == 0, expanded.stderr
    assert not any(served.url in path.read_text() for path in (fleet / "out").rglob("*") if path.is_file())


def test_a_branch_is_an_error(fleet: Path, env: dict[str, str], commit: str, served: GitServer) -> None:
    place = fleet / "services/b/overlay/kustomization.yaml"
    place.write_text(place.read_text().replace(commit, "main"))
    done = run(["preview", "c", "b"], str(fleet), env)
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f'services/b/overlay/kustomization.yaml:1:13: c/b: "{served.url}/team/bases//web?ref=main" is on another'
        " machine: a render reads this repository only (copy it into the repository and name it by its path,"
        " or write ?ref= and a full commit)\n"
    )
    assert served.asked == []


def test_vendored_bases_need_no_network(fleet: Path, env: dict[str, str], commit: str, tmp_path: Path) -> None:
    online = run(["preview", "c"], str(fleet), env)
    done = run(["vendor"], str(fleet), env)
    assert done.code == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert [line.partition("/bases/")[0] for line in lines] == ["services/a", "services/b"]
    assert all(line.endswith(f"/team/bases@{commit}") for line in lines)
    assert run(["vendor"], str(fleet), env).stdout == b""
    shutil.rmtree(tmp_path / "cache2")
    offline = run_without_network(["preview", "c"], str(fleet), env)
    assert (offline.code, offline.stderr) == (0, b"")
    assert offline.stdout == online.stdout
    (fleet / "services/a/service.yaml").write_text(
        "apiVersion: cmp-plugin/v1alpha1\nkind: Service\nallow: [empty]\nresources: []\n"
    )
    removed = run(["vendor"], str(fleet), env)
    assert removed.stdout.decode() == f"{lines[0]}: removed\n"
    assert not (fleet / "services/a/bases").exists()


FAULTS = {
    "ls-tree fails": ('case "$*" in *ls-tree*) exit 1;; esac', "git ls-tree failed: git does not say why"),
    "read-tree fails": (
        'case "$*" in *read-tree*) echo "fatal: no space" >&2; exit 128;; esac',
        "read-tree failed: no",
    ),
    "checkout-index is killed": ('case "$*" in *checkout-index*) kill -9 $$;; esac', "git checkout-index failed: git"),
    "checkout-index writes nothing": (
        'case "$*" in *checkout-index*) exit 0;; esac',
        "web/kustomization.yaml was not written as the commit holds it",
    ),
    "a file is cut": (
        'case "$*" in *checkout-index*) "$GIT" "$@"; : > "$GIT_WORK_TREE/web/map.yaml"; exit 0;; esac',
        "web/map.yaml was not written as the commit holds it",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_git_leaves_undone(
    fault: str,
    served: GitServer,
    commit: str,
    context: MakeContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real git with one fault: no base, nothing in the store; and without the fault all is well again."""
    script, message = FAULTS[fault]
    git, path = shutil.which("git"), os.environ["PATH"]
    broken = tmp_path / "broken" / "git"
    broken.parent.mkdir()
    broken.write_text(f'#!/bin/sh\nGIT={git}\n{script}\nexec "$GIT" "$@"\n')
    broken.chmod(0o755)
    web = service(resources=[f"{served.url}/team/bases//web?ref={commit}"])
    monkeypatch.setenv("PATH", f"{broken.parent}:{path}")
    assert message in refusal(web, context())
    monkeypatch.setenv("PATH", path)
    _, tree = local(web, context())
    top = f"/services/web/bases/{served.url.removeprefix('http://').replace(':', '-')}/team/bases@{commit}"
    assert tree.read(f"{top}/web/map.yaml", AT).decode() == MAP % "web"


def test_attributes_of_the_commit_change_nothing(
    served: GitServer, tmp_path: Path, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a commit's .gitattributes nor a person's own settings decide what a base holds."""
    attributes = "*.yaml text eol=crlf ident\n*.yaml filter=shout\n"
    commit = committed(
        tmp_path / "repositories" / "odd",
        {"kustomization.yaml": "resources: [map.yaml]\n", "map.yaml": MAP % "web" + "# $Id$\n"},
    )
    commit = committed(tmp_path / "repositories" / "odd", {".gitattributes": attributes})
    config = tmp_path / "config"
    config.write_text('[core]\nautocrlf = true\n[filter "shout"]\nsmudge = tr a-z A-Z\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / ".gitconfig").write_text(config.read_text())
    found, tree = local(service(resources=[f"{served.url}/odd?ref={commit}"]), context())
    assert tree.read(f"{found.resources[0].path}/map.yaml", AT).decode() == MAP % "web" + "# $Id$\n"


def test_a_vendored_base_that_was_cut_is_mended(fleet: Path, env: dict[str, str]) -> None:
    whole = run(["preview", "c"], str(fleet), env)
    assert run(["vendor"], str(fleet), env).code == 0
    (vendored,) = (fleet / "services/a/bases").glob("*/team/bases@*/web/map.yaml")
    text = vendored.read_bytes()
    vendored.write_bytes(text[:20])
    assert run(["vendor"], str(fleet), env).stdout.decode().startswith("services/a/bases/")
    assert vendored.read_bytes() == text
    assert run(["preview", "c"], str(fleet), env).stdout == whole.stdout
