"""One render's use of Kustomize: the files it needs, the call, what it printed or why it failed.

In: kustomizations as data, objects. Out: objects. Files of the fleet are copied below the render's
private directory, because Kustomize reads none outside of the kustomization; directories are named
where they are, by a relative path, because it takes no absolute ones. Kustomize's errors may quote
whole objects, Secrets too: what looks like content is cut out of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import InputError, Location, ToolError
from ...goyaml.load import dump_values, load_manifests
from ...tools import kustomize, versions
from ...tools.discovery import Tool
from ..context import RenderContext
from ..manifest import Manifest, identity
from .kustomization import Naming

# The Kustomize whose rules this package knows by heart (5.8.2, api and kyaml 0.21.2), so that objects may pass it by:
# its order, what it does to metadata, which references follow a name or namespace, which fields of a kustomization
# change only what that holds itself. Each names its source; whoever widens this compares all of them.
KNOWN = "~5.8"
OBJECTS = "objects.yaml"
# Below the render's private directory: the kustomization; in there: files of the fleet, under their whole paths.
_DIRECTORY = "kustomize"
_FILES = "files"
# Where an error text of Kustomize begins to quote configuration, patches or objects.
_QUOTES = re.compile(r"[\s:=]*(map\[|\{|`|\[patch: |&[a-z]+\.|node contents|\*\*\*\*)")
_HARMLESS_END = re.compile(r"yaml: [a-z ]+$")
# `merging from generator &{...}: id resid.ResId{... Kind:"X", ...}, Name:"y", ...} does not exist; ...`
_NOT_THERE = re.compile(r'[^{}]*\{[^{}]*Kind:"(\w+)"[^{}]*\}[^{}]*Name:"([^"]+)"[^{}]*\} (.*? exists?; [a-z ]+)')
# Characters of a message, as Argo CD shows all of it on one line.
_LONGEST = 600
# All that is left of a message that quotes objects from its first word on.
FAILED = "it failed, and its message quotes objects"


class Kustomizer:
    """Kustomize for one service: `build` as often as needed; found when it is needed first."""

    def __init__(self, context: RenderContext, tool: Tool | None = None) -> None:
        self.context = context
        self._directory = os.path.join(context.directory, _DIRECTORY)
        self._tool = tool
        self.builds = 0
        self.naming = Naming(self._file, self._relative, context.tree.is_dir)

    @property
    def tool(self) -> Tool:
        """The Kustomize to use. Raises InputError or ToolError when there is none."""
        if self._tool is None:
            service = self.context.service
            self._tool = kustomize.find(service.kustomize_range, service.tools_strict, service.at)
        return self._tool

    @property
    def is_known(self) -> bool:
        """Whether it is one whose rules are known here; another has to see every object."""
        return versions.satisfies(self.tool.version, KNOWN)

    @property
    def warnings(self) -> list[str]:
        """Sentences for stderr about the Kustomize that was used."""
        return [self._tool.warning] if self._tool and self._tool.warning else []

    def build(self, value: Mapping[str, Any], objects: Sequence[Manifest]) -> list[Manifest]:
        """What `kustomize build` makes of a kustomization, whose `objects.yaml` holds `objects`.

        Each object has the source that it is known to have. Raises ToolError at the service, with one line.
        """
        self._write(OBJECTS, b"\n---\n".join(dump_values(manifest.value) for manifest in objects))
        self._write("kustomization.yaml", dump_values(dict(value)))
        return self._build(self._directory, objects)

    def build_directory(self, path: str, at: Location) -> list[Manifest]:
        """What `kustomize build` makes of a directory of the fleet, as it is."""
        return self._build(self.context.tree.locate(path, at))

    def _build(self, directory: str, objects: Sequence[Manifest] = ()) -> list[Manifest]:
        context, tool = self.context, self.tool
        service = context.service
        self.builds += 1
        try:
            output = kustomize.build(tool, directory, workdir=context.directory, deadline=context.deadline)
        except ToolError as error:
            reason = self._reason(error.message)
            expand = f"`cmp-plugin expand {service.cluster} {service.name} --out DIR`"
            raise ToolError(
                f"{service.label}: kustomize: {reason}",
                service.at,
                f"to read it: {expand}, then `kustomize build --enable-helm DIR`" if reason == FAILED else "",
                argv=error.argv,
                exit_code=error.tool_exit_code,
            ) from None
        sources = {identity(manifest.value): manifest.source for manifest in objects}
        others = [resource.path[1:] for resource in service.resources]
        other_source = f"resource {others[0]}" if len(others) == 1 else "the service's resources"
        return [
            Manifest(document.value, sources.get(identity(document.value), other_source))
            for document in load_manifests(output)
        ]

    def _reason(self, message: str) -> str:
        match = _NOT_THERE.match(message.rpartition("resid.ResId{")[2][:_LONGEST])
        if match:
            return f"a generator's {match[1]}/{match[2]} {match[3]}"
        message = message.replace(f"{self._directory}/{_FILES}/", "").replace(f"{_FILES}/", "")
        message = self.context.tree.relative(message.replace(self._directory, "the kustomization"))
        quoted = _QUOTES.search(message)
        if quoted:
            end = _HARMLESS_END.search(message)
            message = message[: quoted.start()] or (end[0] if end else FAILED)
        return " ".join(message[:_LONGEST].split())

    def _write(self, name: str, data: bytes) -> None:
        path = os.path.join(self._directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def _file(self, path: str, at: Location) -> str:
        """Copy a file of the fleet below the kustomization; the name in there is the whole path."""
        name = f"{_FILES}{path}"
        if not os.path.exists(os.path.join(self._directory, name)):
            self._write(name, self.context.tree.read(path, at))
        return name

    def _relative(self, path: str, at: Location) -> str:
        os.makedirs(self._directory, exist_ok=True)
        relative = os.path.relpath(self.context.tree.locate(path, at), os.path.realpath(self._directory))
        if any(".." in part and part != ".." for part in relative.split(os.sep)):
            raise InputError(f"{path[1:]}: Kustomize opens no directory with `..` in its name", at)
        return relative
