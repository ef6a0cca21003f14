"""The files of a fleet: find the root, read each file once, say what is wrong with it.

In: a directory. Out: nodes that fit their models. Reads only what is asked for: rendering one cluster
never opens another cluster's file. Knows nothing about layers.
"""

from __future__ import annotations

import os

from ..errors import CmpError, Errors, InputError, Location, there_is
from ..goyaml.load import Node, load
from ..specs.check import check
from ..specs.rules import NAME, rules
from ..system.files import FileTree, canonical
from .settings import settings_of

ROOT_FILE = "fleet.yaml"
SMALL_FILE = 64 * 1024
PLACES = {
    "Profile": ("profiles", ".yaml"),
    "Service": ("services", "/service.yaml"),
    "Cluster": ("clusters", "/cluster.yaml"),
}


class Fleet:
    """A fleet's files, each read at most once. `tree` allows what specs of any cluster may name."""

    def __init__(self, root: str, tree: FileTree, spec: Node) -> None:
        self.root = root
        self.tree = tree
        self.spec = spec
        self.settings = settings_of(spec)
        self._files = tree._replace(allowed=("/",))
        self._read: dict[tuple[str, str], Node | CmpError] = {}
        self._managers: dict[str, list[str]] | None = None
        self._wrong: dict[str, CmpError] = {}

    def names(self, kind: str) -> list[str]:
        """Names of all profiles, services or clusters, sorted."""
        directory, ending = PLACES[kind]
        entries = _entries(os.path.join(self.root, directory))
        if kind == "Profile":
            return sorted(name.removesuffix(ending) for name in entries if name.endswith(ending))
        return sorted(name for name in entries if self._is_there(name, f"/{directory}/{name}{ending}"))

    def _is_there(self, name: str, path: str) -> bool:
        """What cannot be read is there, and an error: passed over, its Applications would be taken away."""
        return self.tree.exists(path) or (NAME.fullmatch(name) is not None and self.tree.hides(path))

    def strays(self) -> list[CmpError]:
        """What looks like a cluster, service or profile and is none: it would be passed over in silence."""
        errors: list[CmpError] = []
        for kind, (directory, ending) in PLACES.items():
            known = set(self.names(kind))
            for name in sorted(_entries(os.path.join(self.root, directory))):
                path = f"{directory}/{name}"
                if kind == "Profile":
                    if name.endswith(".yml"):
                        errors.append(InputError(f"{path} is not read: a profile's file ends in .yaml", Location(path)))
                elif name not in known and self.tree.is_dir(f"/{path}") and name[0] != ".":
                    errors.append(InputError(f"{path} has no {ending[1:]}", Location(path)))
        return errors

    def has(self, kind: str, name: str) -> bool:
        """Whether the fleet has a profile, service or cluster of this name."""
        directory, ending = PLACES[kind]
        return bool(NAME.fullmatch(name)) and self._is_there(name, f"/{directory}/{name}{ending}")

    def spec_of(self, kind: str, name: str, at: Location | None = None) -> Node:
        """The file of a profile, service or cluster, checked.

        `at` is where the name was written. Raises InputError when there is no such file, Errors when
        the file is wrong.
        """
        if (kind, name) not in self._read:
            try:
                self._read[kind, name] = self._load(kind, name, at)
            except CmpError as error:
                if not isinstance(error, Errors):
                    raise
                self._read[kind, name] = error
        outcome = self._read[kind, name]
        if isinstance(outcome, CmpError):
            raise outcome
        return outcome

    def provisioned_by(self, manager: str) -> list[str]:
        """Names of the clusters whose `provision` names `manager` as their management cluster.

        Only files that have the word are parsed: every expansion of a cluster asks all of them. Raises the
        errors of a file that is wrong and may name `manager`.
        """
        if self._managers is None:
            self._managers, self._wrong = {}, {}
            for name in self._mentioning(b"managementCluster"):
                try:
                    manager_name = self.spec_of("Cluster", name).get("provision", "managementCluster")
                except CmpError as error:
                    self._wrong[name] = error
                    continue
                if manager_name is not None:
                    self._managers.setdefault(str(manager_name.value), []).append(name)
        for name in self._mentioning(manager.encode()) if self._wrong else []:
            if name in self._wrong:
                raise self._wrong[name]
        return self._managers.get(manager, [])

    def _mentioning(self, word: bytes) -> list[str]:
        """Names of the clusters whose file holds a word, sorted."""
        directory, ending = PLACES["Cluster"]
        names = sorted(_entries(os.path.join(self.root, directory)))
        return [name for name in names if word in self._content(f"/{directory}/{name}{ending}")]

    def _content(self, path: str) -> bytes:
        """A file's bytes, nothing where there is none; a plain file takes an open, a read and a close."""
        try:
            descriptor = os.open(self.root + path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                content = os.read(descriptor, SMALL_FILE)
            finally:
                os.close(descriptor)
        except OSError:
            content = None
        if content is not None and len(content) < SMALL_FILE:
            return content
        return self._files.read(path, Location(path[1:])) if self.tree.exists(path) else b""

    def _load(self, kind: str, name: str, at: Location | None) -> Node:
        if not self.has(kind, name):
            directory, ending = PLACES[kind]
            if not NAME.fullmatch(name) and self.tree.exists(f"/{directory}/{name}{ending}"):
                message = f'"{name}" is no DNS-1123 name: small letters, digits, "-" and "."'
                raise InputError(message, Location(f"{directory}/{name}{ending}"))
            hint = there_is(name, self.names(kind))
            raise InputError(f'there is no {kind.lower()} "{name}"', at, hint)
        directory, ending = PLACES[kind]
        return read_spec(self._files, f"/{directory}/{name}{ending}", kind)


def _entries(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []


def find_root(start: str) -> str:
    """The nearest ancestor of `start` (or itself) that holds fleet.yaml, as a real path.

    Whether that is a file is for `open_fleet` to report: a search that skips it would end in another fleet.
    """
    directory = os.path.realpath(start)
    while not os.path.lexists(os.path.join(directory, ROOT_FILE)):
        parent = os.path.dirname(directory)
        if parent == directory:
            raise InputError("there is no fleet.yaml in this directory or above it", None, "name the fleet with -C DIR")
        directory = parent
    return directory


def open_fleet(root: str) -> Fleet:
    """Reads fleet.yaml below the real directory `root`. Raises Errors when it is wrong."""
    spec = read_spec(FileTree(root, ("/",)), f"/{ROOT_FILE}", "Fleet")
    return Fleet(root, FileTree(root, allowed_directories(spec)), spec)


def allowed_directories(spec: Node) -> tuple[str, ...]:
    """Canonical directories that any spec of the fleet may refer to."""
    extra = tuple(canonical(str(item.value), "/", item.at) for item in spec.elements("directories"))
    return ("/profiles", "/services", *extra)


def read_spec(tree: FileTree, path: str, kind: str) -> Node:
    """One file, loaded and checked against its model and the rules beyond it. Raises Errors."""
    file = path[1:]
    node = load(tree.read(path, Location(file)), file)
    wrong: list[CmpError] = [*check(node, kind)]
    if not wrong:
        wrong.extend(rules(node, kind))
    if wrong:
        raise Errors(wrong)
    return node
