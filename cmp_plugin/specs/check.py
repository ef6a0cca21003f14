"""Why a spec does not fit its model: pydantic's findings in our words, at their places.

In: the node of a file and its kind. Out: errors. Imports pydantic, so only a refused file comes here.
"""

from __future__ import annotations

from typing import Any

from ..errors import InputError, Location, did_you_mean
from ..goyaml.load import Node, plain
from .accept import fits
from .accept_table import TABLE

EXAMPLES = {"apiVersion": "apiVersion: cmp-plugin/v1alpha1", "when": "when: {label: value}"}
SECRET = ("vars", "values")  # what stands there may be one
EXPECTED = {
    "string_type": "a string",
    "string_too_short": "a string that is not empty",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "greater_than_equal": "a whole number, 0 or more",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "too_short": "a list with at least one entry",
}
MISPLACED = {
    "service": "only under `services:` of a profile or cluster",
    "variants": "only in service.yaml",
    "when": "only in a variant",
    "services": "only in a profile or cluster",
    "defaults": "only in fleet.yaml, a profile or cluster",
    "provision": "only in cluster.yaml",
    "destination": "only in cluster.yaml",
}


def check(node: Node, kind: str) -> list[InputError]:
    """Every way in which the file `node` does not fit its kind (Fleet, Profile, Service, Cluster)."""
    if fits(node, TABLE[f"file {kind}"], TABLE):
        return []
    from pydantic import ValidationError

    from .models import KINDS

    try:
        KINDS[kind].model_validate(plain(node))
    except ValidationError as refused:
        findings = refused.errors(include_url=False)
    else:
        raise AssertionError(f"shape table and models disagree on {node.at.file}")
    # One error per path: what a union refuses in several ways is one expectation, `a or b`. Where something below
    # a path is refused, that says more than the path itself.
    by_path: dict[tuple[Any, ...], list[Any]] = {}
    for finding in findings:
        by_path.setdefault(_real_path(node, finding), []).append(finding)
    above = {path[:length] for path in by_path for length in range(len(path))}
    return [_error(node, path, group, KINDS[kind]) for path, group in by_path.items() if path not in above]


def _real_path(root: Node, finding: Any) -> tuple[Any, ...]:
    """Pydantic's location without the union members it tried, which are no keys of the file."""
    path: list[Any] = []
    for step in finding["loc"]:
        if root.find((*path, step)) is not None:
            path.append(step)
    missing = finding["type"] == "missing"
    return (*path, finding["loc"][-1]) if missing else tuple(path)


def _error(root: Node, path: tuple[Any, ...], findings: list[Any], model: Any) -> InputError:
    first = findings[0]
    if first["type"] == "missing":
        return _missing(root, path, model.__name__)
    node = root.find(path)
    assert node is not None  # `_real_path` follows the file itself
    if any(finding["type"] == "extra_forbidden" for finding in findings):
        return _unknown_key(node, path, model)
    if first["type"] == "value_error":
        return InputError(f"{_dotted(path)} {first['ctx']['error']}", node.at)
    expected = " or ".join(dict.fromkeys(_expectation(finding) for finding in findings))
    return InputError(
        f"{_dotted(path)} must be {expected}, not {_described(node, secret=path[-1] in SECRET)}",
        node.at,
        _hint(node, expected),
    )


def _missing(root: Node, path: tuple[Any, ...], kind: str) -> InputError:
    parent = root.find(path[:-1])
    assert parent is not None
    where = f" in {_dotted(path[:-1])}" if path[:-1] else ""
    example = EXAMPLES.get(path[-1], f"kind: {kind}")
    return InputError(f'"{path[-1]}" is missing{where}', parent.key or Location(root.at.file), f"write {example}")


def _unknown_key(node: Node, path: tuple[Any, ...], model: Any) -> InputError:
    where = f" in {_dotted(path[:-1])}" if path[:-1] else ""
    name = str(path[-1])
    known = known_keys(path[:-1], TABLE[f"file {model.__name__}"])
    hint = did_you_mean(name, known)
    if name in MISPLACED and f"{name}s" not in known:
        hint = MISPLACED[name]
    if path[:-1] == ("defaults",) and name in known_keys((), TABLE["Variant"]):
        hint = "defaults cannot have it: it is a matter of one service"
    return InputError(f'unknown key "{name}"{where}', node.start, hint)


def known_keys(path: tuple[Any, ...], shape: Any) -> list[str]:
    """The field names that may stand at `path` of a file with this shape."""
    if isinstance(shape, str):
        return []
    if shape[0] == "ref":
        return known_keys(path, TABLE[shape[1]])
    if shape[0] == "either":
        return [name for alternative in shape[1] for name in known_keys(path, alternative)]
    if shape[0] in ("map", "list") and path:
        return known_keys(path[1:], shape[1])
    if shape[0] != "object":
        return []
    if not path:
        return list(shape[1])
    return known_keys(path[1:], shape[1].get(path[0], "any"))


def _dotted(path: tuple[Any, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "the file"


def _expectation(finding: Any) -> str:
    if finding["type"] == "literal_error":
        return str(finding["ctx"]["expected"]).replace("'", '"')
    kind, member = finding["type"], finding["loc"][-1]
    if kind == "string_pattern_mismatch" or (kind == "string_type" and member == "constrained-str"):
        return "one ${...} reference"
    if kind == "too_short" and finding["ctx"]["field_type"] == "Dictionary":
        return "a map with at least one entry"
    return EXPECTED.get(finding["type"], str(finding["msg"]))


def _described(node: Node, secret: bool) -> str:
    value = node.value
    if isinstance(value, dict):
        return "a map" if value else "an empty map"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "empty"
    if isinstance(value, str):
        return f'"{value}"' if len(value) < 40 and not secret else "a string"
    return f"the {'boolean' if isinstance(value, bool) else 'number'} {str(value).lower()}"


def _hint(node: Node, expected: str) -> str:
    """What to write instead, where that is plain."""
    value = node.value
    if "a string" in expected and isinstance(value, int | float):
        return f'write "{str(value).lower()}" with quotes'
    if expected == "a list" and isinstance(value, str):
        return f"write [{value}]"
    if expected == "a map" and isinstance(value, list) and value and isinstance(value[0].value, str):
        return f'write "{value[0].value}:" instead of "- {value[0].value}"'
    return ""
