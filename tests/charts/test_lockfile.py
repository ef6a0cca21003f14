"""service.lock: what is written, what is read, what is refused; addresses in one spelling."""

from __future__ import annotations

import pytest
from packing import AT

from cmp_plugin.charts.chart_request import ChartRequest, chart_request, request_of
from cmp_plugin.charts.lockfile import Locked, dump, find, parse
from cmp_plugin.errors import CmpError, InputError, Location
from cmp_plugin.fleet.service import Chart

ONE = Locked("https://charts.example.com", "web", "1.2.0", "sha256:" + "1" * 64)
TWO = Locked(
    "oci://registry.example.com/team",
    "db",
    "v3.0.0+build.1",
    "sha256:" + "2" * 64,
    "3.x",
    "",
    ">=1.25.0-0",
    (("backup", "0.1.0"), ("proxy", "2.0.0")),
)
THREE = ONE._replace(version="1.10.0", url="https://cdn.example.com/web-1.10.0.tgz?channel=a")
TEXT = """\
apiVersion: cmp-plugin/v1alpha1
kind: Lock
charts:
- {name: web, repository: "https://charts.example.com", version: 1.2.0, digest: "sha256:%s"}
""" % ("1" * 64)


def test_what_is_written_is_read() -> None:
    assert set(parse(dump([ONE, TWO, THREE]), "services/web/service.lock")) == {ONE, TWO, THREE}
    assert parse(TEXT.encode(), "a") == (ONE,)


def test_order_and_doubles_make_no_difference() -> None:
    assert dump([ONE, TWO, THREE]) == dump([THREE, ONE, TWO, ONE])
    assert [entry.name for entry in parse(dump([ONE, TWO]), "a")] == ["db", "web"]


def test_a_new_version_changes_its_own_lines_only() -> None:
    before, after = dump([ONE, TWO]).splitlines(), dump([ONE, TWO, THREE]).splitlines()
    assert [line for line in after if line not in before] == [
        b"  url: https://cdn.example.com/web-1.10.0.tgz?channel=a",
        b"  version: '1.10.0'",
    ]
    assert b"#" not in dump([ONE, TWO, THREE])


def test_an_entry_answers_what_was_asked_for() -> None:
    asked = ChartRequest("oci://registry.example.com/team", "db", "3.x", AT)
    assert find([ONE, TWO, THREE], asked) == TWO
    assert find([ONE, TWO, THREE], asked._replace(version="v3.0.0+build.1")) is None
    assert find([ONE, TWO, THREE], ChartRequest("https://charts.example.com", "web", "1.10.0", AT)) == THREE


WRONG = {
    "a digest": (("sha256:", "sha512:"), f'4:81: "sha512:{"1" * 64}" is no digest'),
    "half a digest": (("1" * 64, "1" * 63), f'4:81: "sha256:{"1" * 63}" is no digest'),
    "a name": (("name: web", "name: ../web"), '4:10: "../web" is no name'),
    "a version": (("1.2.0", "1.2.0/.."), '4:66: "1.2.0/.." is no version'),
    "an address": (("https:", "file:"), '4:27: "file://charts.example.com" is no address of a chart repository'),
    "a secret": (("https://", "https://me:s3cret@"), "4:27: credentials do not belong into an address"),
    "a missing field": (("name: web, ", ""), "4:3: an entry of a lock file has a name"),
    "an unknown field": (("name: web", "nam: web"), '4:4: unknown key "nam" in a lock file'),
    "another kind": (("kind: Lock", "kind: Service"), "2:7: a lock file has `kind: Lock`"),
    "no map": (("{name", "[name"), "4"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case: str) -> None:
    change, message = WRONG[case]
    text = TEXT.replace(*change)
    with pytest.raises(CmpError) as refused:
        parse(text.encode(), "services/web/service.lock")
    assert str(refused.value).startswith(f"services/web/service.lock:{message}")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["/etc/passwd", "file:///etc/passwd", "https://me:s3cret@cdn.example.com/a.tgz", "https://a b"]
)
def test_addresses_of_archives_that_are_refused(url: str) -> None:
    text = TEXT.replace("name: web", f'name: web, url: "{url}"')
    with pytest.raises(CmpError) as refused:
        parse(text.encode(), "a")
    assert str(refused.value) == "a:4:20: url in a lock file is an http(s) address without credentials"


def test_one_spelling() -> None:
    repository = Chart(AT, repo="https://charts.example.com/a/", name="web", version="1.0.0")
    assert request_of(repository).key == ("https://charts.example.com/a", "web", "1.0.0")
    registry = Chart(AT, oci="oci://registry.example.com/team/web/", version="1.0.0")
    assert request_of(registry).key == ("oci://registry.example.com/team", "web", "1.0.0")
    assert request_of(registry).is_oci


REFUSED = {
    "s3://bucket/charts": '"s3://bucket/charts" is no address of a chart repository (it starts with https:// or oci://)',
    "charts": '"charts" is no address of a chart repository (it starts with https:// or oci://)',
    "ssh://git@host/s3cret": "this is no address of a chart repository",
    "https://ci:s3cret@host/a": (
        "credentials do not belong into an address (helm's own files and netrc can hold them)"
    ),
    "https://host/a?token=s3cret": "the address of a chart repository has no ? or #",
}


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(InputError) as refused:
        chart_request(address, "web", "1.0.0", Location("services/web/service.yaml", 5, 3))
    assert str(refused.value) == f"services/web/service.yaml:5:3: {REFUSED[address]}"


def test_a_tag_in_an_address() -> None:
    with pytest.raises(InputError) as refused:
        request_of(Chart(AT, oci="oci://registry.example.com/team/web:1.0.0", version="1.0.0"))
    assert refused.value.message == '"web:1.0.0" is no name of a chart'
    assert refused.value.hint == "the version belongs in `version`"
