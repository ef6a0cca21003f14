"""A field of a chart's output under other values: what it is without some of them, or with others.

In: a `Rerenderer`, an object of the chart's output, a field of it. Out: outcomes. Each trial is one run of
helm; what was tried once is remembered.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...fleet.service import ResolvedService
from ...fleet.value_path import Path
from ...goyaml.load import node, plain
from ...render.compare import ABSENT, Absent
from ...render.manifest import Manifest
from .objects import counterpart, field, same
from .rerender import Rerenderer

Keys = tuple[str, ...]


class Failed:
    """What stands for a render that failed."""

    __slots__ = ()


FAILED = Failed()
Outcome = Any | Absent | Failed


class Trials:
    """The field at `path` of `target`, an object as the chart printed it.

    `now`: what the field is; `tried`: the values that were left out or changed so far.
    """

    def __init__(self, rerenderer: Rerenderer, target: Manifest, path: Path) -> None:
        self._rerenderer = rerenderer
        self._target = target
        self._path = path
        self._outcomes: dict[str, Outcome] = {}
        self._values = plain(rerenderer.service.values)
        self.tried: set[Keys] = set()
        self.now = field(target.value, path).value

    def value(self, keys: Keys) -> Any:
        """What the chart gets at a path, None where it gets nothing."""
        inner: Any = self._values
        for key in keys:
            inner = inner.get(key) if isinstance(inner, dict) else None
        return inner

    def differ(self, changes: Mapping[Keys, Any]) -> bool:
        """Whether the field is another one with these values. When no render is left: no."""
        return not self._rerenderer.is_over and self.differs(self.outcome(changes))

    def differs(self, outcome: Outcome) -> bool:
        """Whether an outcome is not what the field is now."""
        return type(outcome) is not type(self.now) or bool(outcome != self.now)

    def outcome(self, changes: Mapping[Keys, Any]) -> Outcome:
        """The field with each of these values instead; with ABSENT the chart gets none, so that its own comes back."""
        trial = repr(changes)
        if trial not in self._outcomes:
            values: dict[str, Any] = copy.deepcopy(self._values)
            for keys, value in changes.items():
                inner = values
                for key in keys[:-1]:
                    below = inner.get(key)
                    inner[key] = inner = below if isinstance(below, dict) else {}
                if value is ABSENT:
                    inner.pop(keys[-1], None)
                else:
                    inner[keys[-1]] = value
            service = self._rerenderer.service
            self._outcomes[trial] = self._of(service._replace(values=node(values, service.values.at)))
            self.tried.update(changes)
        return self._outcomes[trial]

    def renamed(self) -> Iterator[tuple[str, Outcome]]:
        """The field in another namespace, and of another release, where it holds their names."""
        service, text = self._rerenderer.service, json.dumps(None if self.now is ABSENT else self.now)
        if service.namespace and service.namespace in text:
            yield "namespace", self._of(service._replace(namespace=f"{service.namespace}-x"))
        if service.release in text:
            yield "releaseName", self._of(service._replace(release=f"{service.release}-x"))

    def _of(self, service: ResolvedService) -> Outcome:
        objects = self._rerenderer.chart_objects(service)
        if objects is None:
            return FAILED
        manifest = same(objects, self._target) or counterpart(objects, self._target, self._rerenderer.printed)
        return field(manifest.value, self._path).value if manifest is not None else ABSENT
