"""Make a checkout ready: packages in .venv, then kustomize and helm of the pinned versions.

    python3 scripts/set_up.py            what `make preview` needs
    python3 scripts/set_up.py --dev      what `make lint` needs: test packages and a second helm too
    python3 scripts/set_up.py --tests    what `make test` needs: the same, and Debian's packages
    python3 scripts/set_up.py --argocd   what `make test-argocd` needs: other packages of Debian
    python3 scripts/set_up.py --sidecar  what `make test-sidecar` needs: others again
    python3 scripts/set_up.py --tools DIR  helm and kustomize only, copied to DIR, for an image

Standard library only, as it runs before anything is installed. A tool on PATH is used when it is of
the wanted series; otherwise it is built from its Go module into the tools cache. Debian's packages
(needs.py lists them) are installed by root only. What it does goes to stderr, so that the output of a
command after it stays clean.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (whatever python3 a machine has comes here)
    # Before all else, as other modules do not even parse there; this one must, from Python 3.6 on.
    sys.exit("Python 3.11 or newer is needed; name one with: make PYTHON=python3.11")

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import tomllib

import needs
from checkout import CHECKOUT

from cmp_plugin.errors import CmpError
from cmp_plugin.specs import defaults
from cmp_plugin.system.locks import ALONE, lock_directory
from cmp_plugin.tools.install import HELM, KUSTOMIZE, Step, pip, provide_all

VENV = os.path.join(CHECKOUT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
# Recipes and ranges: what a fleet without `tools` gets, and the older helm that tests need too.
KUSTOMIZE5 = (KUSTOMIZE, defaults.KUSTOMIZE)
HELM4 = (HELM, defaults.HELM)
HELM3 = (HELM, "~3.22")


def fingerprint() -> str:
    """Changes whenever .venv has to be made anew: other locks, other metadata, other place."""
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
        require_venv_module(step)
        if os.path.islink(VENV):
            raise CmpError(".venv is a link, and what it leads to is not up to date")
        step.run([sys.executable, "-m", "venv", "--clear", VENV])
    step.say(f"installing requirements/{level}.txt")
    locked = os.path.join(CHECKOUT, "requirements", f"{level}.txt")
    step.run([*pip(PYTHON), "--require-hashes", "-r", locked])
    step.run([*pip(PYTHON), "--no-deps", "--no-build-isolation", "--editable", CHECKOUT])
    for stamp in {"run", level}:
        with open(stamp_path(stamp), "w") as file:
            file.write(fingerprint())
    step.say(f"installed in {step.seconds()} s")


def require_venv_module(step: Step) -> None:
    """Debian has Python's venv module in a package of its own."""
    if importlib.util.find_spec("ensurepip") is None and can_install():
        install(step, ["python3-venv"])
        importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip") is None:
        raise CmpError("Python's venv module is not complete; on Debian: apt-get install python3-venv")


def can_install() -> bool:
    """Whether this process may install Debian's packages."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(step: Step, packages: list[str]) -> None:
    """Debian's packages by name. CmpError when apt-get fails; what it said is then on stderr."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Another apt-get may run at the same time, on a new machine above all: 10 minutes are its turn.
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
    step.run([*apt, "update"], env)
    step.run([*apt, "install", "-y", "--no-install-recommends", *packages], env)


def provide_programs(step: Step, wanted: tuple[needs.Need, ...], optional: bool) -> None:
    """The programs of one table of needs. What cannot be installed is an error unless it is `optional`."""
    lacking = needs.missing(wanted)
    if not lacking:
        step.say("already there")
        return
    for need in lacking:
        step.say(f"{need.package}: {need.program} {need.reason}")
    if can_install():
        step.say("installing them with apt-get")
        try:
            install(step, [need.package for need in lacking])
        except CmpError as error:
            if not optional:
                raise
            print(error, file=sys.stderr)
            step.say(f"tests that need them are skipped; {needs.advice(lacking)}")
        else:
            step.say(f"installed in {step.seconds()} s")
        return
    if not optional:
        raise CmpError(f"{step.prefix}{needs.advice(lacking)}")
    step.say(f"only root can install them; tests that need them are skipped; {needs.advice(lacking)}")


def set_up(level: str, programs: tuple[needs.Need, ...] = (), optional: bool = False) -> None:
    """Packages of requirements/<level>.txt, the tools that go with them, and Debian's programs."""
    tools = [KUSTOMIZE5, HELM4] + ([HELM3] if level == "test" else [])
    total = 1 + len(tools) + bool(programs)
    install_packages(Step(1, total, "Python packages"), level)
    provide_all(tools, 2, total)
    if programs:
        provide_programs(Step(total, total, "Debian's packages"), programs, optional)


def copy_tools(directory: str) -> None:
    """Helm and kustomize alone, as files of `directory`."""
    os.makedirs(directory, exist_ok=True)  # first: a build takes minutes
    tools = provide_all([KUSTOMIZE5, HELM4], 1, 2)
    for tool in tools:
        shutil.copy(tool.path, directory)


def alone() -> int | None:
    """Hold a lock on the checkout until this process ends: two calls at once would write one .venv."""
    lock = lock_directory(CHECKOUT, ALONE)
    if lock is None:
        print("waiting for another set-up of this checkout", file=sys.stderr, flush=True)
        lock = lock_directory(CHECKOUT, ALONE, wait=True)
    return lock


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a checkout ready.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--dev", action="store_true", help="test packages and a second helm too")
    which.add_argument("--tests", action="store_true", help="the same and what tests need of Debian")
    which.add_argument("--argocd", action="store_true", help="what the tests with real Argo CD need")
    which.add_argument("--sidecar", action="store_true", help="what the tests of the sidecar's image need")
    which.add_argument("--tools", metavar="DIR", help="helm and kustomize only, copied to DIR")
    args = parser.parse_args()
    try:
        alone()
        if args.tools:
            copy_tools(args.tools)
        elif args.tests:
            set_up("test", needs.TESTS, optional=True)
        elif args.argocd:
            set_up("test", needs.ARGOCD)
        elif args.sidecar:
            set_up("test", needs.SIDECAR)
        else:
            set_up("test" if args.dev else "run")
    except CmpError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
