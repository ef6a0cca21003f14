"""The command line as people and Argo CD meet it: streams, exit codes, files, interruption."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleets import chart, write
from program import CHECKOUT, PROGRAM, run

CLUSTER = "kubernetes: {version: '1.34'}\ndestination: {name: %s}\n"
SERVICE = "namespace: web\nchart: {path: chart}\n"
BROKEN = SERVICE + "values: {image: '${vars.none}'}\n"
# Helm works on this for minutes; nothing waits for it.
ENDLESS = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Two clusters; `web` and `api` on both."""
    root = tmp_path / "fleet"
    root.mkdir()
    return write(
        root,
        {
            "services/web/service.yaml": SERVICE,
            "services/api/service.yaml": SERVICE,
            **chart("services/web/chart"),
            **chart("services/api/chart"),
            "clusters/dev/cluster.yaml": CLUSTER % "dev" + "services: {web: {dependsOn: [api]}, api: }\n",
            "clusters/prod/cluster.yaml": CLUSTER % "prod" + "services: {web: , api: }\n",
        },
    )


def break_service(fleet: Path, cluster: str = "prod") -> None:
    """One service of a cluster names a var that is not there."""
    file = fleet / "clusters" / cluster / "cluster.yaml"
    file.write_text(file.read_text().replace("api: ", "api: {values: {image: '${vars.none}'}}"))


def break_chart(fleet: Path) -> None:
    """`api` fails only when it is rendered."""
    (fleet / "services/api/chart/templates/fail.yaml").write_text('{{ fail "no" }}\n')


@pytest.mark.parametrize("args", [["--help"], ["preview", "--help"], ["--version"], ["schema", "cluster"]])
def test_what_is_asked_for_goes_to_stdout(args: list[str], tmp_path: Path, clean_env: dict[str, str]) -> None:
    out = run(args, str(tmp_path), clean_env)
    assert (out.code, out.stderr) == (0, b"")
    assert out.stdout


@pytest.mark.parametrize(
    "before_and_after",
    [["-C", "DIR", "preview", "dev"], ["preview", "-C", "DIR", "dev"], ["preview", "dev", "-C", "DIR"]],
)
def test_the_fleet_may_be_named_before_and_after_the_verb(
    before_and_after: list[str], fleet: Path, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    inside = run(["preview", "dev"], str(fleet), clean_env)
    words = [str(fleet) if word == "DIR" else word for word in before_and_after]
    assert inside.code == 0 and inside.stdout
    assert run(words, str(tmp_path), clean_env) == inside


def test_the_fleet_is_found_from_below(fleet: Path, clean_env: dict[str, str]) -> None:
    inside = run(["preview", "dev"], str(fleet), clean_env)
    assert run(["preview", "dev"], str(fleet / "services/web/chart"), clean_env) == inside
    assert run(["-C", "../web", "preview", "dev"], str(fleet / "services/api"), clean_env) == inside


@pytest.mark.parametrize(
    ("where", "cluster", "service"),
    [
        (".", "clusters/dev", "services/web"),
        (".", "./clusters/dev/", "services/web/"),
        ("clusters/dev", ".", "../../services/web"),
        ("services/web", "../../clusters/dev", "."),
        ("services", "dev", "web"),
        ("services", "clusters/dev", "services/web"),
    ],
)
def test_names_and_directories_mean_the_same(
    where: str, cluster: str, service: str, fleet: Path, clean_env: dict[str, str]
) -> None:
    by_name = run(["preview", "dev", "web"], str(fleet), clean_env)
    assert by_name.code == 0
    assert run(["preview", cluster, service], str(fleet / where), clean_env) == by_name


def test_services_go_by_wave_then_name(fleet: Path, clean_env: dict[str, str]) -> None:
    out = run(["preview"], str(fleet), clean_env)
    headings = [line for line in out.stdout.decode().splitlines() if line.startswith("# ")]
    assert headings == ["# dev/api", "# dev/web", "# prod/api", "# prod/web"]


def test_json_is_what_generate_prints(fleet: Path, clean_env: dict[str, str]) -> None:
    parameters = json.dumps([{"name": "service", "string": "web"}])
    generated = run(["generate"], str(fleet / "clusters/dev"), clean_env | {"ARGOCD_APP_PARAMETERS": parameters})
    previewed = run(["preview", "dev", "web", "-o", "json"], str(fleet), clean_env)
    assert (generated.code, previewed.code) == (0, 0)
    assert generated.stdout == previewed.stdout
    assert json.loads(generated.stdout)["metadata"]["name"] == "web"


def test_yaml_says_the_same_as_json(fleet: Path, clean_env: dict[str, str]) -> None:
    yaml = pytest.importorskip("yaml")
    text = run(["preview", "dev"], str(fleet), clean_env).stdout
    lines = run(["preview", "dev", "-o", "json"], str(fleet), clean_env).stdout
    assert list(yaml.safe_load_all(text)) == [json.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize("how", [break_service, break_chart])
@pytest.mark.parametrize(
    "args", [["preview"], ["preview", "prod"], ["preview", "prod", "api"], ["preview", "-o", "json"]]
)
def test_nothing_reaches_stdout_when_one_of_many_fails(
    how: Callable[[Path], object], args: list[str], fleet: Path, clean_env: dict[str, str]
) -> None:
    how(fleet)
    out = run(args, str(fleet), clean_env)
    assert (out.code, out.stdout) == (1, b"")
    assert b"prod/api: " in out.stderr
    assert str(fleet).encode() not in out.stderr


def test_every_error_of_a_preview_is_reported(fleet: Path, clean_env: dict[str, str]) -> None:
    break_chart(fleet)
    out = run(["preview", "--jobs", "1"], str(fleet), clean_env)
    assert [line.split(": ")[1] for line in out.stderr.decode().splitlines()] == ["dev/api", "prod/api"]


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


ALL = ["dev/api.yaml", "dev/web.yaml", "prod/api.yaml", "prod/web.yaml"]


def test_out_writes_one_file_a_service(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    out = run(["preview", "--out", "../rendered"], str(fleet), clean_env)
    assert (out.code, out.stdout, out.stderr) == (0, b"", b"")
    written = tree(tmp_path / "rendered")
    assert sorted(written) == ALL
    assert written["dev/web.yaml"] == run(["preview", "dev", "web"], str(fleet), clean_env).stdout
    assert sorted(os.listdir(tmp_path)) == ["fleet", "rendered"]


def test_out_as_json(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    run(["preview", "dev", "web", "-o", "json", "--out", "../rendered"], str(fleet), clean_env)
    lines = run(["preview", "dev", "web", "-o", "json"], str(fleet), clean_env).stdout
    assert tree(tmp_path / "rendered") == {"dev/web.json": lines}


@pytest.mark.parametrize("how", [break_service, break_chart])
def test_out_is_all_or_none(
    how: Callable[[Path], object], fleet: Path, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    run(["preview", "dev", "web", "--out", "../rendered"], str(fleet), clean_env)
    before = tree(tmp_path / "rendered")
    how(fleet)
    (fleet / "services/web/chart/values.yaml").write_text("list: [changed]\n")
    out = run(["preview", "--out", "../rendered"], str(fleet), clean_env)
    assert (out.code, out.stdout) == (1, b"")
    assert tree(tmp_path / "rendered") == before
    assert sorted(os.listdir(tmp_path)) == ["fleet", "rendered"]


@pytest.mark.parametrize(
    ("how", "good"),
    [
        (break_service, ["dev/api.yaml", "dev/web.yaml", "prod/web.yaml"]),
        (break_chart, ["dev/web.yaml", "prod/web.yaml"]),
    ],
)
def test_keep_going_writes_what_is_good_and_fails(
    how: Callable[[Path], object], good: list[str], fleet: Path, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    how(fleet)
    out = run(["preview", "--keep-going", "--out", "../rendered"], str(fleet), clean_env)
    assert (out.code, out.stdout) == (1, b"")
    assert b"prod/api: " in out.stderr
    assert sorted(tree(tmp_path / "rendered")) == good


def test_keep_going_never_writes_what_was_not_asked_for(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    out = run(["preview", "dev", "none", "--keep-going", "--out", "../rendered"], str(fleet), clean_env)
    assert out.code == 1 and b'dev has no service "none"' in out.stderr
    assert not (tmp_path / "rendered").exists() or tree(tmp_path / "rendered") == {}


def test_out_where_nothing_can_be_written(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "file").write_text("mine\n")
    for place in ("../file", "../file/below"):
        out = run(["preview", "dev", "--out", place], str(fleet), clean_env)
        assert (out.code, out.stdout) == (2, b""), out.stderr
        assert out.stderr.decode().startswith(place)
    assert (tmp_path / "file").read_text() == "mine\n"


@pytest.mark.parametrize("jobs", ["1", "2", "9"])
def test_jobs_change_nothing_but_the_time(jobs: str, fleet: Path, clean_env: dict[str, str]) -> None:
    out = run(["preview", "--jobs", jobs], str(fleet), clean_env)
    assert out == run(["preview"], str(fleet), clean_env)
    assert out.code == 0


@pytest.mark.parametrize(
    "args",
    [
        ["prevew"], ["preview", "a", "b", "c"], ["preview", "--jobs", "0"], ["preview", "--jobs", "x"],
        ["preview", "--keep-going"], ["preview", "-o", "xml"], ["preview", "--set", "a=b"], ["validate", "--jobs", "-1"],
        ["schema", "pod"], ["completion", "csh"], ["-C"], ["expand", "dev"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(args: list[str], fleet: Path, clean_env: dict[str, str]) -> None:
    out = run(args, str(fleet), clean_env)
    assert (out.code, out.stdout) == (2, b"")
    assert out.stderr.count(b"\n") == 1


def test_an_empty_fleet_prints_no_empty_result(tmp_path: Path, clean_env: dict[str, str]) -> None:
    write(tmp_path, {"fleet.yaml": "repoURL: https://example.com/fleet.git"})
    for args, where in ((["preview"], tmp_path), (["generate"], tmp_path)):
        out = run(args, str(where), clean_env)
        assert (out.code, out.stdout) == (1, b"")
        assert b"the fleet has no clusters" in out.stderr


class TestValidate:
    """Findings are the result: they go to stdout, and the exit code is 1."""

    def test_nothing_wrong(self, fleet: Path, clean_env: dict[str, str]) -> None:
        for args in (["validate"], ["validate", "--render"]):
            out = run(args, str(fleet), clean_env)
            assert (out.code, out.stdout) == (0, b"")
            assert out.stderr == b"2 clusters, 4 services on them: no errors\n"

    def test_errors_of_all_clusters_sorted(self, fleet: Path, clean_env: dict[str, str]) -> None:
        break_service(fleet, "prod")
        break_service(fleet, "dev")
        (fleet / "profiles").mkdir()
        (fleet / "profiles/x.yaml").write_text("a: [\n")
        out = run(["validate"], str(fleet), clean_env)
        assert (out.code, out.stderr) == (1, b"")
        places = [line.split(":")[0] for line in out.stdout.decode().splitlines()]
        assert places == ["clusters/dev/cluster.yaml", "clusters/prod/cluster.yaml", "profiles/x.yaml"]

    def test_only_a_render_shows_a_broken_chart(self, fleet: Path, clean_env: dict[str, str]) -> None:
        break_chart(fleet)
        assert run(["validate"], str(fleet), clean_env).code == 0
        out = run(["validate", "--render"], str(fleet), clean_env)
        assert out.code == 1
        assert out.stdout == b"services/api/chart/templates/fail.yaml:1:3: dev/api and 1 more: helm: no\n"

    def test_as_data(self, fleet: Path, clean_env: dict[str, str]) -> None:
        break_service(fleet)
        out = run(["validate", "-o", "json"], str(fleet), clean_env)
        (finding,) = json.loads(out.stdout)
        assert {key: finding[key] for key in ("file", "line", "column", "severity")} == {
            "file": "clusters/prod/cluster.yaml", "line": 5, "column": 41, "severity": "error",
        }  # fmt: skip
        assert finding["message"] == "prod/api: ${vars.none} is not known here"

    def test_as_annotations(self, fleet: Path, clean_env: dict[str, str]) -> None:
        break_service(fleet)
        out = run(["validate", "-o", "github"], str(fleet), clean_env)
        assert out.stdout == (
            b"::error file=clusters/prod/cluster.yaml,line=5,col=41::prod/api: ${vars.none} is not known here\n"
        )

    def test_a_wrong_fleet_file_is_a_finding(self, fleet: Path, clean_env: dict[str, str]) -> None:
        (fleet / "fleet.yaml").write_text("apiVersion: cmp-plugin/v1alpha1\nkind: Fleet\nlable: x\n")
        out = run(["validate"], str(fleet), clean_env)
        assert (out.code, out.stderr) == (1, b"")
        assert out.stdout.startswith(b'fleet.yaml:3:1: unknown key "lable"')


def started(args: list[str], cwd: Path, env: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PROGRAM, *args], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
    )  # fmt: skip


def children(pid: int) -> list[int]:
    """The processes that have this parent, in every thread of it."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def wait_for_helm(process: subprocess.Popen[bytes]) -> list[int]:
    for _ in range(400):
        running = children(process.pid)
        if any(b"template" in Path(f"/proc/{each}/cmdline").read_bytes() for each in running):
            return running
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.05)
    raise AssertionError("helm was never started")


@pytest.mark.parametrize("args", [["preview", "dev", "web"], ["preview"], ["preview", "--out", "../x"], ["generate"]])
def test_interrupted(args: list[str], fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    """Exit code 130, at once; nothing printed, no process, no directory left."""
    for service in ("web", "api"):
        (fleet / f"services/{service}/chart/templates/endless.yaml").write_text(ENDLESS)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    env = clean_env | {"TMPDIR": str(scratch), "ARGOCD_APP_PARAMETERS": '[{"name": "service", "string": "web"}]'}
    where = fleet / "clusters/dev" if args == ["generate"] else fleet
    process = started(args, where, env)
    helms = wait_for_helm(process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (130, b"", b"")
    assert not [pid for pid in helms if os.path.exists(f"/proc/{pid}/exe")]
    # What stays is the queue in which renders wait for each other.
    assert [name for name in os.listdir(scratch) if not name.startswith("cmp-turns")] == []
    assert sorted(os.listdir(tmp_path)) == ["fleet", "tmp"]


def test_a_reader_that_goes_away_is_no_bug(fleet: Path, clean_env: dict[str, str]) -> None:
    """As `cmp-plugin preview | head -1` does."""
    big = "big: " + "x" * 500_000 + "\n"
    (fleet / "services/web/chart/values.yaml").write_text(big)
    with started(["preview", "dev", "web"], fleet, clean_env) as process:
        assert process.stdout and process.stderr
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


def test_a_bug_of_ours_is_one_line_and_exit_code_3(fleet: Path, clean_env: dict[str, str]) -> None:
    """A function that fails stands for any bug."""
    package = fleet.parent / "lib"
    shutil.copytree(os.path.join(CHECKOUT, "cmp_plugin"), package / "cmp_plugin")
    with (package / "cmp_plugin/fleet/files.py").open("a") as file:
        file.write("\n\ndef open_fleet(root):\n    raise ZeroDivisionError('secret')\n")
    line = len((package / "cmp_plugin/fleet/files.py").read_text().splitlines())
    program = fleet.parent / "program.py"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(package)!r})\nfrom cmp_plugin.cli import main\nsys.exit(main())\n"
    )
    python = os.path.join(os.path.dirname(PROGRAM), "python")
    command = [python, str(program), "preview", "dev"]
    done = subprocess.run(command, cwd=fleet, env=clean_env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (3, b"")
    said = f"a bug in cmp-plugin at files.py:{line}: ZeroDivisionError: run it again with -v for details\n"
    assert done.stderr.decode() == said
    loud = subprocess.run([*command, "-v"], cwd=fleet, env=clean_env, capture_output=True, timeout=60, check=False)
    assert loud.returncode == 3 and b"Traceback" in loud.stderr


def in_git(place: Path, env: dict[str, str]) -> None:
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=place, env=env, check=True)


def test_applications_know_where_the_fleet_lies_in_its_repository(
    tmp_path: Path, fleet: Path, clean_env: dict[str, str]
) -> None:
    inner = tmp_path / "repository" / "infra" / "fleet"
    shutil.copytree(fleet, inner)
    with (inner / "fleet.yaml").open("a") as file:
        file.write("repoURL: https://git.example.com/a.git\n")
    in_git(tmp_path / "repository", clean_env)
    seen = run(["preview", "dev", "--applications", "-o", "json"], str(inner), clean_env)
    assert (seen.code, seen.stderr) == (0, b"")
    assert json.loads(seen.stdout.splitlines()[0])["spec"]["source"]["path"].startswith("infra/fleet/")
    told = {**clean_env, "ARGOCD_APP_SOURCE_PATH": "infra/fleet/clusters/dev"}
    made = run(["generate"], str(inner / "clusters" / "dev"), told)
    assert json.loads(made.stdout.splitlines()[0])["spec"]["source"]["path"].startswith("infra/fleet/")


def test_an_empty_word_is_not_everything(fleet: Path, clean_env: dict[str, str]) -> None:
    for words in (["preview", ""], ["preview", "dev", ""]):
        seen = run(words, str(fleet), clean_env)
        assert (seen.code, seen.stdout) == (2, b"")
        assert seen.stderr == b"an empty word is no cluster or service\n"
    before = sorted(fleet.rglob("*"))
    for words in (
        ["preview", "--out", ""],
        ["expand", "dev", "web", "--out", ""],
        ["-C", "", "list"],
        ["schema", "--out", ""],
    ):
        seen = run(words, str(fleet), clean_env)
        assert (seen.code, seen.stdout, seen.stderr) == (2, b"", b"an empty word is no directory\n")
    assert sorted(fleet.rglob("*")) == before


def test_a_result_has_any_character(fleet: Path, clean_env: dict[str, str]) -> None:
    """In a pipe it is UTF-8, whatever the locale is."""
    with open(fleet / "clusters/dev/cluster.yaml", "a") as file:
        file.write("vars: {owner: Zoë → 鈴木}\n")
    old = clean_env | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    out = run(["explain", "dev", "-o", "json"], str(fleet), old)
    assert (out.code, out.stderr) == (0, b"")
    assert "Zoë → 鈴木" in out.stdout.decode()


def test_a_closed_standard_output_is_no_bug(fleet: Path, clean_env: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" preview dev 1>&-', PROGRAM], cwd=fleet, env=clean_env, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"there is no standard output to write to\n")


@pytest.mark.parametrize("words", ["list", "validate", "preview dev"])
def test_a_closed_standard_error_is_no_bug(words: str, fleet: Path, clean_env: dict[str, str]) -> None:
    line = f'exec "$0" {words} 2>&-'
    assert (
        subprocess.run(
            ["sh", "-c", line, PROGRAM], cwd=fleet, env=clean_env, stdout=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def test_doctor_outside_a_fleet(tmp_path: Path, clean_env: dict[str, str]) -> None:
    done = run(["doctor"], str(tmp_path), clean_env)
    assert done.code == 0
    assert b"warn   fleet: there is no fleet.yaml in this directory or above it" in done.stdout


def test_sigterm_ends_the_render_and_leaves_nothing(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (fleet / "services/web/chart/templates/slow.yaml").write_text("{{ range until 100000000 }}{{ end }}\n")
    with started(["preview", "dev", "web"], fleet, {**clean_env, "TMPDIR": str(scratch)}) as process:
        for _ in range(1000):
            if any(name.startswith("cmp-plugin-") for name in os.listdir(scratch)):
                break
            time.sleep(0.01)
        process.terminate()
        assert process.wait(timeout=30) == 130
    assert not [name for name in os.listdir(scratch) if name.startswith("cmp-plugin-")]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("mv clusters/dev/cluster.yaml clusters/dev/cluster.yml", "clusters/dev: clusters/dev has no cluster.yaml"),
        ("touch profiles/x.yml", "profiles/x.yml: profiles/x.yml is not read: a profile's file ends in .yaml"),
        (
            "echo 'repoURL: https://git.example.com/a.git' >> fleet.yaml; sed -i /^destination:/d clusters/dev/cluster.yaml",
            "clusters/dev/cluster.yaml: cluster dev has no `destination`",
        ),
    ],
)
def test_validate_sees_what_would_go_missing(change: str, finding: str, fleet: Path, clean_env: dict[str, str]) -> None:
    (fleet / "profiles").mkdir(exist_ok=True)
    subprocess.run(["sh", "-c", change], cwd=fleet, check=True)
    seen = run(["validate"], str(fleet), clean_env)
    assert seen.code == 1
    assert finding in seen.stdout.decode().splitlines()


@pytest.mark.parametrize("link", ["clusters/stage", "clusters/prod/cluster.yaml"])
def test_a_cluster_behind_a_link_to_nothing_is_no_missing_one(
    link: str, fleet: Path, clean_env: dict[str, str]
) -> None:
    """Passed over, Argo CD would take its Application away."""
    write(fleet, {"fleet.yaml": "repoURL: https://git.example.com/a.git\n"})
    (fleet / link).unlink(missing_ok=True)
    (fleet / link).symlink_to("nowhere")
    for words in (["generate"], ["list"], ["validate"]):
        seen = run(words, str(fleet), clean_env)
        assert seen.code == 1
        assert b"does not exist" in (seen.stdout if words == ["validate"] else seen.stderr)


def test_two_services_that_render_one_object(fleet: Path, clean_env: dict[str, str]) -> None:
    (fleet / "services/api/chart/templates/same.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\n"
    )
    (fleet / "services/web/chart/templates/same.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\n"
    )
    seen = run(["validate", "--render"], str(fleet), clean_env)
    assert seen.code == 1
    assert seen.stdout.decode().splitlines() == [
        "services/web/service.yaml: dev/web: ConfigMap/same is also an object of dev/api",
        "services/web/service.yaml: prod/web: ConfigMap/same is also an object of prod/api",
    ]
