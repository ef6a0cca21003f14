"""Builds sidecar.Dockerfile without Docker, on a Debian made here, and runs a program in the result.

Needs root and Debian's packages buildah, debootstrap and bubblewrap. Nothing is kept: the storage is
a directory of the caller's. The base trusts what this machine trusts, as its network may ask for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from checkout import CHECKOUT

SUITE = "trixie"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
BASE = "localhost/base"
IMAGE = "localhost/cmp-plugin"
SHELLS = ("usr/bin/dash", "usr/bin/bash")


class Image:
    """The built image, unpacked in `root`, with the configuration a container runtime would obey."""

    def __init__(self, root: Path, configuration: dict[str, Any]) -> None:
        self.root = root
        self.configuration = configuration
        self.environment = dict(each.split("=", 1) for each in configuration["Env"])

    def argv(self, command: list[str], sockets: Path, programs: Path) -> list[str | Path]:
        """`command` as the image's user, in a container of its own with a read-only root.

        Only /tmp and the sockets' directory are writable, and there is no shell: should the plugin
        need one, it fails. `programs` is what Argo CD copies to /var/run/argocd.
        """
        argv: list[str | Path] = ["bwrap", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--clearenv"]
        argv += ["--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
        argv += ["--bind", sockets, "/home/argocd/cmp-server/plugins", "--ro-bind", programs, "/run/argocd"]
        for shell in SHELLS:
            argv += ["--ro-bind", "/dev/null", f"/{shell}"]
        for name, value in self.environment.items():
            argv += ["--setenv", name, value]
        user = str(self.configuration["User"])
        argv += ["--chdir", self.configuration["WorkingDir"], "setpriv", "--reuid", user, "--regid", user]
        return [*argv, "--clear-groups", "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all", *command]


def build(work: Path) -> Image:
    """Builds the image below `work`, a minutes' work: helm and kustomize are compiled in it."""
    _make_base(work)
    _buildah(work, "build", "--isolation", "chroot", "--layers=false", "--build-arg", f"BASE={BASE}", *_file())
    container = _buildah(work, "from", IMAGE).strip()
    root = Path(_buildah(work, "mount", container).strip())
    # What a container runtime makes before it locks the root: the places of mounts.
    for place in ("run/argocd", "home/argocd/cmp-server/plugins"):
        (root / place).mkdir(parents=True, exist_ok=True)
    inspected = json.loads(_buildah(work, "inspect", "--type", "image", IMAGE))
    return Image(root, inspected["OCIv1"]["config"])


def _file() -> list[str]:
    return ["--file", os.path.join(CHECKOUT, "sidecar.Dockerfile"), "--tag", IMAGE, CHECKOUT]


def _make_base(work: Path) -> None:
    root = work / "base"
    _run(["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(root)])
    shutil.copy(f"/{CERTIFICATES}", root / CERTIFICATES)
    container = _buildah(work, "from", "scratch").strip()
    _buildah(work, "add", "--quiet", container, str(root), "/")
    trust = [f"--env={name}=/{CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    _buildah(work, "config", *trust, container)
    _buildah(work, "commit", "--quiet", container, BASE)
    shutil.rmtree(root)


def _buildah(work: Path, *words: str) -> str:
    storage = ["--root", str(work / "storage"), "--runroot", str(work / "run"), "--storage-driver", "vfs"]
    return _run(["buildah", *storage, *words])


def _run(argv: list[str]) -> str:
    done = subprocess.run(["nice", *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
