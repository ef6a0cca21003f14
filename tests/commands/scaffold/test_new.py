"""`init` and `new`: what they write renders and validates at once, and nothing is overwritten."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import pytest
from fleets import write
from program import PROGRAM, Outcome, run

from cmp_plugin.commands.scaffold.first_fleet import files
from cmp_plugin.commands.scaffold.texts import with_destination, with_service
from cmp_plugin.errors import CmpError
from cmp_plugin.goyaml.load import load, plain

HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: Cluster\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """The first fleet."""
    for path, text in files("").items():
        place = tmp_path / "fleet" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path / "fleet"


def good(done: Outcome) -> Outcome:
    assert done.code == 0, done.stderr.decode()
    return done


def validates(fleet: Path, env: dict[str, str]) -> str:
    return good(run(["validate", "--render"], str(fleet), env)).stderr.decode()


def tree(place: Path) -> dict[str, bytes]:
    found = [path for path in place.rglob("*") if path.is_file() and ".git/" not in str(path)]
    return {str(path.relative_to(place)): path.read_bytes() for path in found}


# --- init ---


def test_init_renders_at_once(tmp_path: Path, clean_env: dict[str, str]) -> None:
    done = good(run(["init", "first"], str(tmp_path), clean_env))
    assert done.stdout.decode().splitlines() == sorted(f"first/{path}" for path in files(""))
    assert done.stderr.decode() == "next: cd first && cmp-plugin preview dev\n"
    assert validates(tmp_path / "first", clean_env) == "1 cluster, 1 service on it: no errors\n"
    shown = good(run(["preview", "dev", "-o", "json"], str(tmp_path / "first"), clean_env)).stdout.decode()
    assert [json.loads(line)["kind"] for line in shown.splitlines()] == ["Service", "Deployment"]
    assert "Hello from dev" in shown


def test_init_in_a_new_repository(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """What a git server puts there stays, and its address becomes the fleet's."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    origin = "https://git.example.com/fleet.git"
    subprocess.run(["git", "remote", "add", "origin", origin], cwd=tmp_path, check=True)
    (tmp_path / "README.md").write_text("mine")
    good(run(["init", "."], str(tmp_path), clean_env))
    assert (tmp_path / "README.md").read_text() == "mine"
    assert f'\nrepoURL: "{origin}"\n' in (tmp_path / "fleet.yaml").read_text()
    assert not list(tmp_path.glob(".cmp-plugin-*"))
    assert "no errors" in validates(tmp_path, clean_env)
    applications = good(run(["preview", "dev", "--applications"], str(tmp_path), clean_env)).stdout.decode()
    assert f"repoURL: {origin}" in applications


@pytest.mark.parametrize(
    ("origin", "used"),
    [
        ("git@git.example.com:team/fleet.git", True),
        ("ssh://git@git.example.com:2222/fleet.git", True),
        ("https://me:s3cret@git.example.com/fleet.git", False),
        ("https://s3cret@git.example.com/fleet.git", False),
        ("../elsewhere", False),
    ],
)
def test_init_below_the_top_of_a_repository(tmp_path: Path, clean_env: dict[str, str], origin: str, used: bool) -> None:
    """A login in the address stays out of the file."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "remote", "add", "origin", origin], cwd=tmp_path, check=True)
    (tmp_path / "other").write_text("")
    good(run(["init", "deploy/fleet"], str(tmp_path), clean_env))
    text = (tmp_path / "deploy/fleet/fleet.yaml").read_text()
    assert (f'\nrepoURL: "{origin}"\n' in text, "s3cret" in text) == (used, False)
    assert "no errors" in validates(tmp_path / "deploy/fleet", clean_env)


def test_init_leaves_what_is_there(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = tree(tmp_path)
    said = {}
    for word in ("", "fleet", "fleet/services/new", "full"):
        done = run(["init", word], str(tmp_path), clean_env)
        assert (done.code, done.stdout) == (2, b"")
        said[word] = done.stderr.decode()
    assert said == {
        "": "an empty word is no directory\n",
        "fleet": "fleet is a fleet already\n",
        "fleet/services/new": "fleet/services/new lies in a fleet already"
        " (`cmp-plugin new cluster` and `new service` add to it)\n",
        "full": "full is not empty: it holds notes.txt (name a new directory)\n",
    }
    assert tree(tmp_path) == before


# --- new cluster ---


def test_new_cluster(fleet: Path, clean_env: dict[str, str]) -> None:
    done = good(run(["new", "cluster", "prod"], str(fleet), clean_env))
    assert done.stdout.decode() == "clusters/prod/cluster.yaml\n"
    assert done.stderr.decode() == "next: cmp-plugin preview prod\n"
    assert validates(fleet, clean_env) == "2 clusters, 2 services on them: no errors\n"
    first = (fleet / "clusters/prod/cluster.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/cluster.json"


def test_new_cluster_has_what_all_others_have(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """Profiles and, as nothing gives one, a Kubernetes version; no modeline without schemas."""
    cluster = "kubernetes: {version: '1.33'}\nlabels: {env: dev}\nprofiles: "
    note = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\n"
    write(
        tmp_path,
        {
            "profiles/one.yaml": "services: {web: }\n",
            "profiles/two.yaml": "",
            "services/web/service.yaml": "resources: [n.yaml]\n",
            "services/web/n.yaml": note,
            "clusters/a/cluster.yaml": cluster + "[two, one]\n",
            "clusters/b/cluster.yaml": cluster + "[one]\n",
        },
    )
    good(run(["new", "cluster", "c"], str(tmp_path), clean_env))
    made = plain(load((tmp_path / "clusters/c/cluster.yaml").read_bytes(), "cluster.yaml"))
    assert made["profiles"] == ["one"]
    assert made["kubernetes"] == {"version": "1.34"}
    assert "labels" not in made
    assert "yaml-language-server" not in (tmp_path / "clusters/c/cluster.yaml").read_text()
    assert "no errors" in validates(tmp_path, clean_env)


def test_new_cluster_without_any_service(tmp_path: Path, clean_env: dict[str, str]) -> None:
    write(tmp_path, {})
    done = good(run(["new", "cluster", "one"], str(tmp_path), clean_env))
    assert done.stderr.decode() == "next: cmp-plugin new service NAME --cluster one\n"
    assert "no errors" in validates(tmp_path, clean_env)
    good(run(["new", "service", "web"], str(tmp_path), clean_env))
    assert "1 cluster, 1 service" in validates(tmp_path, clean_env)


def test_new_cluster_from_another(fleet: Path, clean_env: dict[str, str]) -> None:
    """All of its files, with its own destination."""
    extra = "services:\n  hello:\n    valuesFiles: [hello.yaml]\n"
    place = fleet / "clusters/dev/cluster.yaml"
    place.write_text(place.read_text().replace("in-cluster}", "gke.dev}") + extra)
    (fleet / "clusters/dev/hello.yaml").write_text("message: copied\n")
    done = good(run(["new", "cluster", "dev2", "--from", "dev"], str(fleet), clean_env))
    assert done.stdout.decode() == "clusters/dev2/cluster.yaml\nclusters/dev2/hello.yaml\n"
    wanted = place.read_text().replace("{name: gke.dev}", "{name: gke.dev2}")
    assert (fleet / "clusters/dev2/cluster.yaml").read_text() == wanted
    assert b"copied" in good(run(["preview", "dev2"], str(fleet), clean_env)).stdout


def test_new_cluster_from_one_whose_destination_says_nothing(fleet: Path, clean_env: dict[str, str]) -> None:
    done = good(run(["new", "cluster", "two", "--from", "clusters/dev"], str(fleet), clean_env))
    assert "warning: clusters/two/cluster.yaml has the destination of dev: write its own\n" in done.stderr.decode()


def test_new_cluster_from_hostile_files(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (fleet / "clusters/dev/values.yaml").symlink_to(tmp_path / "secret")
    done = run(["new", "cluster", "two", "--from", "dev"], str(fleet), clean_env)
    assert (done.code, done.stdout) == (1, b"")
    assert "values.yaml is a link that leads out" in done.stderr.decode()
    assert not (fleet / "clusters/two").exists()


# --- new service ---


def test_new_service_on_the_only_cluster(fleet: Path, clean_env: dict[str, str]) -> None:
    done = good(run(["new", "service", "web"], str(fleet), clean_env))
    names = ["kustomization.yaml", "manifests.yaml", "service.yaml"]
    assert done.stdout.decode().splitlines() == [
        *(f"services/web/{name}" for name in names),
        "clusters/dev/cluster.yaml",
    ]
    assert done.stderr.decode() == "next: cmp-plugin preview dev web\n"
    assert validates(fleet, clean_env) == "1 cluster, 2 services on it: no errors\n"


def test_new_service_where_it_is_wanted(fleet: Path, clean_env: dict[str, str]) -> None:
    good(run(["new", "cluster", "prod"], str(fleet), clean_env))
    done = good(run(["new", "service", "a"], str(fleet), clean_env))
    assert done.stderr.decode().startswith("next: write `a:` under `services:` of a cluster or profile")
    done = good(run(["new", "service", "b", "--cluster", "prod"], str(fleet), clean_env))
    assert done.stderr.decode() == "next: cmp-plugin preview prod b\n"
    done = good(run(["new", "service", "c", "--profile", "platform"], str(fleet), clean_env))
    assert done.stderr.decode() == "next: cmp-plugin preview dev c\n"
    # The first one is on no cluster yet.
    assert validates(fleet, clean_env) == "2 clusters, 5 services on them: no errors, 1 warning\n"


@pytest.mark.parametrize("name", ["on", "n", "1", "1e3", "null", "2.0.1"])
def test_new_names_that_yaml_takes_for_something_else(fleet: Path, clean_env: dict[str, str], name: str) -> None:
    good(run(["new", "cluster", name], str(fleet), clean_env))
    good(run(["new", "service", name, "--cluster", name, "--profile", "platform"], str(fleet), clean_env))
    done = good(run(["validate"], str(fleet), clean_env))
    assert done.stderr.decode() == "2 clusters, 4 services on them: no errors\n"
    shown = good(run(["preview", name, name, "-o", "json"], str(fleet), clean_env)).stdout.decode()
    assert {json.loads(line)["metadata"]["namespace"] for line in shown.splitlines()} == {name.replace(".", "-")}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("services/shared/chart", {"chart": {"path": "/services/shared/chart"}}),
        ("services/shared/base", {"resources": ["/services/shared/base/"]}),
        ("services/shared/base/one.yaml", {"resources": ["/services/shared/base/one.yaml"]}),
    ],
)
def test_new_service_by_path(fleet: Path, clean_env: dict[str, str], path: str, field: dict[str, object]) -> None:
    shared = fleet / "services/shared"
    (shared / "base").mkdir(parents=True)
    (shared / "base/kustomization.yaml").write_text("resources: [one.yaml]\n")
    (shared / "base/one.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n")
    (fleet / "services/hello/chart").rename(shared / "chart")
    place = fleet / "services/hello/service.yaml"
    place.write_text(place.read_text().replace("path: chart", "path: /services/shared/chart"))
    good(run(["new", "service", "shared", "--path", path], str(fleet), clean_env))
    made = plain(load((shared / "service.yaml").read_bytes(), "service.yaml"))
    assert made.items() >= field.items()
    assert validates(fleet, clean_env) == "1 cluster, 2 services on it: no errors\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("cluster Prod", '"Prod" is no DNS-1123 name: small letters, digits, "-" and "."'),
        ("cluster dev", "clusters/dev/cluster.yaml: cluster dev is there already"),
        ("cluster x --from nope", 'there is no cluster "nope" (there is dev)'),
        ("cluster x --chart y", "--chart goes with `new service`"),
        ("service hello", "services/hello/service.yaml: service hello is there already"),
        ("service x --from dev", "--from goes with `new cluster`"),
        ("service x --cluster dv", 'there is no cluster "dv" (did you mean "dev"?)'),
        ("service x --profile platfrom", 'there is no profile "platfrom" (did you mean "platform"?)'),
        ("service x --version 1.0.0", "--repo and --version go with --chart"),
        ("service x --chart y --path z", "a service has --chart or --path, not both"),
        ("service x --chart y", "a chart's name needs its --repo (or write --chart REPO/NAME, --chart oci://...)"),
        (
            "service x --chart a/y",
            'helm knows no repository "a" (`helm repo list` shows them; --repo takes an address)',
        ),
        (
            "service x --chart oci://e.example/y --version 1",
            'version "1" is not exact (write one version such as "1.2.3")',
        ),
        ("service x --chart oci://e.example/y --repo z", "a chart in a registry has no --repo"),
        (
            "service x --chart y --repo https://me:s3cret@e.example --version 1.0.0",
            "--chart: credentials do not belong into an address (helm's own files and netrc can hold them)",
        ),
        ("service x --chart ../y --repo https://e.example --version 1.0.0", '--chart: "../y" is no name of a chart'),
        ("service x --path nowhere", "nowhere is nothing in this fleet"),
        ("service x --path ..", ".. is nothing in this fleet"),
        (
            "service x --path schemas",
            "fleet.yaml: schemas is out of reach for services (write `directories: [schemas]`)",
        ),
        ("service x --path services", "services has neither a Chart.yaml nor a kustomization.yaml"),
        ("servise x", 'kind: there is no "servise" (did you mean "service"?)'),
    ],
)
def test_what_is_refused(fleet: Path, clean_env: dict[str, str], words: str, error: str) -> None:
    before = tree(fleet)
    done = run(["new", *words.split()], str(fleet), clean_env)
    assert (done.stderr.decode(), done.stdout) == (f"{error}\n", b"")
    assert done.code in (1, 2)
    assert tree(fleet) == before


def test_a_file_that_is_in_the_way(fleet: Path, clean_env: dict[str, str]) -> None:
    (fleet / "services/web").mkdir()
    (fleet / "services/web/manifests.yaml").write_text("mine")
    before = tree(fleet)
    done = run(["new", "service", "web"], str(fleet), clean_env)
    assert done.stderr.decode() == "services/web/manifests.yaml: this file is there already\n"
    assert tree(fleet) == before


def test_a_file_in_place_of_the_directory(fleet: Path, clean_env: dict[str, str]) -> None:
    (fleet / "clusters/prod").write_text("mine")
    done = run(["new", "cluster", "prod"], str(fleet), clean_env)
    assert done.stderr.decode() == "clusters/prod is no directory\n"


def test_a_file_that_cannot_be_changed(fleet: Path, clean_env: dict[str, str]) -> None:
    """On a disk that is full, say: here by a limit, as root may write everywhere."""
    before = tree(fleet)
    done = subprocess.run(
        [PROGRAM, "new", "service", "web", "--cluster", "dev"],
        cwd=fleet,
        env=clean_env,
        capture_output=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == "clusters/dev/cluster.yaml: the file cannot be changed: File too large\n"
    assert tree(fleet) == before


# --- texts ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("labels: {a: b}\n", "labels: {a: b}\nservices:\n  web:\n"),
        ("labels: {a: b}", "labels: {a: b}\nservices:\n  web:\n"),
        ("services:\n", "services:\n  web:\n"),
        ("services:\nlabels: {a: b}\n", "services:\n  web:\nlabels: {a: b}\n"),
        ("services: # ours\n  # first\n  a: {}\n", "services: # ours\n  web:\n  # first\n  a: {}\n"),
        ("services:\n    a: {}\n    b:\n", "services:\n    web:\n    a: {}\n    b:\n"),
        ("services:\r\n  a:\r\n", "services:\r\n  web:\n  a:\r\n"),
    ],
)
def test_a_service_is_named(text: str, wanted: str) -> None:
    assert with_service(HEAD + text, "web", "c.yaml") == HEAD + wanted


@pytest.mark.parametrize("text", ["services: {a: }\n", "services: {}\n", "x: &x {a: }\nservices: *x\n"])
def test_a_manner_of_its_own(text: str) -> None:
    with pytest.raises(CmpError, match="manner of its own.*add `web:` to its services yourself"):
        with_service(HEAD + text, "web", "c.yaml")


def test_a_service_is_named_once() -> None:
    with pytest.raises(CmpError, match="c.yaml: web is named already"):
        with_service(HEAD + "services:\n  web:\n", "web", "c.yaml")


@pytest.mark.parametrize(
    ("destination", "wanted"),
    [
        ("{name: old}", "{name: new}"),
        ('{name: "gke.old"} # old', '{name: "gke.new"} # old'),
        ("\n  name: old", "\n  name: new"),
        ("{server: https://old}", "{server: https://old}"),
        ("{name: in-cluster}", "{name: in-cluster}"),
    ],
)
def test_a_destination_follows(destination: str, wanted: str) -> None:
    text = HEAD + f"destination: {destination}\n"
    assert with_destination(text, "old", "new", "c.yaml") == HEAD + f"destination: {wanted}\n"
