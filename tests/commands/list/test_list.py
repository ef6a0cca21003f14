"""`list` as people and programs get it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from subprocess import PIPE

import boards
import pytest
from fleets import write
from program import CHECKOUT, PROGRAM, Outcome, run

CHART = "chart: {oci: oci://example.com/web}\n"


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return boards.fleet(tmp_path_factory.mktemp("forty"), 40, pins=12)


def listed(cwd: Path | str, env: dict[str, str], *words: str) -> Outcome:
    return run(["list", *words], str(cwd), env)


def lines(done: Outcome) -> list[str]:
    assert (done.code, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_a_small_fleet_is_a_matrix(clean_env: dict[str, str]) -> None:
    said = lines(listed(CHECKOUT, clean_env))
    assert said[0].split() == ["service", "catalogue", "gke.dev", "gke.prod", "kind.local", "management"]
    (prometheus,) = (
        line.split("  ")
        for line in said
        if line.startswith("prometheus ") and "behind" not in line and "profiles" not in line
    )
    assert [word.strip() for word in prometheus if word] == ["prometheus", "88.5.3", "88.5.3", "88.2.0 ↓", "88.2.0 ↓"]
    below = said[said.index("") :]
    assert below[1].split() == ["behind", "version", "newest", "set", "at", "clusters"]
    assert below[2].split() == ["prometheus", "88.2.0", "88.5.3", "profiles/prod.yaml:10:14", "env=prod"]
    assert "nobody uses  metrics-server" in below
    assert below[-1].startswith("↓ older than the catalogue")


def test_more_services_than_clusters_can_be_columns(tmp_path: Path, clean_env: dict[str, str]) -> None:
    files = {f"clusters/{'long-name-' * 4}{n}/cluster.yaml": "services: {web: }\n" for n in range(4)}
    said = lines(listed(write(tmp_path, {"services/web/service.yaml": CHART + "version: 1.0.0\n", **files}), clean_env))
    assert said[0].split() == ["cluster", "web"]
    assert said[1].split() == ["catalogue", "1.0.0"]
    assert said[2].split() == ["long-name-" * 4 + "0", "1.0.0"]


def test_a_large_fleet_has_a_row_for_each_version(forty: Path, clean_env: dict[str, str]) -> None:
    rows = [line.split() for line in lines(listed(forty, clean_env))]
    assert rows[0] == ["service", "version", "on", "set", "at", "clusters"]
    assert ["istiod", "11.4.11", "16", "catalogue", "env!=prod"] in rows
    assert ["istiod", "11.0.9", "↓", "24", "profiles/prod.yaml:7:14", "env=prod"] in rows
    assert ["keda", "13.1.0-rc.1", "↑", "8", "profiles/dev.yaml:7:14", "env=dev"] in rows
    assert ["velero", "off", "8", "profiles/dev.yaml:5:21", "env=dev"] in rows
    assert ["tempo", "17.4.17", "40", "catalogue", "all"] in rows
    (some,) = (row for row in rows if row[:2] == ["loki", "15.4.15"])
    assert len(some) == 4 + 29, "a pipe gets every name"
    newest_first = [row[1] for row in rows if row[:1] == ["loki"]]
    assert newest_first[:3] == ["15.4.15", "14.0.12", "14.0.11"]


def on_a_terminal(cwd: Path, env: dict[str, str], width: int) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "list"], cwd=cwd, env={**env, "TERM": "xterm", "COLUMNS": str(width)}, stdout=theirs
    ) as child:
        os.close(theirs)
        text = b""
        try:
            while block := os.read(ours, 1 << 16):
                text += block
        except OSError:  # how Linux says that nobody writes there any more
            pass
        assert child.wait(timeout=60) == 0
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_forty_clusters_fit_a_terminal(width: int, forty: Path, clean_env: dict[str, str]) -> None:
    plain = on_a_terminal(forty, {**clean_env, "NO_COLOR": "1"}, width)
    body = plain.splitlines()[: plain.splitlines().index("")]
    assert "\x1b" not in plain and max(map(len, body)) <= width
    assert "and 26 more" in " ".join(plain.split()), "a terminal gets some names and how many more"
    assert "11.0.9 ↓" in plain and "kube-prometheus-stack" in plain
    coloured = on_a_terminal(forty, clean_env, width)
    assert "\x1b[33m11.0.9 ↓" in coloured


def test_one_service_cluster_by_cluster(forty: Path, clean_env: dict[str, str]) -> None:
    said = [
        line.split()
        for line in lines(listed(forty, clean_env, "--service", "services/istiod", "-l", "env in (prod), tier=t0"))
    ]
    assert said[0] == ["cluster", "version", "newest", "set", "at"]
    assert said[1] == ["prod-asia-east1-0018", "11.0.9", "↓", "11.4.11", "profiles/prod.yaml:7:14"]
    assert all(row[0].startswith("prod-") for row in said[1:-2])


def test_one_cluster_service_by_service(forty: Path, clean_env: dict[str, str]) -> None:
    said = [line.split() for line in lines(listed(forty, clean_env, "--cluster", "dev-europe-west1-0000"))]
    assert said[0] == ["service", "key", "version", "newest", "set", "at"]
    assert ["gateway", "gateway-internal", "7.4.7", "services/gateway/service.yaml:5:10"] in said
    assert ["velero", "velero", "off", "profiles/dev.yaml:5:21"] in said


def test_json_is_flat_and_whole(clean_env: dict[str, str]) -> None:
    said = json.loads(listed(CHECKOUT, clean_env, "-o", "json").stdout)
    assert list(said) == ["clusters", "services", "deployments"]
    (prod,) = (one for one in said["clusters"] if one["name"] == "gke.prod")
    assert prod == {
        "name": "gke.prod",
        "labels": {"fleet": "example", "region": "europe-west1", "env": "prod", "cloud": "gcp", "mesh": "istio"},
        "kubernetes": "1.34",
        "destination": {"name": "gke.prod"},
        "file": "clusters/gke.prod/cluster.yaml",
    }
    (prometheus,) = (one for one in said["deployments"] if (one["cluster"], one["key"]) == ("gke.prod", "prometheus"))
    assert prometheus == {
        "cluster": "gke.prod",
        "key": "prometheus",
        "service": "prometheus",
        "state": "on",
        "chart": {"repo": "https://prometheus-community.github.io/helm-charts", "name": "kube-prometheus-stack"},
        "version": "88.2.0",
        "revision": "",
        "pin": "behind",
        "newest": "88.5.3",
        "at": {"file": "profiles/prod.yaml", "line": 10, "column": 14},
    }
    (unused,) = (one for one in said["services"] if not one["used"])
    assert unused["name"] == "metrics-server" and unused["version"] == "3.13.1"
    assert {one["state"] for one in said["deployments"] if one["key"] == "metrics-server"} == {"off"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--cluster", "gke.prd"], 1, 'there is no cluster "gke.prd" (did you mean "gke.prod"?)'),
        (["--service", "istoid"], 1, 'there is no service "istoid" (did you mean "istiod"?)'),
        (["-l", "env=prdo"], 1, "no cluster has these labels"),
        (["-l", "env=prod", "--cluster", "gke.dev"], 1, "no cluster has these labels"),
        (["-l", "env=="], 1, "no cluster has these labels"),
        (
            ["-l", "env in prod"],
            2,
            "--selector: the values of in and notin stand in parentheses (write one such as env=prod,region!=eu)",
        ),
        (["-o", "yaml"], 2, '-o/--output: there is no "yaml" (there is table, json, html)'),
    ],
)
def test_what_is_not_there(words: list[str], code: int, said: str, clean_env: dict[str, str]) -> None:
    done = listed(CHECKOUT, clean_env, *words)
    assert (done.code, done.stdout, done.stderr.decode()) == (code, b"", said + "\n")


@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_nothing_is_printed_when_a_file_is_wrong(output: str, tmp_path: Path, clean_env: dict[str, str]) -> None:
    write(tmp_path, {"clusters/a/cluster.yaml": "services: {web: }\n", "clusters/b/cluster.yaml": "allow: [empty]\n"})
    done = listed(tmp_path, clean_env, "-o", output)
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr.decode() == 'clusters/a/cluster.yaml:3:12: there is no service "web"\n'


def test_a_fleet_without_clusters(tmp_path: Path, clean_env: dict[str, str]) -> None:
    done = listed(write(tmp_path, {}), clean_env)
    assert (done.code, done.stdout, done.stderr) == (1, b"", b"the fleet has no clusters\n")


def test_clusters_without_services_are_still_a_board(tmp_path: Path, clean_env: dict[str, str]) -> None:
    write(tmp_path, {"clusters/a/cluster.yaml": "allow: [empty]\n"})
    assert lines(listed(tmp_path, clean_env)) == ["service  catalogue  a"]
    assert b'id="c-a"' in listed(tmp_path, clean_env, "-o", "html").stdout


def test_a_reader_that_goes_away_is_no_bug(forty: Path, clean_env: dict[str, str]) -> None:
    """As `cmp-plugin list -o html | head -1` does."""
    with subprocess.Popen([PROGRAM, "list", "-o", "html"], cwd=forty, env=clean_env, stdout=PIPE, stderr=PIPE) as child:
        assert child.stdout and child.stderr
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=60) == 1


def test_the_page_is_in_the_package(tmp_path: Path) -> None:
    """What is installed elsewhere than from a checkout has the template, its style and its script."""
    build = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(tmp_path), CHECKOUT]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("cmp_plugin/commands/list/board/")}
    assert packed == {f"cmp_plugin/commands/list/board/board.{ending}" for ending in ("html", "css", "js")}


def about(cwd: Path, env: dict[str, str]) -> str:
    """The line of the page that says which fleet it is, and of when."""
    page = listed(cwd, env, "-o", "html").stdout.decode()
    line = re.search('<p class="about">(.*?)</p>', page)
    return line[1] if line else ""


def test_the_page_says_of_which_commit_it_is(tmp_path: Path, clean_env: dict[str, str]) -> None:
    write(
        tmp_path,
        {"fleet.yaml": "repoURL: git@git.example.com:team/fleet.git\n", "clusters/a/cluster.yaml": "allow: [empty]\n"},
    )
    assert about(tmp_path, clean_env) == "team/fleet"
    day = {"GIT_COMMITTER_DATE": "2026-11-20T12:00:00Z", "GIT_AUTHOR_DATE": "2026-11-19T12:00:00Z"}
    person = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert about(tmp_path, clean_env) == "team/fleet", "no commit yet"
    subprocess.run(["git", *person, "commit", "-q", "-m", "x"], cwd=tmp_path, env={**clean_env, **day}, check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert about(tmp_path, clean_env) == f"team/fleet, commit {commit[:12]} of 2026-11-20"
    write(tmp_path, {"clusters/a/cluster.yaml": "allow: [empty]\nlabels: {a: b}\n"})
    assert about(tmp_path, clean_env).endswith(", with uncommitted changes")
