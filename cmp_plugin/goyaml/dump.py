"""The writers: JSON for machines, JSON that Helm's YAML reader takes, YAML for people.

In: plain values (str, int, float, bool, None, list, dict with str keys). Out: text that means the same
to every reader that gets to see it; a value no reader could get back is refused. Keys are sorted, so
equal values give equal bytes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from yaml.cyaml import CBaseDumper

# A scanner of YAML gives up on a key longer than 1024 characters, its quotes and escapes included.
MAX_KEY = 1000
# Characters in a line that is never to be broken.
WIDE = 2**31 - 1

# What JSON may hold as it is and YAML may not, or folds: DEL, C1, line breaks, the byte order mark.
_RAW_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

# A text goes without quotes only if it begins like a word and is not one that some reader (YAML 1.1
# or 1.2) takes for something else, or begins with a digit and has a letter that no number has.
_WORD = re.compile(r"""[A-Za-z_/](?:[A-Za-z0-9_./@%+=*(),;<>~^$!&|'"\\{}\[\]?-]|:(?=[^ ])| (?=[^ #:]))*(?<!:)""")
_QUANTITY = re.compile(r"[0-9][0-9A-Za-z./-]*[ghj-mq-suvwyGHJ-MQ-SUVWY][0-9A-Za-z./-]*")
_RESERVED = frozenset("y n yes no on off true false null none nan inf".split())


def dump_json(value: Any) -> str:
    """One line of compact JSON, keys sorted, characters as they are (no ASCII escapes)."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError:
        raise InputError("a text holds half of a surrogate pair, which is no character") from None
    except ValueError:
        raise InputError("a number is infinite or not a number, which JSON cannot hold") from None
    return text


def dump_values(value: Any) -> bytes:
    """JSON that Helm reads as `value` from a values file; it reads the file as YAML."""
    _check_keys(value)
    return _readable(dump_json(value)).encode() + b"\n"


def dump_line(value: Any) -> str:
    """YAML in one line, for the eye: keys in their order, quotes only where the text would mean something else."""
    from yaml import dump
    from yaml.cyaml import CSafeDumper

    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value, ensure_ascii=False)
    text = dump(value, Dumper=CSafeDumper, default_flow_style=True, width=WIDE, allow_unicode=True, sort_keys=False)
    return " ".join(text.removesuffix("...\n").split("\n")).rstrip()


def dump_yaml(value: Any, *, ordered: bool = False) -> str:
    """YAML for people, in block style, that Go's readers, Kustomize and PyYAML read as `value`.

    `ordered`: keys stay in the maps' own order.
    """
    import io

    from yaml import DocumentEndEvent, DocumentStartEvent, StreamEndEvent, StreamStartEvent
    from yaml.cyaml import CBaseDumper

    dump_json(value)
    out = io.StringIO()
    dumper = CBaseDumper(out, width=-1, allow_unicode=True)
    dumper.emit(StreamStartEvent())
    dumper.emit(DocumentStartEvent(explicit=False))
    _emit(dumper, value, ordered)
    dumper.emit(DocumentEndEvent(explicit=False))
    dumper.emit(StreamEndEvent())
    return out.getvalue()


def _readable(text: str) -> str:
    return _RAW_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _check_keys(value: Any) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            if len(key) * 6 > MAX_KEY and len(_readable(json.dumps(key, ensure_ascii=False))) > MAX_KEY:
                raise InputError(f"a key has more than {MAX_KEY} characters, Helm cannot read it")
            _check_keys(child)
    elif isinstance(value, list):
        for child in value:
            _check_keys(child)


def _emit(dumper: CBaseDumper, value: Any, ordered: bool) -> None:
    from yaml import (
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
    )

    if isinstance(value, dict):
        dumper.emit(MappingStartEvent(None, None, True, flow_style=False))
        for key in value if ordered else sorted(value):
            dumper.emit(ScalarEvent(None, None, (True, True), key, style=_style(key, literal=False)))
            _emit(dumper, value[key], ordered)
        dumper.emit(MappingEndEvent())
    elif isinstance(value, list):
        dumper.emit(SequenceStartEvent(None, None, True, flow_style=False))
        for child in value:
            _emit(dumper, child, ordered)
        dumper.emit(SequenceEndEvent())
    elif isinstance(value, str):
        dumper.emit(ScalarEvent(None, None, (True, True), value, style=_style(value, literal=True)))
    else:
        dumper.emit(ScalarEvent(None, None, (True, True), _number(value), style=""))


def _style(text: str, *, literal: bool) -> str:
    if "\n" in text:
        return "|" if literal and _is_block(text) else '"'
    word = _WORD.fullmatch(text) and text.lower() not in _RESERVED
    return "" if word or _QUANTITY.fullmatch(text) else "'"


def _is_block(text: str) -> bool:
    """Whether a block scalar gives `text` back without indentation or chomping marks that vary."""
    body = text[:-1] if text[-1] == "\n" else text
    lines = body.split("\n")
    ends = lines[0][:1].strip() and lines[-1]
    return bool(ends) and all(line.isprintable() and line == line.rstrip() for line in lines)


def _number(value: float | bool | None) -> str:
    text = json.dumps(value)
    # PyYAML takes an exponent for a number only after a point.
    return text.replace("e", ".0e") if isinstance(value, float) and "e" in text and "." not in text else text
