"""The program in a network namespace in which there is nothing, not even a loopback that is up."""

from __future__ import annotations

import functools
import subprocess

from program import PROGRAM, Outcome, lacking

WAYS = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])


@functools.cache
def way() -> list[str]:
    """How this machine lets us into such a namespace. Where it does not, the test that asks is skipped; in CI it fails.

    An ordinary user is refused in a chroot, and where the system allows root alone to make user namespaces.
    """
    for words in WAYS:
        done = subprocess.run([*words, "cat", "/proc/net/dev"], capture_output=True, text=True, timeout=60, check=False)
        names = [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]]
        if done.returncode == 0 and names in ([], ["lo"]):
            break
    else:
        lacking(
            f"a network namespace is refused ({done.stderr.strip()}): run as root, or as a user outside of a chroot"
        )
    return words


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
