"""A git repository by HTTP on loopback: git's own http-backend behind a few lines of CGI."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self


class GitServer:
    """`with GitServer(directory) as served: served.url + "/repository.git"`; `asked` counts requests."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.login = ""
        self.refusals: list[int] = []
        self.asked: list[str] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, served: GitServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served = served


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        served = self.server.served
        served.asked.append(self.path)
        login = base64.b64encode(served.login.encode()).decode()
        if served.refusals:
            self._refuse(served.refusals.pop(0))
        elif served.login and self.headers.get("Authorization") != f"Basic {login}":
            self._refuse(401)
        else:
            self._backend(served)

    do_POST = do_GET

    def _refuse(self, code: int) -> None:
        self.send_response(code)
        self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _backend(self, served: GitServer) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(served.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=env, capture_output=True, timeout=60, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


def committed(repository: Path, files: dict[str, str], links: dict[str, str] | None = None) -> str:
    """A repository with one more commit of these files; its full name."""
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    env = {"PATH": os.environ["PATH"], "HOME": str(repository), "GIT_CONFIG_NOSYSTEM": "1"}
    if not repository.exists():
        repository.mkdir(parents=True)
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True, env=env, timeout=60)
    for name, text in files.items():
        place = repository / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for name, target in (links or {}).items():
        (repository / name).symlink_to(target)
    subprocess.run([*git, "add", "-A"], check=True, env=env, timeout=60)
    subprocess.run([*git, "commit", "-q", "-m", "more"], check=True, env=env, timeout=60)
    found = subprocess.run([*git, "rev-parse", "HEAD"], check=True, env=env, capture_output=True, text=True, timeout=60)
    return found.stdout.strip()
