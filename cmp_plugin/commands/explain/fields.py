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
from ...fleet.service import Resource
from ...fleet.value_path import ObjectWords, Path
from ...goyaml.load import plain
from ...render.compare import ABSENT, Absent, compared
from ...render.kustomize.patch_parts import part_of_patch
from ...render.manifest import Manifest
from .bisect import another, deciding, likeness
from .lines import in_resources
from .model import Explained
from .objects import Field, field, field_of, is_secret, named, renamed, same
from .rerender import Rehearsal
from .settings import Explanation
from .steps import Step, changes_names, generator_of, steps
from .trials import Failed, Keys, Outcome, Trials

MOST_RENDERS = 40
MOST_GUESSES = 12  # of the values that look like the field


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
    """`field` as text. `makers` highest first, the last is what the object is from. `tried`: values left out or changed.

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

    def __init__(self, explanation: Explanation, rehearsal: Rehearsal) -> None:
        self._explanation = explanation
        self._rehearsal = rehearsal
        self._service = rehearsal.service

    def story(self, words: ObjectWords, path: Path) -> FieldStory:
        """What made a field. Raises InputError when there is no such object or field."""
        target = self._named(words)
        found = field_of(target.value, path, str(words), self._service.label)
        makers = tuple(self._makers(target, found))
        story = FieldStory(str(found), found.value, is_secret(target.value, found.path), makers)
        printed = self._same(self._rehearsal.printed, target)
        if len(makers) > 1 or printed is None:
            return story
        own = [keys[1:] for keys, _ in leaves(self._service.values, ("values",)) if len(keys) > 1]
        decides, guessed = self._decides(Trials(self._rehearsal, printed, found.named), own, found)
        decides.sort(key=lambda one: isinstance(one.otherwise, Absent | Failed))
        return story._replace(decides=tuple(decides), tried=len(own) + guessed, complete=not self._rehearsal.is_over)

    def object_story(self, words: ObjectWords) -> ObjectStory:
        """What an object is from and what changed it. Raises InputError when there is no such object."""
        target = self._named(words)
        (_, before), *states = self._states(target)
        changes: list[Change] = []
        for step, after in states:
            if step is not None and before is not None and after is not None:
                fields = tuple(one.path for change in compared([before.value], [after.value]) for one in change.fields)
                if fields:
                    changes.append(Change(self._maker(step, target, Field((), ABSENT)), fields))
            before = after
        return ObjectStory(self._origin(target, (), ABSENT), tuple(changes), is_secret(target.value, ()))

    def _named(self, words: ObjectWords) -> Manifest:
        return named(self._rehearsal.final, words, self._service.namespace, self._service.label)

    # --- after the chart: patches, images, metadata, the fragment ---

    def _states(self, target: Manifest) -> list[tuple[Step | None, Manifest | None]]:
        """The object as the chart or a file has it, and after each step that could have changed it."""
        first, following = steps(self._service, target)
        states: list[tuple[Step | None, Manifest | None]] = []
        for step in (None, *following):
            objects = self._rehearsal.objects(step.service if step else first)
            if objects is not None:
                states.append((step, self._same(objects, target)))
        return states or [(None, None)]

    def _same(self, manifests: Sequence[Manifest], target: Manifest) -> Manifest | None:
        """The object before it got its name, where the service changes names."""
        found = same(manifests, target)
        return renamed(manifests, target) if found is None and changes_names(self._service) else found

    def _makers(self, target: Manifest, found: Field) -> list[Maker]:
        """What the object is from, and before it each step after which the field is another one."""
        states = [(step, field(one.value, found.named).value if one else ABSENT) for step, one in self._states(target)]
        before = states[0][1]
        makers = [self._origin(target, found.path, before)]
        for step, after in states[1:]:
            if step is not None and (type(before) is not type(after) or before != after):
                makers.insert(0, self._maker(step, target, found._replace(value=after)))
            before = after
        return makers

    def _maker(self, step: Step, target: Manifest, found: Field) -> Maker:
        patch = next((one for one in self._service.patches if step.setting == ("patches", one.name)), None)
        part = part_of_patch(patch, target.value, found.path) if patch is not None else None
        at = part.start if part is not None else patch.at if patch is not None else None
        ends = [found.path[-1:]] if step.setting[0] == "metadata" else [("patch",), ("path",)]
        return Maker(
            step.what, at, found.value, self._setting([*((*step.setting, *end) for end in ends), step.setting])
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
        printed = self._same(self._rehearsal.printed, target)
        if printed is not None:
            return Maker(printed.source, self._explanation.template(printed.source), value)
        generator = generator_of(self._service, target)
        if generator is not None:
            return Maker(generator.what, generator.at, value, self._setting([generator.setting]))
        written = in_resources(self._service.resources, self._rehearsal.tree, target.value, path)
        if written is None:
            return Maker(target.source, None, value)
        # A kustomization may have changed what its file says.
        told = not path or field(plain(written.document), path).value == value
        what = f"resource {written.resource.path[1:]}"
        return Maker(what, written.at if told else None, value, self._setting(self._naming(written.resource)))

    def _naming(self, resource: Resource) -> list[Path]:
        """Where the service's block may name a resource."""
        items = self._explanation.whole.elements("resources")
        places: list[Path] = [("resources", number) for number, item in enumerate(items) if item.value == resource.path]
        return [*places[:1], ("kustomize", "resources")]

    # --- the chart: its values ---

    def _decides(self, trials: Trials, own: list[Keys], found: Field) -> tuple[list[Decides], int]:
        """The values that decide a field of the chart's own output; how many were changed besides."""
        # Mostly it is what looks most like it, and then all the others make no difference at once.
        own = sorted(own, key=lambda keys: -likeness(found.named, found.value, keys, trials.value(keys)))
        found_out = [*deciding(own[:1], trials.differ_without), *deciding(own[1:], trials.differ_without)]
        decides = [Decides(self._value(keys), True, trials.without([keys])) for keys in found_out]
        decides = [better for one in decides if (better := self._needed(trials, one)) is not None]
        if any(not isinstance(one.otherwise, Absent | Failed) for one in decides):
            return decides, 0
        guessed = list(self._alike(found, {one.story.path[1:] for one in decides}))
        for name, otherwise in trials.renamed():
            if trials.differs(otherwise):
                return [*decides, Decides(self._explanation.at((name,))[0], False, otherwise)], 0
        one_is_enough = not isinstance(found.value, dict | list)
        for number, (keys, value) in enumerate(guessed, 1):
            otherwise = trials.with_value(keys, another(value, found.value))
            # A chart's schema may admit no other: then it is seen without any.
            removed = isinstance(otherwise, Failed)
            if removed:
                otherwise = trials.with_value(keys, None)
            if trials.differs(otherwise) and not isinstance(otherwise, Failed):
                decides.append(Decides(self._value(keys), removed, otherwise))
                if one_is_enough:
                    return decides, number
        return decides, len(guessed)

    def _needed(self, trials: Trials, one: Decides) -> Decides | None:
        """Without it nothing renders: what another value does says more. None when that makes no difference."""
        keys = tuple(map(str, one.story.path[1:]))
        value = another(one.story.value)
        if not isinstance(one.otherwise, Failed) or value is None:
            return one
        otherwise = trials.with_value(keys, value)
        if isinstance(otherwise, Failed):
            return one
        return Decides(one.story, False, otherwise) if trials.differs(otherwise) else None

    def _alike(self, found: Field, known: set[Path]) -> Iterator[tuple[Keys, Any]]:
        """The values, the chart's own among them, that look most like the field."""
        values = self._explanation.whole.get("values")
        every = [(keys[1:], plain(leaf)) for keys, leaf in (leaves(values, ("values",)) if values is not None else ())]
        scored = [
            (-likeness(found.named, found.value, keys, value), number, keys, value)
            for number, (keys, value) in enumerate(every)
            if keys and keys not in known
        ]
        best = sorted(one for one in scored if one[0] < 0 and another(one[3]) is not None)
        yield from ((keys, value) for _, _, keys, value in best[:MOST_GUESSES])

    def _value(self, keys: Keys) -> Explained:
        return self._explanation.at(("values", *keys))[0]
