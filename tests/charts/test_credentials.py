"""Who we are to a repository: found where helm and netrc keep it, and shown to nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packing import below
from serving import Repository, other

from cmp_plugin.charts import store
from cmp_plugin.charts.chart_request import ChartRequest
from cmp_plugin.charts.credentials import repository_entry
from cmp_plugin.charts.lockfile import dump
from cmp_plugin.charts.obtain import FetchContext, lock_chart
from cmp_plugin.errors import CmpError

Ask = Callable[..., ChartRequest]
MakeContext = Callable[..., FetchContext]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def repositories(url: str, password: str = "s3cret") -> str:
    return f"apiVersion: ''\nrepositories:\n- name: mine\n  url: {url}/\n  username: ci\n  password: {password}\n"


def test_helms_own_file(served: Repository, home: Path, asks: Ask, context: MakeContext) -> None:
    served.login = "ci:s3cret"
    (home / ".config" / "helm").mkdir(parents=True)
    (home / ".config" / "helm" / "repositories.yaml").write_text(repositories(served.url))
    assert lock_chart(asks(), context())
    assert {asked.login for asked in served.asked} == {"ci:s3cret"}


@pytest.mark.parametrize("variable", ["HELM_REPOSITORY_CONFIG", "HELM_CONFIG_HOME", "XDG_CONFIG_HOME"])
def test_helms_own_variables(
    variable: str, served: Repository, tmp_path: Path, asks: Ask, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted Secret is a directory with such files."""
    served.login = "ci:s3cret"
    directory = tmp_path / "secret" / ("helm" if variable == "XDG_CONFIG_HOME" else "")
    directory.mkdir(parents=True)
    (directory / "repositories.yaml").write_text(repositories(served.url))
    values = {"HELM_REPOSITORY_CONFIG": directory / "repositories.yaml", "XDG_CONFIG_HOME": tmp_path / "secret"}
    monkeypatch.setenv(variable, str(values.get(variable, directory)))
    assert lock_chart(asks(), context())


@pytest.mark.parametrize("named", ["by HOME", "by NETRC"])
def test_netrc(
    named: str, served: Repository, home: Path, asks: Ask, context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.login = "ci:s3cret"
    place = home / (".netrc" if named == "by HOME" else "other")
    place.write_text("machine 127.0.0.1\n  login ci\n  password s3cret\n")
    if named == "by NETRC":
        monkeypatch.setenv("NETRC", str(place))
    assert lock_chart(asks(), context())


def test_nobody_is_default(home: Path) -> None:
    """An address comes from git: a login for any host would go wherever a commit wants it."""
    (home / ".netrc").write_text("default login ci password s3cret\n")
    assert repository_entry("https://charts.example.com") == {"url": "https://charts.example.com"}


def test_other_repositories_get_nothing(home: Path) -> None:
    (home / ".config" / "helm").mkdir(parents=True)
    (home / ".config" / "helm" / "repositories.yaml").write_text(repositories("https://charts.example.com"))
    assert repository_entry("https://charts.example.com")["username"] == "ci"
    assert repository_entry("https://charts.example.com/other") == {"url": "https://charts.example.com/other"}
    assert repository_entry("https://charts.example.org") == {"url": "https://charts.example.org"}


BAD = {".netrc": ("password s3cret\n", "netrc is not to be understood")}
BAD |= {".config/helm/repositories.yaml": ("a: [", "helm's repositories.yaml is no YAML")}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_not_to_be_understood(name: str, home: Path, asks: Ask, context: MakeContext) -> None:
    text, message = BAD[name]
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(text)
    with pytest.raises(CmpError) as refused:
        lock_chart(asks(), context())
    assert refused.value.message == message


def test_secrets_stay_where_they_are(
    served: Repository, home: Path, asks: Ask, context: MakeContext, tmp_path: Path
) -> None:
    """Not in arguments, errors, locks or the store; what is made for helm only its owner can read."""
    served.login = "ci:s3cret"
    (home / ".netrc").write_text("machine 127.0.0.1 login ci password s3cret\n")
    entry, _ = lock_chart(asks(), context())
    assert b"s3cret" not in dump([entry])
    kept = [Path(store.directory(), name).read_bytes() for name in below(store.directory())]
    assert kept and not any(b"s3cret" in content for content in kept)
    written = [Path(context().workdir, name) for name in below(context().workdir)]
    holding = [path for path in written if b"s3cret" in path.read_bytes()]
    assert [path.name for path in holding] == ["repositories.yaml"]
    assert [oct(path.stat().st_mode & 0o777) for path in holding] == ["0o600"]
    (home / ".netrc").write_text("machine 127.0.0.1 login ci password wr0ng\n")
    with pytest.raises(CmpError) as refused:
        lock_chart(asks(version="2.0.0"), context()._replace(workdir=str(tmp_path)))
    error = refused.value
    assert "wr0ng" not in str(error) and "wr0ng" not in repr(vars(error))


def test_arguments_of_helm(served: Repository, home: Path, tmp_path: Path, helm4: str) -> None:
    """A program in helm's place writes down what it is given."""
    (home / ".netrc").write_text("machine 127.0.0.1 login ci password s3cret\n")
    spy = tmp_path / "helm"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {helm4} "$@"\n')
    spy.chmod(0o755)
    code = (
        "import sys; from cmp_plugin.charts.obtain import *; from cmp_plugin.charts.chart_request import chart_request; "
        "from cmp_plugin.errors import Location; from cmp_plugin.system.files import FileTree; "
        "lock_chart(chart_request(sys.argv[1], 'small', '1.0.0', Location('a')), "
        "FetchContext(FileTree('/', ('/',)), (), '~4.3', sys.argv[2], Deadline(30)))"
    )
    env = {**os.environ, "CMP_PLUGIN_HELM": str(spy)}
    subprocess.run([sys.executable, "-c", code, served.url, str(tmp_path)], env=env, check=True, timeout=60)
    arguments = (tmp_path / "arguments").read_text()
    assert "pull source/small" in arguments
    assert "s3cret" not in arguments
    assert [asked.login for asked in served.asked] == ["ci:s3cret"] * 2


@pytest.mark.parametrize("url", ["http://ci:s3cret@127.0.0.1:{port}/small-1.0.0.tgz", "small-1.0.0.tgz?token=s3cret"])
def test_an_address_with_a_secret_is_not_locked(url: str, served: Repository, asks: Ask, context: MakeContext) -> None:
    urls = [url.format(port=served.port)]
    entries = {"small": [{"name": "small", "version": "1.0.0", "urls": urls}]}
    served.answers["/index.yaml"] = [other(json.dumps({"apiVersion": "v1", "entries": entries}).encode())]
    entry, _ = lock_chart(asks(), context())
    assert b"s3cret" not in dump([entry])
