"""Chart archives from where they lie, by helm: repositories, registries, proxies, redirects are its matter.

In: what is requested, its source, a private directory, a deadline. Out: an archive on disk. Transient
faults are tried again within the deadline. Nothing is believed of what comes: the caller looks at it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import NamedTuple
from urllib.parse import urljoin

from ..errors import InputError, ToolError
from ..system.process import Completed, Deadline, run
from ..system.publish import replace_file
from ..tools.discovery import OFFLINE, Tool, is_offline
from ..tools.versions import satisfies
from .chart_request import ChartRequest
from .credentials import REGISTRY_HINT, REPOSITORY_HINT, registry_file, repository_entry
from .mirrors import ChartSource
from .pull_errors import Refusal, refusal
from .repo_index import Version, pick, versions

# Seconds between tries. Helm does not tell what a Retry-After said, so a busy server gets more time.
DELAYS = (0.5, 1.0, 2.0)
BUSY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)
# Of the environment, what would change where helm looks or what it loads stays outside.
_NOT_PASSED = ("HELM_", "KUBE", "ARGOCD_", "PARAM_", "CMP_PLUGIN_")
_REPOSITORY = "source"


class Fetched(NamedTuple):
    """An archive. `url` and `digest` (hex) are what the repository's index says of it, or empty."""

    path: str
    url: str = ""
    digest: str = ""


class Refused(ToolError):
    """A fetch that failed, with why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def fetch(
    request: ChartRequest, source: ChartSource, url: str, tool: Tool, directory: str, deadline: Deadline
) -> Fetched:
    """The archive of `request`, below `directory` (new and private). `url`: where the lock says it is.

    Raises ToolError with one line that names the chart, the source and the reason.
    """
    if source.directory:
        return _from_directory(request, source)
    if is_offline():
        hint = f"`cmp-plugin vendor` puts it beside the service, or unset {OFFLINE}"
        raise ToolError(f"{request} is neither vendored nor in the cache, and {OFFLINE} is set", hint=hint)
    helm = _Helm(tool, source, directory, deadline)
    try:
        return helm.from_registry(request) if source.is_oci else helm.from_repository(request, url)
    except Refused as error:
        hint = error.hint
        if error.refusal.status in (401, 403):
            hint = REGISTRY_HINT if source.is_oci else REPOSITORY_HINT
        message = f"{request} cannot be fetched from {source.said}: {error.message}"
        raise ToolError(message, hint=hint) from None


def _from_directory(request: ChartRequest, source: ChartSource) -> Fetched:
    """From a directory with an index.yaml; an address in it that leads out of it is none."""
    try:
        listed = _listed(os.path.join(source.directory, "index.yaml"), source.name)
    except Refused as error:
        raise ToolError(f"{request} is not in {source.said}: {error.message}") from None
    chosen = pick(listed, request.version)
    if chosen is None:
        # Of a range, which a Chart.yaml may name, the highest; an index has it first.
        with contextlib.suppress(ValueError):
            fitting = (entry for entry in listed if satisfies(entry.version.removeprefix("v"), request.version))
            chosen = next(fitting, None)
    name = chosen.urls[0].partition("?")[0] if chosen and chosen.urls else ""
    path = os.path.realpath(os.path.join(source.directory, name))
    inside = path.startswith(os.path.realpath(source.directory) + os.sep)
    if chosen is None or "://" in name or not inside or not os.path.isfile(path):
        raise ToolError(f"{request} is not in {source.said}")
    return Fetched(path, "", chosen.digest)


class _Helm:
    """helm with a home of its own below `directory`, asking one source."""

    def __init__(self, tool: Tool, source: ChartSource, directory: str, deadline: Deadline) -> None:
        self._tool, self._source, self._home, self._deadline = tool, source, directory, deadline
        self._cache = os.path.join(directory, "cache")
        os.makedirs(self._cache, mode=0o700)
        if not source.is_oci:
            entry = {"name": _REPOSITORY, **repository_entry(source.address)}
            content = json.dumps({"apiVersion": "", "repositories": [entry]})
            replace_file(self._file("repositories.yaml"), content.encode(), 0o600)

    def from_registry(self, request: ChartRequest) -> Fetched:
        return Fetched(self._pull(f"{self._source.address}/{self._source.name}", request.version))

    def from_repository(self, request: ChartRequest, url: str) -> Fetched:
        """By the locked address, without an index; by the index when there is none or it is dead."""
        name = self._source.name
        if url and not self._source.mirrored:
            try:
                return Fetched(self._pull_listed(name, [Version(request.version, "", (url,))], request.version))
            except Refused as error:
                if not error.refusal.absent:
                    raise
        listed = self._versions(name)
        path = self._pull_listed(name, listed, request.version)
        from .archive import inspect

        version = request.version
        with contextlib.suppress(InputError):  # a bad archive: whoever asked says so
            version = inspect(path).version or version
        chosen = pick(listed, version)
        if chosen is None or not chosen.urls:
            return Fetched(path)
        address = urljoin(f"{self._source.address}/", chosen.urls[0])
        # A login or a token may be part of an address, and stays out of a lock.
        is_public = address.startswith(("http://", "https://")) and "?" not in address and "@" not in address
        return Fetched(path, address if is_public and not self._source.mirrored else "", chosen.digest)

    def _versions(self, name: str) -> list[Version]:
        """What the repository's index says of one chart. Helm downloads it as it would an archive:
        parsing all of a large one takes helm ten seconds and a gigabyte, twice.
        """
        address = f"{self._source.address}/index.yaml"
        # Once for all charts that are fetched in one private directory: the next one finds a link to it there.
        index = os.path.join(os.path.dirname(self._home), f"index-{hashlib.sha256(address.encode()).hexdigest()}")
        if not os.path.exists(index):
            os.symlink(self._pull_listed("index", [Version("0.0.0", "", (address,))], "0.0.0"), index)
        listed = _listed(index, name)
        if not listed:
            raise Refused(Refusal(f"its index has no chart {name}", 0, False, True))
        return listed

    def _pull_listed(self, name: str, listed: list[Version], version: str) -> str:
        """Pull from an index of our own making: this one chart, and helm chooses the version."""
        entries = [
            {"apiVersion": "v2", "name": name, "version": entry.version, "urls": list(entry.urls)} for entry in listed
        ]
        index = {"apiVersion": "v1", "entries": {name: entries}}
        replace_file(os.path.join(self._cache, f"{_REPOSITORY}-index.yaml"), json.dumps(index).encode(), 0o600)
        return self._pull(f"{_REPOSITORY}/{name}", version)

    def _pull(self, reference: str, version: str) -> str:
        """The path of what `helm pull` wrote."""
        delays, busy = list(DELAYS), list(BUSY_DELAYS)
        while True:
            destination = self._file(f"pulled-{os.urandom(4).hex()}")
            os.mkdir(destination, 0o700)
            done = self._run("pull", reference, f"--version={version}", f"--destination={destination}")
            names = os.listdir(destination)
            if done.code == 0 and len(names) == 1:
                return os.path.join(destination, names[0])
            why = refusal(done.stderr.decode(errors="replace"))
            waits = busy if why.status in (429, 503) else delays
            if not why.transient or not waits or waits[0] >= self._deadline.left():
                raise Refused(why)
            time.sleep(waits.pop(0))

    def _run(self, *words: str) -> Completed:
        try:
            argv = [self._tool.path, *words]
            return run(argv, cwd=self._home, env=self._environment(), deadline=self._deadline)
        except ToolError:
            if self._deadline.left():
                raise
            reason = f"there was no whole answer within {self._deadline.seconds:g} s"
            raise Refused(Refusal(reason, 0, False, False)) from None

    def _environment(self) -> dict[str, str]:
        """The user's (proxies, certificates, helpers that know registries' logins), with helm's places ours."""
        passed = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_PASSED)}
        registry = registry_file(self._source.address, self._home) if self._source.is_oci else self._file("none.json")
        return {
            **passed,
            "HELM_CACHE_HOME": self._file("helm"),
            "HELM_CONFIG_HOME": self._file("helm"),
            "HELM_DATA_HOME": self._file("helm"),
            "HELM_PLUGINS": self._file("plugins"),
            "HELM_REPOSITORY_CACHE": self._cache,
            "HELM_REPOSITORY_CONFIG": self._file("repositories.yaml"),
            "HELM_CONTENT_CACHE": self._file("content"),
            "HELM_REGISTRY_CONFIG": registry,
            "TMPDIR": self._home,
        }

    def _file(self, name: str) -> str:
        return os.path.join(self._home, name)


def _listed(index: str, name: str) -> list[Version]:
    try:
        with open(index, "rb") as file:
            return versions(file.read(), name)
    except OSError:
        raise Refused(Refusal("there is no index.yaml", 0, False, True)) from None
    except InputError as error:
        raise Refused(Refusal(error.message, 0, False, False)) from None
