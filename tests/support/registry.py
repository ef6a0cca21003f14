"""A real OCI registry on loopback: Debian's docker-registry, with TLS and, if asked for, a login."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Self

from program import needed

# `secret`, as htpasswd -B writes it.
HTPASSWD = "ci:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http:
  addr: 127.0.0.1:{port}
  tls: {{certificate: {root}/cert.pem, key: {root}/key.pem}}
"""
AUTH = "auth: {{htpasswd: {{realm: test, path: {root}/htpasswd}}}}\n"


class Certificate(NamedTuple):
    """A certificate for 127.0.0.1 that signs itself, and its key."""

    cert: str
    key: str


def certificate(directory: Path) -> Certificate:
    """Made by openssl, valid for a day."""
    needed("openssl")
    made = Certificate(str(directory / "cert.pem"), str(directory / "key.pem"))
    subprocess.run(
        [
            *"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test".split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout",
            made.key,
            "-out",
            made.cert,
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return made


class Registry:
    """`with Registry(directory) as registry: registry.address`; `login=True` asks for ci:secret."""

    def __init__(self, directory: Path, login: bool = False) -> None:
        needed("docker-registry")
        directory.mkdir(parents=True)
        self.certificate = certificate(directory)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        (directory / "htpasswd").write_text(HTPASSWD)
        config = (CONFIG + (AUTH if login else "")).format(root=directory, port=self.port)
        (directory / "config.yml").write_text(config)
        self._words = ["docker-registry", "serve", str(directory / "config.yml")]
        self._log = directory / "log"
        self.address = f"oci://127.0.0.1:{self.port}/charts"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._words, stdout=log, stderr=log, env={"OTEL_TRACES_EXPORTER": "none", "PATH": os.environ["PATH"]}
            )
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(30)

    def log(self) -> str:
        """What it said, each request among it."""
        return self._log.read_text()

    def push(self, helm: str, archive: Path, home: Path, login: bool = False) -> None:
        """`helm push` of an archive to `address`."""
        words = [helm, "push", str(archive), self.address, "--ca-file", self.certificate.cert]
        words += ["--username", "ci", "--password", "secret"] if login else []
        done = subprocess.run(
            words, env={"HOME": str(home), "PATH": ""}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0
