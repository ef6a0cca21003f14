"""Builds Argo CD, Kubernetes' API server, etcd and OpenTofu, which the tests beside this file run.

    python3 tests/real_argocd/build.py    about half an hour on two cores the first time, then nothing

In: the `*.go.mod` and `*.go.sum` here, which pin every module. Out: `directory(bundle)`, one per
bundle and version, complete or absent: a build works in a directory of its own, which is renamed.
Standard library only, as it runs before anything is installed. Nothing here starts what it built.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "scripts"))

import checkout  # noqa: E402, F401  (found by the line above; it makes the next ones found)

from cmp_plugin.errors import CmpError  # noqa: E402
from cmp_plugin.tools.install import Step, go_environment, tools_cache  # noqa: E402


class Bundle(NamedTuple):
    """What is built from one Go module: `binaries` maps a file's name to its package.

    `files` are copied out of the module `files_from`: path there -> name here.
    """

    name: str
    version: str
    module: str
    binaries: dict[str, str]
    minutes: int
    ldflags: str = ""
    tags: str = ""
    files_from: str = ""
    files: tuple[tuple[str, str], ...] = ()


def kubernetes_version(version: str) -> str:
    """Without these flags Kubernetes' programs call themselves v0.0.0, and charts refuse that."""
    major, minor, _ = version.split(".")
    component = "k8s.io/component-base/version"
    return (
        f"-X {component}.gitVersion=v{version} -X {component}.gitMajor={major} "
        f"-X {component}.gitMinor={minor} -X k8s.io/client-go/pkg/version.gitVersion=v{version}"
    )


ARGOCD = Bundle(
    "argocd",
    "3.6.1",
    "argocd",
    {"argocd": "github.com/argoproj/argo-cd/v3/cmd"},
    5,
    "-X github.com/argoproj/argo-cd/v3/common.version=3.6.1",
    files_from="github.com/argoproj/argo-cd/v3",
    files=(
        ("manifests/crds", "crds"),
        ("manifests/base/config", "config"),
        ("hack/git-verify-wrapper.sh", "git-verify-wrapper.sh"),
    ),
)
KUBERNETES = Bundle(
    "kubernetes",
    "1.37.2",
    "kube",
    {
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    },
    6,
    kubernetes_version("1.37.2"),
)
ETCD = Bundle("etcd", "3.7.3", "kube", {"etcd": "go.etcd.io/etcd/server/v3"}, 1)
# Its release flags, and the http2 package that its grpc was written for: Go 1.27's is another.
TOFU = Bundle(
    "tofu",
    "1.12.6",
    "tofu",
    {"tofu": "github.com/opentofu/opentofu/cmd/tofu"},
    3,
    "-X github.com/opentofu/opentofu/version.dev=no",
    "http2legacy",
)
BUNDLES = (ARGOCD, KUBERNETES, ETCD, TOFU)

# Argo CD's one binary is a different program under each of these names.
ARGOCD_PROGRAMS = (
    "argocd-cmp-server",
    "argocd-repo-server",
    "argocd-application-controller",
    "argocd-applicationset-controller",
)


def cache() -> Path:
    """Where builds are kept: beside the tools cache, shared by all checkouts."""
    return Path(tools_cache()).parent / "argocd"


def directory(bundle: Bundle) -> Path:
    """Where `bundle` is, once built."""
    return cache() / f"{bundle.name}-{bundle.version}"


def main() -> int:
    try:
        with locked():
            build_missing([bundle for bundle in BUNDLES if not directory(bundle).is_dir()])
    except CmpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def locked() -> Iterator[None]:
    """The cache for this process alone, without what interrupted ones have left in it."""
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for interrupted in cache().glob(".*-*"):
            shutil.rmtree(interrupted)
        yield


def build_missing(missing: list[Bundle]) -> None:
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=cache(), prefix=".go-") as scratch:
        for number, bundle in enumerate(missing, 1):
            step = Step(number, len(missing), f"{bundle.name} {bundle.version}")
            build(bundle, step, go_environment(step, scratch))


def build(bundle: Bundle, step: Step, environment: dict[str, str]) -> None:
    """Builds `bundle` into `directory(bundle)`; raises ToolError when Go fails."""
    step.say(f"building from its Go module, about {bundle.minutes} minutes")
    with published(directory(bundle)) as work:
        source = work / "source"
        source.mkdir()
        for suffix in ("mod", "sum"):
            shutil.copy(HERE / f"{bundle.module}.go.{suffix}", source / f"go.{suffix}")
        go = ["nice", "go", "-C", str(source)]
        for name, package in bundle.binaries.items():
            flags = ["-trimpath", "-tags", bundle.tags, "-ldflags", f"-s -w {bundle.ldflags}", "-o", str(work / name)]
            step.run([*go, "build", *flags, package], environment)
        if bundle.files:
            listed = [*go, "list", "-m", "-f", "{{.Dir}}", bundle.files_from]
            module = subprocess.run(listed, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
            copy_files(Path(module.strip()), work, bundle.files)
        for program in ARGOCD_PROGRAMS if bundle is ARGOCD else ():
            (work / program).symlink_to("argocd")
        shutil.rmtree(source)
    step.say(f"built in {step.seconds()} s")


def copy_files(module: Path, target: Path, files: tuple[tuple[str, str], ...]) -> None:
    """Copies files and directories of files; all is read-only in the module cache, but not here."""
    for wanted, name in files:
        source = module / wanted
        if source.is_dir():
            (target / name).mkdir()
            for file in source.iterdir():
                shutil.copyfile(file, target / name / file.name)
        else:
            shutil.copyfile(source, target / name)
            (target / name).chmod(0o755)


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """A directory to work in that becomes `target` when the block ends well, else goes away."""
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield work
        work.chmod(0o755)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
