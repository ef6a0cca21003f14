"""What made a field of a finished object: found by rendering with and without.

In: a service with its explanation, the words for an object and a field. Out: `FieldStory`: what changed
the field last and what that went over; or, when the chart prints it so, the values that decide it. The
number of renders is bounded; what was not found is said, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...errors import CmpError, Location
from ...fleet.block import leaves
from ...fleet.value_path import ObjectWords, Path
from ...goyaml.load import plain
from ...render.compare import ABSENT, Absent, compared
from ...render.kustomize.patch_parts import part_of_patch
from ...render.manifest import Manifest
from .bisect import another, likely_first, likeness
from .lines import in_resources
from .model import Explained
from .objects import Field, field, field_of, is_secret, named, renamed, same
from .rerender import Rerenderer
from .settings import Explanation
from .steps import Step, changes_names, generator_of, steps
from .trials import Failed, Keys, Outcome, Trials

# One answer may take this many runs of helm or kustomize: of 62 fields of upstream charts none took more than 12,
# and at a second each it is what a person waits for.
MOST_RENDERS = 40
# Of the values that look like the field so many are tried. They are changed together, so a dozen costs two or three
# renders; with more of them one is sooner among them that removes the whole object.
MOST_GUESSES = 12


class Maker(NamedTuple):
    """What made or changed a field. `what`: a patch, an image, a template ...; `value`: the field after it.

    `story`: the setting in the service's block that says so, if it is one; `at`: the line that does.
    """

    what: str
    at: Location | None
    value: Any | Absent
    story: Explained | None = None


class Decides(NamedTuple):
    """A value that decides a field: without it, or (`removed` false) changed, the field is `otherwise`."""

    story: Explained
    removed: bool
    otherwise: Outcome


class FieldStory(NamedTuple):
    """`field` as text. `makers` highest first, the last is where the object is from.

    `tried`: values left out or changed.

    `complete`: whether there were renders enough to try all of them.
    """

    field: str
    value: Any
    secret: bool
    makers: tuple[Maker, ...]
    decides: tuple[Decides, ...] = ()
    tried: int = 0
    complete: bool = True


class Change(NamedTuple):
    """What one step did to an object: the paths of the fields."""

    maker: Maker
    fields: tuple[str, ...]


class ObjectStory(NamedTuple):
    """What an object is from, and every step that changed it, in order."""

    origin: Maker
    changes: tuple[Change, ...]
    secret: bool


class Fields:
    """The objects of one service."""

    def __init__(self, explanation: Explanation, rerenderer: Rerenderer) -> None:
        self._explanation = explanation
        self._rerenderer = rerenderer
        self._service = rerenderer.service

    def story(self, words: ObjectWords, path: Path) -> FieldStory:
        """What made a field. Raises InputError when there is no such object or field."""
        target = self._named(words)
        field = field_of(target.value, path, str(words), self._service.label)
        makers = tuple(self._makers(target, field))
        story = FieldStory(str(field), field.value, is_secret(target.value, field.path), makers)
        printed = self._same(self._rerenderer.printed, target)
        if len(makers) > 1 or printed is None:
            return story
        trials = Trials(self._rerenderer, printed, field.named)
        decides = sorted(self._decides(trials, field), key=lambda value: isinstance(value.otherwise, Absent | Failed))
        return story._replace(decides=tuple(decides), tried=len(trials.tried), complete=not self._rerenderer.is_over)

    def object_story(self, words: ObjectWords) -> ObjectStory:
        """What an object is from and what changed it. Raises InputError when there is no such object."""
        target = self._named(words)
        (_, before), *states = self._states(target)
        changes: list[Change] = []
        for step, after in states:
            if step is not None and before is not None and after is not None:
                fields = tuple(
                    difference.path
                    for change in compared([before.value], [after.value])
                    for difference in change.fields
                )
                if fields:
                    changes.append(Change(self._maker(step, target, Field((), ABSENT)), fields))
            before = after
        return ObjectStory(self._origin(target, (), ABSENT), tuple(changes), is_secret(target.value, ()))

    def _named(self, words: ObjectWords) -> Manifest:
        return named(self._rerenderer.final, words, self._service.namespace, self._service.label)

    # --- after the chart: patches, images, metadata, the fragment ---

    def _states(self, target: Manifest) -> list[tuple[Step | None, Manifest | None]]:
        """The object as the chart or a file has it, and after each step that could have changed it."""
        first, following = steps(self._service, target)
        states: list[tuple[Step | None, Manifest | None]] = []
        for step in (None, *following):
            objects = self._rerenderer.objects(step.service if step else first)
            if objects is not None:
                states.append((step, self._same(objects, target)))
        return states or [(None, None)]

    def _same(self, manifests: Sequence[Manifest], target: Manifest) -> Manifest | None:
        """The object before it got its name, where the service changes names."""
        manifest = same(manifests, target)
        return renamed(manifests, target) if manifest is None and changes_names(self._service) else manifest

    def _makers(self, target: Manifest, wanted: Field) -> list[Maker]:
        """What the object is from, and before it each step after which the field is another one."""
        states = [
            (step, field(manifest.value, wanted.named).value if manifest else ABSENT)
            for step, manifest in self._states(target)
        ]
        before = states[0][1]
        makers = [self._origin(target, wanted.path, before)]
        for step, after in states[1:]:
            if step is not None and (type(before) is not type(after) or before != after):
                makers.insert(0, self._maker(step, target, wanted._replace(value=after)))
            before = after
        return makers

    def _maker(self, step: Step, target: Manifest, field: Field) -> Maker:
        patch = next(
            (candidate for candidate in self._service.patches if step.setting == ("patches", candidate.name)), None
        )
        part = part_of_patch(patch, target.value, field.path) if patch is not None else None
        at = part.start if part is not None else patch.at if patch is not None else None
        ends = [field.path[-1:]] if step.setting[0] == "metadata" else [("patch",), ("path",)]
        return Maker(
            step.what, at, field.value, self._setting([*((*step.setting, *end) for end in ends), step.setting])
        )

    def _setting(self, paths: list[Path]) -> Explained | None:
        """What the first of these settings is from that is there."""
        for path in paths:
            try:
                return self._explanation.at(path)[0]
            except CmpError:
                continue
        return None

    def _origin(self, target: Manifest, path: Path, value: Any | Absent) -> Maker:
        """What the object is from: a template of the chart, a generator, or a file."""
        printed = self._same(self._rerenderer.printed, target)
        if printed is not None:
            return Maker(printed.source, self._explanation.template(printed.source), value)
        generator = generator_of(self._service, target)
        if generator is not None:
            return Maker(generator.what, generator.at, value, self._setting([generator.setting]))
        written = in_resources(self._service.resources, self._rerenderer.tree, target.value, path)
        if written is None:
            return Maker(target.source, None, value)
        # A kustomization may have changed what its file says.
        told = not path or field(plain(written.document), path).value == value
        items = self._explanation.whole.elements("resources")
        named: list[Path] = [("resources", at) for at, item in enumerate(items) if item.value == written.resource.path]
        setting = self._setting([*named[:1], ("kustomize", "resources")])
        return Maker(f"resource {written.resource.path[1:]}", written.at if told else None, value, setting)

    # --- the chart: its values ---

    def _decides(self, trials: Trials, field: Field) -> Iterator[Decides]:
        """The values that decide a field of the chart's own output."""
        answered, known = False, set[Keys]()
        own = (keys[1:] for keys, _ in leaves(self._service.values, ("values",)) if len(keys) > 1)
        scored = [(likeness(field.named, field.value, keys, trials.value(keys)), keys) for keys in own]
        for keys in likely_first(scored, lambda group: trials.differ(dict.fromkeys(group, ABSENT))):
            otherwise, removed = trials.outcome({keys: ABSENT}), True
            value = another(trials.value(keys))
            if isinstance(otherwise, Failed) and value is not None:
                # Without it nothing renders: what another value does says more.
                with_another = trials.outcome({keys: value})
                if not isinstance(with_another, Failed):
                    otherwise, removed = with_another, False
            if removed or trials.differs(otherwise):
                yield Decides(self._value(keys), removed, otherwise)
                known.add(keys)
                answered = answered or not isinstance(otherwise, Absent | Failed)
        if not answered:
            yield from self._guessed(trials, field, known)

    def _guessed(self, trials: Trials, field: Field, known: set[Keys]) -> Iterator[Decides]:
        """The namespace or the release's name; or else those of all values, the chart's own too, that look like it."""
        for name, otherwise in trials.renamed():
            if trials.differs(otherwise):
                yield Decides(self._explanation.at((name,))[0], False, otherwise)
                return
        whole = self._explanation.whole.get("values")
        scored: list[tuple[int, Keys]] = []
        others: dict[Keys, Any] = {}
        for (_, *path), leaf in leaves(whole, ("values",)) if whole is not None else ():
            keys, value = tuple(path), plain(leaf)
            others[keys] = another(value, field.value)
            score = likeness(field.named, field.value, keys, value)
            if keys and score > 0 and others[keys] is not None and keys not in known:
                scored.append((score, keys))
        best = sorted(scored, key=lambda pair: -pair[0])[:MOST_GUESSES]
        for keys in likely_first(best, lambda group: trials.differ({guess: others[guess] for guess in group})):
            otherwise, removed = trials.outcome({keys: others[keys]}), False
            if isinstance(otherwise, Failed):
                # A chart's schema may admit no other: then it is seen without any.
                otherwise, removed = trials.outcome({keys: None}), True
            if trials.differs(otherwise) and not isinstance(otherwise, Failed):
                yield Decides(self._value(keys), removed, otherwise)
                if not isinstance(field.value, dict | list):
                    return  # one is enough

    def _value(self, keys: Keys) -> Explained:
        return self._explanation.at(("values", *keys))[0]
