"""Who we are to a chart repository or a registry: helm's own files and netrc, read here only.

In: an address. Out: what helm's repositories.yaml says about it, or netrc; files for helm below a
private directory. Secrets go nowhere else: no argument, no error, no log, no lock, no cache.
"""

from __future__ import annotations

import base64
import json
import os

import yaml

from ..errors import ToolError
from ..system.publish import replace_file

REPOSITORY_HINT = "credentials are looked for in helm's repositories.yaml (HELM_REPOSITORY_CONFIG) and in netrc (NETRC)"
REGISTRY_HINT = (
    "credentials are looked for in helm's registry configuration (HELM_REGISTRY_CONFIG), docker's, and netrc (NETRC)"
)
_FIELDS = ("username", "password", "certFile", "keyFile", "caFile", "insecure_skip_tls_verify", "pass_credentials_all")


def repository_entry(address: str) -> dict[str, object]:
    """What helm's repositories.yaml holds for an address, without its name; else netrc's login."""
    for entry in _repositories():
        if isinstance(entry, dict) and str(entry.get("url", "")).rstrip("/") == address:
            return {"url": address, **{key: entry[key] for key in _FIELDS if entry.get(key)}}
    login = _netrc(address)
    return {"url": address, **({"username": login[0], "password": login[1]} if login else {})}


def repository_address(name: str) -> str:
    """The address that helm's repositories.yaml has for a repository's name; "" when it has none."""
    entries = [entry for entry in _repositories() if isinstance(entry, dict)]
    return next((str(entry.get("url", "")).rstrip("/") for entry in entries if entry.get("name") == name), "")


def repository_names() -> list[str]:
    """The names that helm's repositories.yaml has."""
    return [str(entry.get("name")) for entry in _repositories() if isinstance(entry, dict)]


def _repositories() -> list[object]:
    data = _read(_helm_file("HELM_REPOSITORY_CONFIG", "repositories.yaml"), "helm's repositories.yaml")
    try:
        content = yaml.load(data, yaml.CSafeLoader)
    except yaml.YAMLError:
        raise ToolError("helm's repositories.yaml is no YAML") from None
    repositories = content.get("repositories") if isinstance(content, dict) else None
    return repositories if isinstance(repositories, list) else []


def registry_file(address: str, directory: str) -> str:
    """The registry configuration for helm to read: the user's, or one in `directory` made from netrc."""
    own = _helm_file("HELM_REGISTRY_CONFIG", "registry/config.json")
    login = _netrc(address)
    if login is None or _knows(own, _host(address)):
        return own
    token = base64.b64encode(":".join(login).encode()).decode()
    path = os.path.join(directory, "registry.json")
    replace_file(path, json.dumps({"auths": {_host(address): {"auth": token}}}).encode(), 0o600)
    return path


def _knows(file: str, host: str) -> bool:
    """Whether a registry configuration has a login for the host, or another way to ask for one."""
    try:
        content = json.loads(_read(file, "helm's registry configuration") or b"{}")
    except ValueError:
        raise ToolError("helm's registry configuration is no JSON") from None
    if not isinstance(content, dict):
        return False
    return bool(content.get("credsStore")) or any(host in content.get(key, {}) for key in ("auths", "credHelpers"))


def _helm_file(variable: str, name: str) -> str:
    """Where helm itself would look (helm.sh/helm, pkg/helmpath, on Linux)."""
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    path = os.environ.get("HELM_CONFIG_HOME") or os.path.join(config, "helm")
    return os.environ.get(variable) or os.path.join(path, name)


def _netrc(address: str) -> tuple[str, str] | None:
    """The login for the address's host; never the `default` one, as addresses come from git."""
    import netrc

    path = os.environ.get("NETRC") or os.path.join(os.path.expanduser("~"), ".netrc")
    if not _read(path, "netrc"):
        return None
    try:
        hosts = netrc.netrc(path).hosts
    except (netrc.NetrcParseError, UnicodeDecodeError):
        raise ToolError("netrc is not to be understood") from None
    login = hosts.get(_host(address)) or hosts.get(_host(address).partition(":")[0])
    return (login[0], login[2]) if login and login[2] else None


def _host(address: str) -> str:
    """Host and port, if there is one."""
    return address.partition("://")[2].partition("/")[0]


def _read(path: str, shown: str) -> bytes:
    """The file's content; nothing when there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(4 << 20)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise ToolError(f"{shown} cannot be read: {os.strerror(error.errno or 0)}") from None
