"""JSON Schemas of strangers: compiled without a network or a file, their findings without any value.

In: a schema as data. Out: a `Validator`, then `Refusal`s in our words. jsonschema-rs does the work: drafts 4
to 2020-12, regular expressions in linear time. Formats are not looked at: validators differ about them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

import jsonschema_rs
from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from .schema_work import work

MAX_FINDINGS = 20  # of one values file: a person fixes these first and looks again
MAX_MESSAGE = 300  # characters; a schema may list hundreds of allowed values
MAX_WORK = 20_000  # see `work`; the largest schemas of charts make 620, this many take 0.1 s
_FLAGS = re.compile(r"\(\?[a-zA-Z-]+[):]")
_MASK = "this"
Step = str | int


class Refusal(NamedTuple):
    """`path`: keys and indices to what is refused; `unknown`: its last key is one that should not be there."""

    path: tuple[Step, ...]
    message: str
    unknown: bool = False

    @property
    def where(self) -> str:
        """`a.b[0]`, for an error."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


class Unusable(Exception):
    """A schema that cannot be used here; the text goes on after its name and holds nothing of the machine."""


class Elsewhere(Unusable):
    """It refers to another file or address, which a render does not load either."""


class Validator:
    """A compiled schema."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def refusals(self, instance: Any) -> list[Refusal]:
        """What is wrong with `instance`, at most MAX_FINDINGS, each place once."""
        by_path: dict[tuple[Step, ...], Refusal] = {}
        for error in self._compiled.iter_errors(instance):
            for refusal in _refusals(error):
                by_path.setdefault(refusal.path, refusal)
            if len(by_path) >= MAX_FINDINGS:
                break
        return list(by_path.values())


def read(data: bytes) -> Any:
    """A schema file's content. Raises Unusable."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unusable("is no JSON") from None


def compiled(schema: Any, kind: Any = None, registry: Any = None) -> Validator:
    """`kind`: the jsonschema_rs class of a draft; else what `$schema` says, as for Helm 2020-12 without one.

    Raises Unusable: no schema, one that refers to another file or address, or one that could take for ever.
    """
    validator = _leniently_compiled(schema, kind, registry)
    if registry is None:
        try:
            bound = MAX_WORK + _size(schema)
            multiplies = work(schema, bound) >= bound
        except RecursionError:
            multiplies = True
        if multiplies:
            raise Unusable("makes too much of one value")
    return validator


def _leniently_compiled(schema: Any, kind: Any, registry: Any) -> Validator:
    try:
        return _compiled(schema, kind, registry)
    except Elsewhere:
        raise
    except Unusable as error:
        try:
            return _compiled(_without_flags(schema), kind, registry)
        except RecursionError:
            raise error from None


def _size(schema: Any) -> int:
    if isinstance(schema, dict | list):
        return 1 + sum(_size(child) for child in (schema.values() if isinstance(schema, dict) else schema))
    return 1


def _compiled(schema: Any, kind: Any, registry: Any) -> Validator:
    make = kind or jsonschema_rs.validator_for
    try:
        return Validator(
            make(
                schema,
                validate_formats=False,
                retriever=None if registry else _refuse,
                registry=registry,
                mask=_MASK,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        )
    except (ValueError, RecursionError, TypeError) as error:
        if _REFUSED in str(error).partition("\n")[0]:
            raise Elsewhere("refers to another file or address, which a render does not load") from None
        raise Unusable("cannot be compiled") from None


def _without_flags(schema: Any) -> Any:
    """Without patterns such as `(?i)x`, which Go reads and ECMA 262, whose patterns JSON Schema has, does not."""
    if isinstance(schema, dict):
        return {
            key: _without_flags(child)
            for key, child in schema.items()
            if not (key == "pattern" and isinstance(child, str) and _FLAGS.search(child))
        }
    return [_without_flags(child) for child in schema] if isinstance(schema, list) else schema


_REFUSED = "other files and addresses are not read"


def _refuse(uri: str) -> NoReturn:
    raise ValueError(_REFUSED)


def _refusals(error: ValidationError) -> Iterator[Refusal]:
    """One error as sentences; of alternatives the one that is certainly meant, or what all of them expect."""
    kind, path = error.kind, tuple(error.instance_path)
    if isinstance(kind, Kind.AdditionalProperties | Kind.UnevaluatedProperties):
        yield from (Refusal((*path, key), "no such key", True) for key in kind.unexpected)
    elif isinstance(kind, Kind.Required):
        yield Refusal((*path, str(kind.property)), "it is required")
    elif isinstance(kind, Kind.AnyOf | Kind.OneOfNotValid):
        yield from _alternatives(path, kind.context)
    elif isinstance(kind, Kind.Type):
        yield Refusal(path, _other_type(kind.types))
    else:
        message = error.message.replace('"', "'")
        yield Refusal(path, message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…")


def _alternatives(path: tuple[Step, ...], branches: Iterable[Iterable[ValidationError]]) -> Iterator[Refusal]:
    listed = [list(branch) for branch in branches]
    fitting = [branch for branch in listed if not any(_types(error, path) for error in branch)]
    if len(fitting) == 1:
        for error in fitting[0]:
            yield from _refusals(error)
        return
    types = [name for branch in listed for error in branch for name in _types(error, path)]
    if fitting or not types:
        yield Refusal(path, f"{_MASK} fits none of the forms that are allowed")
    else:
        yield Refusal(path, _other_type(types))


def _other_type(types: Iterable[str]) -> str:
    listed = sorted(set(types) - {"null"}) or ["null"]
    return f"{_MASK} is not of type {' or '.join(listed)}"


def _types(error: ValidationError, path: tuple[Step, ...]) -> list[str]:
    """The types that an alternative expects at `path`, where that is what it refuses; else none."""
    return list(error.kind.types) if isinstance(error.kind, Kind.Type) and tuple(error.instance_path) == path else []
