"""The store: by digest, in one step, for many processes, within its bound."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packing import below

from cmp_plugin.charts import store
from cmp_plugin.charts import store_gc as upkeep
from cmp_plugin.errors import InputError, ToolError
from cmp_plugin.system.process import Deadline

OTHER = "sha256:" + "0" * 64


def added(archive: Path) -> str:
    """The digest of an archive that is in the store now."""
    digest = store.digest_of(str(archive))
    store.add(str(archive), digest)
    return digest


def test_what_was_added_is_found(packed: Path) -> None:
    archive = packed / "small-1.0.0.tgz"
    digest = store.digest_of(str(archive))
    assert store.find(digest) == ""
    directory = store.add(str(archive), digest)
    assert directory == store.find(digest)
    assert below(directory) == ["Chart.yaml", "templates/map.yaml", "values.yaml"]
    kept = Path(store.path_of(digest), store.ARCHIVE)
    assert kept.read_bytes() == archive.read_bytes()
    assert store.add(str(archive), digest) == directory


def test_another_digest_is_never_kept(packed: Path) -> None:
    archive = str(packed / "small-1.0.0.tgz")
    with pytest.raises(InputError) as refused:
        store.add(archive, OTHER)
    assert refused.value.message == f"has the digest {store.digest_of(archive)}, the lock says {OTHER}"
    assert not os.path.exists(store.directory())


def test_a_bad_archive_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "a.tgz"
    place.write_bytes(b"no archive")
    with pytest.raises(InputError):
        store.add(str(place), store.digest_of(str(place)))
    assert os.listdir(store.directory()) == []


def test_nobody_else_may_write_there(packed: Path) -> None:
    os.makedirs(store.directory())
    os.chmod(store.directory(), 0o777)
    with pytest.raises(store.StoreError) as refused:
        added(packed / "small-1.0.0.tgz")
    assert str(refused.value) == "the cache belongs to somebody else (CMP_PLUGIN_CACHE_DIR names another place)"


def test_a_store_that_cannot_be_written(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(store.StoreError) as refused:
        added(packed / "small-1.0.0.tgz")
    assert refused.value.message == "the cache cannot be used: File exists"


def add_at(moment: float, cache: str, archive: str) -> None:
    os.environ["CMP_PLUGIN_CACHE_DIR"] = cache
    while time.time() < moment:
        pass
    directory = store.add(archive, store.digest_of(archive))
    assert below(directory) == ["Chart.yaml", "templates/map.yaml", "values.yaml"]


def test_many_processes_add_one_chart(packed: Path, tmp_path: Path) -> None:
    """All at once, twenty times: everybody finds it whole, nothing is left over."""
    archive = str(packed / "small-1.0.0.tgz")
    spawn = multiprocessing.get_context("fork")
    for number in range(20):
        cache = str(tmp_path / f"cache{number}")
        arguments = (time.time() + 0.05, cache, archive)
        processes = [spawn.Process(target=add_at, args=arguments) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 4
        names = os.listdir(os.path.join(cache, "charts"))
        assert names == [store.digest_of(archive).removeprefix("sha256:")]


def test_half_an_entry_is_never_seen(packed: Path) -> None:
    """What a process leaves that dies while it adds is no entry, and goes after an hour."""
    added(packed / "small-1.0.0.tgz")
    half = os.path.join(store.directory(), ".cmp-plugin-new-abc")
    os.mkdir(half)
    assert [entry.digest for entry in upkeep.entries()] == [store.digest_of(str(packed / "small-1.0.0.tgz"))]
    upkeep.trim()
    assert os.path.isdir(half)
    os.utime(half, (0, 0))
    upkeep.trim()
    assert not os.path.exists(half)


def aged(archive: Path, seconds: float) -> str:
    """In the store, used by nobody now, last used so long ago."""
    digest = added(archive)
    place = store.path_of(digest)
    os.close(store._held.pop(place))
    then = time.time() - seconds
    os.utime(place, (then, then))
    return digest


def test_what_was_used_longest_ago_goes_first(packed: Path) -> None:
    middle = aged(packed / "small-1.2.0.tgz", 20_000)
    oldest = aged(packed / "small-1.0.0.tgz", 30_000)
    newest = aged(packed / "small-2.0.0.tgz", 10_000)
    found = upkeep.entries()
    assert [entry.digest for entry in found] == [oldest, middle, newest]
    assert upkeep.trim(found[1].size + found[2].size) == found[0].size
    assert [entry.digest for entry in upkeep.entries()] == [middle, newest]


def test_use_keeps_it(packed: Path) -> None:
    used = aged(packed / "small-1.0.0.tgz", 30_000)
    other = aged(packed / "small-1.2.0.tgz", 20_000)
    assert store.find(used)
    assert [entry.digest for entry in upkeep.entries()] == [other, used]


def test_what_somebody_uses_stays(packed: Path) -> None:
    digest = added(packed / "small-1.0.0.tgz")
    assert upkeep.trim(0) == 0
    assert store.find(digest)


def test_what_another_process_uses_stays(packed: Path, tmp_path: Path) -> None:
    digest = aged(packed / "small-1.0.0.tgz", 30_000)
    code = (
        "import sys; from cmp_plugin.charts import store; print(store.find(sys.argv[1]), flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, digest], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline().strip() != ""
        assert upkeep.trim(0) == 0
        process.stdin.close()
        process.wait(30)
    assert upkeep.trim(0) > 0
    assert store.find(digest) == ""


def test_a_lock_ends_with_its_owner(tmp_path: Path) -> None:
    with store.alone("a chart", Deadline(10)):
        started = time.monotonic()
        with pytest.raises(ToolError) as late, store.alone("a chart", Deadline(0.3)):
            pass
        assert 0.3 <= time.monotonic() - started < 5
        assert late.value.message == "another process was still fetching it after 0.3 s"
        with store.alone("another chart", Deadline(0.3)):
            pass
    with store.alone("a chart", Deadline(0.3)):
        pass


def test_an_entry_that_is_removed_is_fetched_anew(packed: Path) -> None:
    digest = aged(packed / "small-1.0.0.tgz", 30_000)
    shutil.rmtree(store.path_of(digest))
    assert store.find(digest) == ""


def test_not_every_entry_is_held_open(packed: Path) -> None:
    """A preview of a large fleet finds more charts than a process may have files."""
    digest = added(packed / "small-1.0.0.tgz")
    place = store.path_of(digest)
    for number in range(200):
        other = f"sha256:{number:064}"
        os.makedirs(os.path.join(store.path_of(other), store.CHART))
        assert store.find(other)
    assert len(store._held) == 128
    assert place not in store._held and store.find(digest)


def test_emptying_leaves_what_is_being_fetched(tmp_path: Path) -> None:
    """Otherwise the next to ask would make another lock file, and fetch beside the first."""
    with store.alone("a chart", Deadline(10)):
        upkeep.clear()
        with (
            pytest.raises(ToolError, match="another process was still fetching it"),
            store.alone("a chart", Deadline(0)),
        ):
            pass
    upkeep.clear()
    assert os.listdir(store.directory()) == []
