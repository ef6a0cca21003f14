"""Starts cmp-plugin for tests as a fork of a process that has all its imports done, in a tenth of the time.

In: by the socket that is standard input, a byte for each run with three open files: a connection, stdout, stderr. By
the connection, a line of JSON (argv, cwd, env, umask). Out: by the connection, a line with the id of the process and,
when it has ended, one with its exit code. Each run is a process of its own, so that nothing of one reaches the next.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
from typing import Any

import cmp_plugin
from cmp_plugin.cli import main


def load() -> None:
    """Import every module of the program."""
    for module in pkgutil.walk_packages(cmp_plugin.__path__, "cmp_plugin."):
        if module.name != "cmp_plugin.__main__":
            importlib.import_module(module.name)
    gc.freeze()


def serve(control: socket.socket) -> dict[str, Any]:
    """Returns what to run in each process that is to run it, and never in this one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, files, _, _ = socket.recv_fds(control, 1, 3)
        if not files:
            sys.exit()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return start(*files)
        for file in files:
            os.close(file)


def start(connection: int, stdout: int, stderr: int) -> dict[str, Any]:
    """Forks the process that returns; this one waits for it and says how it ended."""
    with open(connection, "r+b", buffering=0) as client:
        asked: dict[str, Any] = json.loads(client.readline())
        child = os.fork()
        if child:
            client.write(b"%d\n" % child)
            _, status = os.waitpid(child, 0)
            client.write(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (stdout, 1), (stderr, 2)):
        os.dup2(ours, standard)
        os.close(ours)
    return asked


def run(asked: dict[str, Any]) -> int:
    """The program's exit code, its output written, and with it all that the end of an interpreter is needed for."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    if asked["umask"] >= 0:
        os.umask(asked["umask"])
    sys.argv = asked["argv"]
    try:
        code = main()
    except SystemExit as usage:
        code = int(usage.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    load()
    # Without the end of an interpreter with 500 modules: that takes 40 ms.
    os._exit(run(serve(socket.socket(fileno=0))))
