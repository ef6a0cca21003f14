"""Which helm and kustomize are found or built, from which module, and how that is said."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fleets import write
from program import CHECKOUT, PROGRAM, required, run
from set_up import HELM4

from cmp_plugin.errors import InputError, ToolError
from cmp_plugin.tools import discovery
from cmp_plugin.tools.install import HELM, KUSTOMIZE, Recipe, Step, provide_all, version_for

RELEASED = {
    "helm.sh/helm/v3": "v3.19.5 v3.20.1 v3.20.2 v3.21.4 v3.22.0 v3.23.0-rc.1",
    "helm.sh/helm/v4": "v4.1.3 v4.2.0 v4.2.10 v4.2.9 v4.3.0 v4.3.1 v4.3.2 v4.4.0-rc.1",
    "sigs.k8s.io/kustomize/kustomize": "v0.0.1 v1.0.11",
    "sigs.k8s.io/kustomize/kustomize/v4": "v4.5.4 v4.5.7",
    "sigs.k8s.io/kustomize/kustomize/v5": "v5.7.1 v5.8.2 v5.8.3 v5.9.0",
    "sigs.k8s.io/kustomize/kustomize/v6": "v6.0.0",
}
VERSIONS = [
    # a pinned version that fits is taken, though there is a newer one
    (HELM, "~4.3", "4.3.1"),
    (HELM, ">=4.2 <4.9", "4.3.1"),
    (HELM, "~3.22", "3.22.0"),
    (KUSTOMIZE, "~5.8", "5.8.2"),
    (KUSTOMIZE, ">=5", "5.8.2"),
    (KUSTOMIZE, "*", "5.8.2"),
    # else the newest release that does, by number and not by letters
    (HELM, "~4.2", "4.2.10"),
    (HELM, ">4.3.1 <5", "4.3.2"),
    (HELM, "~3.21 || 3.19", "3.21.4"),
    (KUSTOMIZE, ">=5.8.3", "5.9.0"),
    (KUSTOMIZE, "<5", "4.5.7"),
    (KUSTOMIZE, "1.x", "1.0.11"),
    (KUSTOMIZE, ">=6", "6.0.0"),
]
NONE = [
    (HELM, "~4.4"),  # a candidate for a release is none
    (HELM, "~4.1"),  # its only version has known holes
    (HELM, "~3.23"),
    (KUSTOMIZE, "5.8.9"),
]


def released(module: str) -> list[str]:
    return RELEASED.get(module, "").split()


@pytest.mark.parametrize(("recipe", "wanted", "version"), VERSIONS, ids=[f"{r.kind.name} {w}" for r, w, _ in VERSIONS])
def test_the_version_to_build(recipe: Recipe, wanted: str, version: str) -> None:
    assert version_for(recipe, wanted, released) == version


@pytest.mark.parametrize(("recipe", "wanted"), NONE, ids=[f"{r.kind.name} {w}" for r, w in NONE])
def test_no_release_fits(recipe: Recipe, wanted: str) -> None:
    with pytest.raises(ToolError) as caught:
        version_for(recipe, wanted, released)
    assert caught.value.message == f"no release of {recipe.kind.name} fits {wanted}"


def program(path: Path, says: str) -> Path:
    """A program that says this whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


class Machine:
    """A PATH and a tools cache of its own; its Go writes down what it is asked and builds a script."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.bin = root / "bin"
        self.tools = root / "cache" / "cmp-plugin" / "tools"
        self.bin.mkdir()
        self.tools.mkdir(parents=True)
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        for name in ("CMP_PLUGIN_HELM", "CMP_PLUGIN_KUSTOMIZE", "CMP_PLUGIN_CACHE_DIR", "CMP_PLUGIN_OFFLINE"):
            monkeypatch.delenv(name, raising=False)

    def go(self, builds: str, lists: str = "", first: str = ":") -> None:
        """`go install` leaves a program that says `builds`; `go list` prints `lists`. `first` comes before both."""
        script = program(self.bin / "go", "")
        script.write_text(
            "#!/bin/sh\n"
            f'echo "$*" >> {self.root}/asked\n'
            f"{first}\n"
            "case $1 in\n"
            "version) echo go version go1.27.1 linux/amd64 ;;\n"
            f"list) echo {lists} ;;\n"
            f"install) mkdir -p $GOBIN; printf '#!/bin/sh\\necho {builds}\\n' > $GOBIN/helm; chmod 755 $GOBIN/helm ;;\n"
            "esac\n"
        )

    def failing_go(self, says: str) -> None:
        """`go install` fails with these words, and so does `go list`."""
        program(self.bin / "go", "").write_text(
            "#!/bin/sh\n"
            f'echo "$*" >> {self.root}/asked\n'
            "[ $1 = version ] && { echo go version go1.27.1 linux/amd64; exit 0; }\n"
            f"echo '{says}' >&2; exit 1\n"
        )

    def asked(self) -> list[str]:
        return (self.root / "asked").read_text().splitlines()

    def provide(self, wanted: str) -> discovery.Tool:
        return provide_all([(HELM, wanted)], 1, 1)[0]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_path_comes_first(machine: Machine) -> None:
    on_path = program(machine.bin / "helm", "v4.3.5")
    program(machine.tools / "helm-4.3.1" / "helm", "v4.3.1")
    assert machine.provide("~4.3") == (str(on_path), "4.3.5", "")


@pytest.mark.parametrize("other", ["v4.2.9", "v4.1.3", "v3.22.0", "v4.30.0", "v4.3.0-rc.1", "(devel)", ""])
def test_another_series_on_path(other: str, machine: Machine) -> None:
    """What a render would not use without a warning is not enough, so one is built, and it is used from then on."""
    program(machine.bin / "helm", other)
    machine.go(builds="v4.3.1")
    built = machine.provide("~4.3")
    assert built == (str(machine.tools / "helm-4.3.1" / "helm"), "4.3.1", "")
    flags = "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1"
    install = f"install -trimpath -ldflags {flags} helm.sh/helm/v4/cmd/helm@v4.3.1"
    assert machine.asked() == ["version", install]
    assert machine.provide("~4.3") == built
    assert machine.asked() == ["version", install]


def test_a_version_that_is_not_pinned(machine: Machine) -> None:
    machine.go(builds="v4.2.3", lists="helm.sh/helm/v4 v4.2.2 v4.2.3 v4.3.1")
    assert machine.provide("~4.2").version == "4.2.3"
    assert machine.asked()[1] == "list -m -versions helm.sh/helm/v4"
    assert machine.asked()[2].endswith(" helm.sh/helm/v4/cmd/helm@v4.2.3")


def test_what_was_built_is_asked(machine: Machine) -> None:
    machine.go(builds="v4.3")
    with pytest.raises(ToolError, match=r"what was built does not report version 4\.3\.1"):
        machine.provide("~4.3")
    assert list(machine.tools.iterdir()) == []


def test_a_build_changes_nothing_for_who_names_a_program(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", str(program(machine.root / "own" / "helm", "v4.4.0")))
    machine.go(builds="v4.3.1")
    with pytest.raises(ToolError, match=r"found 4\.4\.0 named by CMP_PLUGIN_HELM"):
        machine.provide("~4.3")
    assert not (machine.root / "asked").exists()


def test_no_range(machine: Machine) -> None:
    with pytest.raises(InputError, match='tools.helm: "four" is no version range'):
        machine.provide("four")


def test_failure_is_one_line_with_the_reason(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ToolError, match=r"^\[1/1\] thing: exit code 3 of sh$"):
        Step(1, 1, "thing").run(["/bin/sh", "-c", "echo out; echo why >&2; exit 3"])
    assert capfd.readouterr().err == "out\nwhy\n"


OTHER_WAYS = "put one on PATH or name it in CMP_PLUGIN_HELM"
FAILURES = [
    (
        "~4.3",
        'go: helm.sh/helm/v4@v4.3.1: Get "https://proxy/v4.3.1.info": dial tcp: lookup proxy on 10.0.0.1:53: no such host',
        "no network",
    ),
    (
        "~4.2",
        'go: module helm.sh/helm/v4: Get "https://proxy/@v/list": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused',
        "no network",
    ),
    ("~9", "go: module helm.sh/helm/v9: not found", "no release of helm fits ~9"),
    (
        "2.17.0",
        'go: unrecognized import path "helm.sh/helm/v2": https fetch: Get "https://helm.sh/helm/v2?go-get=1": dial tcp: no such host',
        "no release of helm fits 2.17.0",
    ),
    ("~4.3", "main.go:1:1: expected package", "exit code 1 of go"),
]


@pytest.mark.parametrize(("wanted", "says", "reason"), FAILURES)
def test_the_last_line_of_a_failed_build_is_enough(wanted: str, says: str, reason: str, machine: Machine) -> None:
    machine.failing_go(says)
    with pytest.raises(ToolError) as caught:
        machine.provide(wanted)
    assert str(caught.value) == f"[1/1] helm {wanted}: it is missing and cannot be built: {reason} ({OTHER_WAYS})"
    assert list(machine.tools.iterdir()) == []


def test_a_python_that_cannot_lend_a_go(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Go; the Python is a script, whose pip reaches nobody."""
    refused = "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution"
    python = program(machine.root / "python", "")
    python.write_text(
        '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p $3/bin; cp $0 $3/bin/python; exit; fi\n'
        f"echo \"WARNING: Retrying after connection broken by 'NewConnectionError({refused})'\" >&2; exit 1\n"
    )
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ToolError) as caught:
        machine.provide("~4.3")
    assert caught.value.message == "[1/1] helm ~4.3: it is missing and cannot be built: no network"


def test_offline_nothing_is_started(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go(builds="v4.3.1")
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    with pytest.raises(ToolError) as caught:
        machine.provide("~4.3")
    assert str(caught.value) == (
        f"[1/1] helm ~4.3: it is missing and cannot be built: CMP_PLUGIN_OFFLINE is set ({OTHER_WAYS})"
    )
    assert not (machine.root / "asked").exists()
    on_path = program(machine.bin / "helm", "v4.3.5")
    assert machine.provide("~4.3").path == str(on_path)
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "0")
    on_path.unlink()
    assert machine.provide("~4.3").version == "4.3.1"


def test_a_cache_that_cannot_be_written(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above it refuses root too, whom permissions do not. It matters only to what is built."""
    machine.go(builds="v4.3.1")
    cache = program(machine.root / "file", "") / "cache"
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(cache))
    with pytest.raises(ToolError) as caught:
        machine.provide("~4.3")
    assert str(caught.value) == (
        f"[1/1] helm ~4.3: it is missing and cannot be built: the cache {cache} cannot be written: Not a directory "
        f"(set CMP_PLUGIN_CACHE_DIR, {OTHER_WAYS})"
    )
    on_path = program(machine.bin / "helm", "v4.3.5")
    assert machine.provide("~4.3").path == str(on_path)


def test_a_cache_that_cannot_be_listed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is one in which there is nothing. Root may list it; an ordinary user is refused."""
    machine.tools.chmod(0)
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    with pytest.raises(ToolError, match=r"^\[1/1\] helm ~4\.3: it is missing and cannot be built: "):
        machine.provide("~4.3")
    machine.tools.chmod(0o755)


def test_no_cache_is_made_for_tools_on_path(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine.bin / "helm", "v4.3.5")
    tools = machine.root / "other" / "tools"
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tools.parent))
    machine.provide("~4.3")
    assert not tools.exists()


def begun(machine: Machine, env: dict[str, str]) -> subprocess.Popen[str]:
    """An install whose build does not end, started and in the middle of it."""
    os.mkfifo(machine.root / "building")
    install = subprocess.Popen(
        [PROGRAM, "tools", "install"],
        cwd=machine.root,
        env={**env, "PATH": os.environ["PATH"], "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    (machine.root / "building").read_text()  # returns when go has opened and closed it
    return install


def test_what_a_killed_install_left_is_swept(machine: Machine, clean_env: dict[str, str]) -> None:
    """By the next install, whether that one builds anything or not; not while the first one runs."""
    machine.go(builds="v4.3.1", first=f"[ $1 = version ] || {{ : > {machine.root}/building; exec sleep 60; }}")
    with begun(machine, clean_env) as install:
        (scratch,) = machine.tools.iterdir()
        (scratch / "gopath" / "pkg").mkdir(parents=True)
        program(machine.bin / "helm", "v4.3.5")
        machine.provide("~4.3")
        assert scratch.exists()
        os.killpg(install.pid, signal.SIGKILL)
    assert scratch.exists()
    machine.provide("~4.3")
    assert not scratch.exists()


@pytest.mark.parametrize("borrowed", [False, True])
def test_ctrl_c_says_what_takes_so_long(borrowed: bool, machine: Machine, clean_env: dict[str, str]) -> None:
    """The borrowed Go is seen by its venv; a person's own leaves hardly anything to remove."""
    lend = "mkdir -p $(dirname $GOBIN)/venv; " if borrowed else ""
    machine.go(builds="v4.3.1", first=f"[ $1 = version ] || {{ {lend}: > {machine.root}/building; exec sleep 60; }}")
    with begun(machine, clean_env) as install:
        os.killpg(install.pid, signal.SIGINT)
        assert install.stderr
        said = install.stderr.read().splitlines()
        assert install.wait() == 130
    assert said[1].startswith("[1/2] helm ~4.3: building 4.3.1")
    assert said[2:] == (["removing what was built"] if borrowed else [])
    assert list(machine.tools.iterdir()) == []


def test_a_long_step_says_that_it_still_runs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmp_plugin.tools.install._HEARTBEAT", 0.05)
    assert Step(1, 1, "thing").run(["/bin/sh", "-c", "sleep 0.5; echo done"]) == "done\n"
    assert "[1/1] thing: 0 s" in capfd.readouterr().err.splitlines()


def test_copied_tools(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """A whole run of the script, which has nothing to build; its result is on stderr alone."""
    script = os.path.join(CHECKOUT, "scripts", "set_up.py")
    target = tmp_path / "tools"
    done = subprocess.run(
        [sys.executable, script, "--tools", str(target)],
        env=clean_env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["[1/2] kustomize ~5.8", "[2/2] helm ~4.3"]
    assert discovery.ask(HELM.kind, str(target / "helm")).startswith("4.3.")
    assert discovery.ask(KUSTOMIZE.kind, str(target / "kustomize")).startswith("5.8.")


def test_a_target_that_cannot_be_made(clean_env: dict[str, str]) -> None:
    script = os.path.join(CHECKOUT, "scripts", "set_up.py")
    argv = [sys.executable, script, "--tools", "/proc/x"]
    done = subprocess.run(argv, env=clean_env, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "/proc/x: No such file or directory\n"


def test_an_old_python_gets_as_far_as_the_line_that_helps() -> None:
    """Python 3.6 can parse the script, and nothing but the check and what it needs comes before its end."""
    text = Path(CHECKOUT, "scripts", "set_up.py").read_text()
    _, imported, check, *rest = ast.parse(text, feature_version=(3, 6)).body
    assert ast.unparse(imported) == "import sys"
    said: dict[str, str] = {}
    old = type("sys", (), {"version_info": (3, 6, 15), "exit": staticmethod(lambda line: said.update(line=line))})
    exec(compile(ast.unparse(check), "set_up.py", "exec"), {"sys": old})
    assert said == {"line": "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11"}
    assert not [each for each in rest if isinstance(each, ast.ImportFrom) and each.module == "__future__"]


def test_a_directory_that_is_named_must_lie_in_a_fleet(tmp_path: Path, clean_env: dict[str, str]) -> None:
    for named, code, line in (
        ("/nope", 1, "/nope is no directory"),
        ("", 2, "an empty word is no directory"),
        (".", 1, "there is no fleet.yaml in this directory or above it (name the fleet with -C DIR)"),
    ):
        for command in (["tools", "install"], ["list"]):
            done = run(["-C", named, *command], str(tmp_path), clean_env)
            assert (done.code, done.stdout, done.stderr.decode()) == (code, b"", f"{line}\n")
    (tmp_path / "fleet.yaml").mkdir()
    for words in (["tools", "install"], ["-C", ".", "tools", "install"], ["list"]):
        done = run(words, str(tmp_path), clean_env)
        assert (done.code, done.stdout) == (1, b"")
        assert done.stderr.decode() == "fleet.yaml: fleet.yaml is a directory, a file is needed\n"


def test_the_command(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """The fleet's ranges decide; a directory that is not a fleet gets what a fleet without `tools` gets."""
    fleet = write(tmp_path / "fleet", {"fleet.yaml": "tools: {helm: ~3.22}\n"})
    done = run(["tools", "install"], str(fleet), clean_env)
    assert done.code == 0, done.stderr
    three, five = done.stdout.decode().splitlines()
    assert three.startswith("helm 3.22.") and five.startswith("kustomize 5.8.")
    done = run(["tools", "install"], str(tmp_path), clean_env)
    assert done.code == 0
    helm = required(*HELM4)
    assert done.stdout.decode().splitlines()[0].startswith(f"helm {helm.version}: /")
    assert done.stderr.decode().startswith("the default versions: ")


def test_doctor_and_errors_name_the_command(tmp_path: Path, clean_env: dict[str, str]) -> None:
    nothing = {**clean_env, "XDG_CACHE_HOME": str(tmp_path), "PATH": str(Path(sys.executable).parent)}
    said = "cmp-plugin tools install builds the one that fleet.yaml asks for"
    for words in (["doctor"], ["preview", "kind.local", "web"]):
        done = run(words, CHECKOUT, nothing)
        assert done.code == 1
        assert said in (done.stdout + done.stderr).decode(), words
    program(tmp_path / "bin" / "helm", "v4.9.0")
    done = run(["doctor"], CHECKOUT, {**nothing, "PATH": f"{nothing['PATH']}:{tmp_path}/bin"})
    assert "is outside ~4.3 (cmp-plugin tools install builds one that fits)" in done.stdout.decode()
