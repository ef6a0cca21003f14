"""The program in a network namespace in which there is nothing, not even a loopback that is up."""

from __future__ import annotations

import functools
import subprocess

from program import PROGRAM, Outcome

WAYS = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])


@functools.cache
def way() -> list[str]:
    """How this machine lets us into such a namespace; that it does not is an error, never a skip."""
    said = []
    for words in WAYS:
        done = subprocess.run([*words, "cat", "/proc/net/dev"], capture_output=True, text=True, timeout=60, check=False)
        names = [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]]
        if done.returncode == 0 and names in ([], ["lo"]):
            return words
        said.append(done.stderr.strip())
    raise PermissionError(f"the proof that a render needs no network needs a network namespace: {said}")


def run_without_network(args: list[str], cwd: str, env: dict[str, str]) -> Outcome:
    """cmp-plugin with `args`, as `program.run` runs it, without a network."""
    done = subprocess.run(
        [*way(), PROGRAM, *args],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=600,
        check=False,
    )
    return Outcome(done.stdout, done.stderr, done.returncode)
