"""A chart repository on loopback that does what a test tells it to, faults included."""

from __future__ import annotations

import base64
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self
from urllib.parse import urlsplit


class Asked(NamedTuple):
    """One request: its path and who it says it is (`user:password`, or "")."""

    path: str
    login: str


Answer = Callable[["Handler", bytes], None]


class Repository:
    """`with Repository(directory) as served: served.url ...`; `answers[path]` are used up first."""

    def __init__(self, directory: str, login: str = "") -> None:
        self.directory = directory
        self.login = login
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Answer]] = {}
        self._server = Server(self)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.asked]


class Server(ThreadingHTTPServer):
    """A port of its own on loopback."""

    daemon_threads = True

    def __init__(self, repository: Repository) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repository = repository

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Serves files, unless the repository has another answer waiting."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        repository = self.server.repository
        path = urlsplit(self.path).path
        login = _login(self.headers.get("Authorization", ""))
        repository.asked.append(Asked(path, login))
        content = _content(os.path.join(repository.directory, path.lstrip("/")))
        waiting = repository.answers.get(path)
        if waiting:
            waiting.pop(0)(self, content)
        elif repository.login and login != repository.login:
            status(401)(self, content)
        elif content:
            whole(self, content)
        else:
            status(404)(self, content)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


def _login(header: str) -> str:
    kind, _, token = header.partition(" ")
    return base64.b64decode(token).decode() if kind == "Basic" else ""


def _content(path: str) -> bytes:
    if not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def whole(handler: Handler, content: bytes) -> None:
    """The file as it is."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def status(code: int, **headers: str) -> Answer:
    """An error; `Retry_After="1"` becomes a header."""

    def answer(handler: Handler, content: bytes) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def other(content: bytes) -> Answer:
    """Another file's content."""
    return lambda handler, _: whole(handler, content)


def reset(handler: Handler, content: bytes) -> None:
    """Half of the file, then the connection is torn down."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def truncated(handler: Handler, content: bytes) -> None:
    """Half of the file as if it were all of it."""
    whole(handler, content[: len(content) // 2])


def silent(seconds: float) -> Answer:
    """No answer for a while, then a whole one."""

    def answer(handler: Handler, content: bytes) -> None:
        time.sleep(seconds)
        try:
            whole(handler, content)
        except OSError:
            handler.close_connection = True

    return answer


def trickling(handler: Handler, content: bytes) -> None:
    """A byte now and then, for five seconds at most."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    try:
        for place in range(min(len(content), 50)):
            handler.wfile.write(content[place : place + 1])
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True
