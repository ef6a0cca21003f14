"""Helm's error texts without the values that they quote: a value may be a secret.

In: a text of Helm or of a library in it. Out: the same text, the quoted value cut out. The texts are
those of Go's text/template, of Sprig, of Go's YAML and JSON readers and of the JSON Schema library.
What a chart's author says with `fail` or `required` is his own decision and is not for this module.
"""

from __future__ import annotations

import re

HIDDEN = "***"
_READ = 8 * 1024

# (what quotes a value, what is left of it)
_QUOTING = [
    (re.compile(r"(range can't iterate over|if/with can't use) .*", re.DOTALL), r"\1 this value"),
    (re.compile(r"type mismatch on (\S+): .*", re.DOTALL), r"type mismatch on \1"),
    (re.compile(r"%!\w?\(.*\)", re.DOTALL), HIDDEN),
    (re.compile(r"invalid map key: .*", re.DOTALL), "invalid map key"),
    (re.compile(r"unknown anchor '.*?' referenced"), "unknown anchor referenced"),
    (re.compile(r"cannot unmarshal (!!)?(\w+) `.*?`", re.DOTALL), r"cannot unmarshal \2"),
    (re.compile(r"cannot unmarshal number \S+"), "cannot unmarshal number"),
    (re.compile(r"(cannot (?:over)?write table with non table for \S+) \(.*\)"), r"\1"),
    (
        re.compile(r"can't use .* (?:to )?iterate over", re.DOTALL),
        "can't use this value to iterate over",
    ),
    (re.compile(r"(non-comparable types?) .*", re.DOTALL), r"\1"),
    (re.compile(r"improper constraint: .*", re.DOTALL), "improper constraint"),
    (re.compile(r"can't convert .* to decimal", re.DOTALL), "can't convert this value to decimal"),
]
_REFUSED = [
    (re.compile(r".* (is not valid '[^']*').*"), r"\1"),
    (re.compile(r".* (does not match pattern .*)"), r"\1"),
    (re.compile(r"(value is not (?:of mediatype )?'[^']*'[^:]*): .*"), r"\1"),
    (
        re.compile(r"(minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf): got .*, want"),
        r"\1: want",
    ),
]
_SENTENCE = re.compile(r"(- at '.*?': )(.*)")
_CALL = re.compile(r"(error calling (?!include)\w+: )(.*)", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)


def clipped(text: str) -> str:
    """The beginning and the end of an endless text: a chart may print what it likes."""
    return text if len(text) <= 2 * _READ else f"{text[:_READ]}\n{text[-_READ:]}"


def without_values(text: str) -> str:
    """`text` without the places where Helm and its libraries are known to quote values."""
    text = _SENTENCE.sub(lambda match: match[1] + refused(match[2]), text)
    for pattern, rest in _QUOTING:
        text = pattern.sub(rest, text)
    return _CALL.sub(lambda match: match[1] + _QUOTED.sub(HIDDEN, match[2]), text)


def refused(message: str) -> str:
    """A sentence of the schema library without the value that it is about."""
    for pattern, rest in _REFUSED:
        message = pattern.sub(rest, message)
    return message
