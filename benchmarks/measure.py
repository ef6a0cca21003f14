"""Time commands against each other: interleaved rounds, medians, peak memory of the process tree.

In: commands. Out: samples. Standard library only; prints nothing and knows nothing of fleets.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from typing import NamedTuple


class Command(NamedTuple):
    """A program to run: its words, directory and whole environment. Its output is thrown away."""

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]


class Sample(NamedTuple):
    """One run: wall seconds, and the peak MiB of the largest process in it (children included)."""

    seconds: float
    peak: float


class Measured(NamedTuple):
    """All runs of one command."""

    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def peak(self) -> float:
        return max(sample.peak for sample in self.samples)


def interleaved(commands: dict[str, Command], rounds: int) -> dict[str, Measured]:
    """A B A B ...: what slows the machine for a while slows all of them. One round before warms up."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            sample = once(command)
            if number:
                samples[name].append(sample)
    return {name: Measured(tuple(found)) for name, found in samples.items()}


def once(command: Command) -> Sample:
    """Raises RuntimeError with the command's own words when it fails: a failure is no measurement."""
    with open(os.devnull, "wb") as nowhere:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=nowhere,
            stderr=subprocess.PIPE,
        )
        assert process.stderr
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command.argv)}: {said.decode(errors='replace')}")
    return Sample(seconds, usage.ru_maxrss / 1024)
