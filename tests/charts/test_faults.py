"""Everything that a network does to a fetch, by real servers on loopback and the real helm."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packing import CHART_YAML, archive, file
from serving import Handler, Repository, other, reset, silent, status, trickling, truncated, whole

from cmp_plugin.charts import store
from cmp_plugin.charts.chart_request import ChartRequest
from cmp_plugin.charts.lockfile import Locked
from cmp_plugin.charts.obtain import FetchContext, lock_chart, locked_chart
from cmp_plugin.errors import CmpError

SMALL = "/small-1.0.0.tgz"
INDEX = "/index.yaml"
Ask = Callable[..., ChartRequest]
MakeContext = Callable[..., FetchContext]


def refusal(wanted: ChartRequest, context: FetchContext, entry: Locked | None = None) -> str:
    """The error that a fetch ends with; the store must be as empty as before."""
    with pytest.raises(CmpError) as refused:
        if entry:
            locked_chart(wanted, entry, context)
        else:
            lock_chart(wanted, context)
    kept = os.listdir(store.directory()) if os.path.isdir(store.directory()) else []
    assert [name for name in kept if not name.startswith(".busy-")] == []
    return str(refused.value)


def locked(served: Repository, path: str = SMALL, address: str = "") -> Locked:
    """What a lock would say of the archive at `path`."""
    digest = store.digest_of(served.directory + path)
    return Locked(served.url, "small", "1.0.0", digest, url=address or served.url + path)


def test_a_chart_is_fetched_and_locked(served: Repository, asks: Ask, context: MakeContext) -> None:
    entry, directory = lock_chart(asks(version="2.0.0"), context())
    digest = store.digest_of(f"{served.directory}/small-2.0.0.tgz")
    url = f"{served.url}/small-2.0.0.tgz"
    assert entry == Locked(served.url, "small", "2.0.0", digest, "", url, ">=1.20.0-0")
    assert os.path.isfile(os.path.join(directory, "Chart.yaml"))
    assert served.paths() == [INDEX, "/small-2.0.0.tgz"]


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_both_helms_fetch(
    helm: str,
    served: Repository,
    asks: Ask,
    context: MakeContext,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", request.getfixturevalue(helm))
    with_range = context()._replace(helm_range="~4.3" if helm == "helm4" else "~3.22")
    entry, _ = lock_chart(asks("vee", "1.0.0"), with_range)
    assert (entry.version, entry.request) == ("v1.0.0", "1.0.0")
    assert entry.key == asks("vee", "1.0.0").key
    served.answers[SMALL] = [status(500)]
    assert locked_chart(asks(), locked(served), with_range)


def test_a_locked_chart_needs_no_index(served: Repository, asks: Ask, context: MakeContext) -> None:
    locked_chart(asks(), locked(served), context())
    assert served.paths() == [SMALL]
    locked_chart(asks(), locked(served), context())
    assert served.paths() == [SMALL]


def test_a_dead_address_is_looked_up_again(served: Repository, asks: Ask, context: MakeContext) -> None:
    entry = locked(served, address=f"{served.url}/moved/small-1.0.0.tgz")
    assert locked_chart(asks(), entry, context())
    assert served.paths() == ["/moved/small-1.0.0.tgz", INDEX, SMALL]


def test_relative_and_absolute_addresses(served: Repository, charts: Path, asks: Ask, context: MakeContext) -> None:
    """An index may name archives below its own address, elsewhere on the host, or on another one."""
    (charts / "deep").mkdir()
    (charts / "small-1.0.0.tgz").rename(charts / "deep" / "small-1.0.0.tgz")
    for url, expected in (
        ("deep/small-1.0.0.tgz", f"{served.url}/deep/small-1.0.0.tgz"),
        ("/deep/small-1.0.0.tgz", f"{served.url}/deep/small-1.0.0.tgz"),
        (
            f"http://localhost:{served.port}/deep/small-1.0.0.tgz",
            f"http://localhost:{served.port}/deep/small-1.0.0.tgz",
        ),
    ):
        entries = {"small": [{"name": "small", "version": "1.0.0", "urls": [url]}]}
        (charts / "index.yaml").write_text(json.dumps({"apiVersion": "v1", "entries": entries}))
        entry, _ = lock_chart(asks(repository=f"{served.url}/"), context())
        assert entry.url == expected
        served.asked.clear()
        (charts / "index.yaml").write_text("gone")
        for path in Path(store.directory()).iterdir():
            path.rename(charts / f"away-{path.name}-{time.time_ns()}")
        store._held.clear()
        locked_chart(asks(), entry, context())
        assert served.paths() == ["/deep/small-1.0.0.tgz"]
        for path in Path(context().workdir).iterdir():
            path.rename(charts / f"away-{time.time_ns()}")


def test_connection_refused(asks: Ask, context: MakeContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    started = time.monotonic()
    message = refusal(asks(repository=f"http://127.0.0.1:{port}"), context())
    assert message == (f"chart small 1.0.0 cannot be fetched from http://127.0.0.1:{port}: the connection was refused")
    assert time.monotonic() - started < 15


def test_no_such_host(asks: Ask, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server is asked: a proxy that refuses stands in for it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    message = refusal(asks(repository="http://charts.invalid/stable"), context())
    assert message.endswith("from http://charts.invalid/stable: the connection was refused")


def test_proxies_by_the_usual_variables(
    served: Repository, asks: Ask, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", served.url)
    entry, _ = lock_chart(asks(repository="http://charts.invalid"), context())
    assert entry.url == "http://charts.invalid/small-1.0.0.tgz"
    assert served.paths() == [INDEX, SMALL]


def test_a_reset_in_the_middle_is_tried_again(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [reset, reset]
    assert locked_chart(asks(), locked(served), context())
    assert served.paths() == [SMALL] * 3


def test_resets_without_an_end(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [reset] * 9
    message = refusal(asks(), context(), locked(served))
    assert message.endswith((": the connection was reset", ": the connection ended in the middle"))
    assert len(served.asked) == 4


@pytest.mark.parametrize("fault", [silent(20), trickling], ids=["silent", "trickling"])
def test_a_slow_server_ends_at_the_deadline(
    fault: Callable[..., None], served: Repository, asks: Ask, context: MakeContext
) -> None:
    served.answers[SMALL] = [fault]
    entry, started = locked(served), time.monotonic()
    message = refusal(asks(), context(1), entry)
    assert message == (f"chart small 1.0.0 cannot be fetched from {served.url}: there was no whole answer within 1 s")
    assert time.monotonic() - started < 15


def test_500_then_fine(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[INDEX] = [status(500), status(503)]
    served.answers["/small-2.0.0.tgz"] = [status(502)]
    entry, _ = lock_chart(asks(version="2.0.0"), context())
    assert entry.version == "2.0.0"
    assert served.paths() == [INDEX] * 3 + ["/small-2.0.0.tgz"] * 2


def test_500_for_ever(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [status(500)] * 9
    message = refusal(asks(), context(), locked(served))
    assert message == (f"chart small 1.0.0 cannot be fetched from {served.url}: 500 Internal Server Error")
    assert len(served.asked) == 4


def test_retries_end_before_the_deadline(served: Repository, asks: Ask, context: MakeContext) -> None:
    """The third wait would be of four seconds, with less than three left."""
    served.answers[SMALL] = [status(429)] * 9
    entry, started = locked(served), time.monotonic()
    assert refusal(asks(), context(6), entry).endswith(": 429 Too Many Requests")
    assert time.monotonic() - started < 6
    assert len(served.asked) <= 3


def test_429_with_retry_after(served: Repository, asks: Ask, context: MakeContext) -> None:
    """Busy for three seconds: helm hides the header, longer and longer waits find the end."""
    ready = time.monotonic() + 3
    asked_early = []

    def busy(handler: Handler, content: bytes) -> None:
        early = time.monotonic() < ready
        asked_early.append(early)
        (status(429, Retry_After="3") if early else whole)(handler, content)

    served.answers[SMALL] = [busy] * 9
    assert locked_chart(asks(), locked(served), context())
    assert (asked_early[0], asked_early[-1]) == (True, False)


def test_401_says_where_credentials_are_looked_for(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.login = "ci:secret"
    assert refusal(asks(), context()) == (
        f"chart small 1.0.0 cannot be fetched from {served.url}: 401 Unauthorized (credentials are looked for"
        " in helm's repositories.yaml (HELM_REPOSITORY_CONFIG) and in netrc (NETRC))"
    )
    assert served.paths() == [INDEX]


def test_404(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[INDEX] = [status(404)]
    place = f"chart small 1.0.0 cannot be fetched from {served.url}"
    assert refusal(asks(), context()) == f"{place}: 404 Not Found"
    served.answers[SMALL] = [status(404)]
    assert refusal(asks(), context()) == f"{place}: 404 Not Found"
    assert refusal(asks(version="9.9.9"), context()) == (
        f"chart small 9.9.9 cannot be fetched from {served.url}: it has no such chart or version"
    )
    assert refusal(asks("smal"), context()) == (
        f"chart smal 1.0.0 cannot be fetched from {served.url}: its index has no chart smal"
    )


def test_a_page_instead_of_an_index(served: Repository, asks: Ask, context: MakeContext) -> None:
    place = f"chart small 1.0.0 cannot be fetched from {served.url}"
    served.answers[INDEX] = [other(b"<!doctype html>\n<title>Sign in</title>")]
    assert refusal(asks(), context()) == f"{place}: its index has no chart small"


def test_an_index_that_is_no_yaml(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[INDEX] = [other(b"entries: [")]
    assert refusal(asks(), context()) == (
        f"chart small 1.0.0 cannot be fetched from {served.url}: its index.yaml is not to be understood"
    )


def test_a_redirect_is_followed_without_credentials(
    served: Repository, charts: Path, asks: Ask, context: MakeContext, tmp_path: Path
) -> None:
    """Who may read one host's charts is nobody on another host; on the same host the login is kept."""
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login ci password secret\n")
    with Repository(str(charts)) as elsewhere:
        served.login = "ci:secret"
        served.answers[SMALL] = [status(302, Location=f"http://localhost:{elsewhere.port}{SMALL}")]
        assert locked_chart(asks(), locked(served), context())
        assert [asked.login for asked in served.asked] == ["ci:secret"]
        assert [(asked.path, asked.login) for asked in elsewhere.asked] == [(SMALL, "")]


def test_an_archive_elsewhere_gets_no_credentials(
    served: Repository, charts: Path, asks: Ask, context: MakeContext, tmp_path: Path
) -> None:
    """An index may name any host; another port is another service."""
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login ci password secret\n")
    with Repository(str(charts)) as elsewhere:
        served.login = "ci:secret"
        urls = [f"{elsewhere.url}{SMALL}"]
        entries = {"small": [{"name": "small", "version": "1.0.0", "urls": urls}]}
        served.answers[INDEX] = [other(json.dumps({"apiVersion": "v1", "entries": entries}).encode())]
        lock_chart(asks(), context())
        assert [asked.login for asked in served.asked] == ["ci:secret"]
        assert [asked.login for asked in elsewhere.asked] == [""]


def test_redirects_without_an_end(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [status(302, Location=SMALL)] * 20
    message = refusal(asks(), context(), locked(served))
    assert message.endswith(": it redirects without an end")


def test_a_truncated_archive(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [truncated]
    entry = locked(served)
    half = served.directory + "/half.tgz"
    Path(half).write_bytes(
        Path(served.directory + SMALL).read_bytes()[: os.path.getsize(served.directory + SMALL) // 2]
    )
    assert refusal(asks(), context(), entry) == (
        f"chart small 1.0.0 from {served.url} has the digest {store.digest_of(half)}, the lock says {entry.digest}"
    )
    served.answers[SMALL] = [truncated]
    assert "the repository's index says sha256:" in refusal(asks(), context())


def test_a_truncated_archive_without_any_digest(served: Repository, asks: Ask, context: MakeContext) -> None:
    entries = {"small": [{"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}]}
    served.answers[INDEX] = [other(json.dumps({"apiVersion": "v1", "entries": entries}).encode())]
    served.answers[SMALL] = [truncated]
    assert refusal(asks(), context()) == f"chart small 1.0.0 from {served.url} is no whole chart archive"


def test_another_archive(served: Repository, asks: Ask, context: MakeContext) -> None:
    entry = locked(served)
    wrong = Path(served.directory, "small-2.0.0.tgz")
    served.answers[SMALL] = [other(wrong.read_bytes())]
    assert refusal(asks(), context(), entry) == (
        f"chart small 1.0.0 from {served.url} has the digest {store.digest_of(str(wrong))},"
        f" the lock says {entry.digest}"
    )


def test_a_chart_of_another_name(served: Repository, asks: Ask, context: MakeContext) -> None:
    entries = {"large": [{"name": "large", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}]}
    served.answers[INDEX] = [other(json.dumps({"apiVersion": "v1", "entries": entries}).encode())]
    assert refusal(asks("large"), context()) == (
        f"chart large 1.0.0 from {served.url} is a chart of another name: small"
    )


def test_an_archive_bomb(served: Repository, charts: Path, asks: Ask, context: MakeContext) -> None:
    archive(charts / "small-1.0.0.tgz", [CHART_YAML, file("small/zeros", b"\0" * (40 << 20))])
    entries = {"small": [{"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}]}
    served.answers[INDEX] = [other(json.dumps({"apiVersion": "v1", "entries": entries}).encode())]
    said = f"chart small 1.0.0 from {served.url} unpacks to more than 200 times its size"
    assert refusal(asks(), context()) == said
    assert refusal(asks(), context(), locked(served)) == said


def large_index(name: str, megabytes: int) -> bytes:
    """An index as large repositories have it; `name` stands in its middle."""
    entry = (
        "  - annotations:\n      artifacthub.io/links: |\n        - name: Chart Source\n"
        "          url: https://github.com/example/charts\n    apiVersion: v2\n    appVersion: v0.{n}.1\n"
        '    created: "2026-08-21T06:21:40.123456789Z"\n    description: a chart that nobody wants\n'
        "    digest: {digest}\n    name: {name}\n    urls:\n    - https://example.com/{name}-{n}.0.0.tgz\n"
        "    version: {n}.0.0\n"
    )
    parts = ["apiVersion: v1\nentries:\n"]
    size, number = 0, 0
    while size < megabytes << 20:
        parts.append(f"  other-{number:04}:\n")
        for version in range(500):
            parts.append(entry.format(n=version, name=f"other-{number:04}", digest="0" * 64))
            size += len(parts[-1])
        if number == 100:
            parts.append(f"  {name}:\n  - name: {name}\n    urls: [small-1.0.0.tgz]\n    version: 1.0.0\n")
        number += 1
    return "".join(parts).encode()


def test_an_index_of_50_megabytes(served: Repository, charts: Path, asks: Ask, context: MakeContext) -> None:
    """Helm alone works 16 seconds for it (docs/charts.md); the bound leaves room."""
    (charts / "index.yaml").write_bytes(large_index("small", 50))
    before = worked()
    entry, _ = lock_chart(asks(), context())
    assert entry.url == f"{served.url}/small-1.0.0.tgz"
    assert worked() - before < 6


def worked() -> float:
    """Seconds that processors worked for this process and for those that it started."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def fetch_at(moment: float, wanted: ChartRequest, entry: Locked, context: FetchContext) -> None:
    os.mkdir(f"{context.workdir}/{os.getpid()}")
    while time.time() < moment:
        pass
    locked_chart(wanted, entry, context._replace(workdir=f"{context.workdir}/{os.getpid()}"))


def test_processes_that_want_one_chart_fetch_it_once(served: Repository, asks: Ask, context: MakeContext) -> None:
    served.answers[SMALL] = [silent(0.5)]
    arguments = (time.time() + 0.3, asks(), locked(served), context())
    processes = [multiprocessing.get_context("fork").Process(target=fetch_at, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert served.paths() == [SMALL]


def test_without_a_store_a_chart_is_fetched_all_the_same(
    served: Repository, asks: Ask, context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path / "file"))
    directory = locked_chart(asks(), locked(served), context())
    assert directory.startswith(context().workdir)
    assert os.path.isfile(os.path.join(directory, "Chart.yaml"))


def test_offline(served: Repository, asks: Ask, context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    assert refusal(asks(), context(), locked(served)) == (
        "chart small 1.0.0 is neither vendored nor in the cache, and CMP_PLUGIN_OFFLINE is set"
        " (`cmp-plugin vendor` puts it beside the service, or unset CMP_PLUGIN_OFFLINE)"
    )
    assert served.asked == []
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "0")
    assert locked_chart(asks(), locked(served), context())
    monkeypatch.setenv("CMP_PLUGIN_OFFLINE", "1")
    assert locked_chart(asks(), locked(served), context())
