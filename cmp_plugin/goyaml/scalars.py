"""Plain YAML scalars as Go reads them.

In: the text of an unquoted scalar. Out: str, int, float, bool or None, as go.yaml.in/yaml v2 (inside
sigs.k8s.io/yaml, so inside Helm, Argo CD and the Kubernetes decoders) resolves it; then the number
that is left of it after the JSON that all of them go through. No positions, no refusals here.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

# resolve.go, resolveMapList. Spellings that are not listed (`tRue`, `yEs`) are strings.
WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}

_NUMERIC = frozenset("0123456789+-.")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_SIGN_AFTER_0B = re.compile(r"0b([-+][01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# strconv alone decides on what begins with a point, and it takes underscores between digits.
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_DIGITS_OF_UINT64 = 20
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_EXACT = 2**53
_EXPONENT_FROM = 1e21


def resolve(text: str) -> Scalar:
    """The value of the plain scalar `text`; a merge key and a date are strings."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if text[0] == ".":
        return _float(text, text) if _DOT_FLOAT.fullmatch(text) else text
    digits = text.replace("_", "")
    number = _integer(digits)
    if number is not None:
        return number
    return _float(digits, text) if _FLOAT.fullmatch(digits) else text


def is_number_like(text: str) -> bool:
    """Whether the plain scalar looks like a number, also where it is too large to be read as one."""
    if text[:1] not in _NUMERIC:
        return False
    digits = text.replace("_", "")
    return bool(_INTEGER.fullmatch(digits) or _FLOAT.fullmatch(digits))


def as_float64(number: float) -> int | float:
    """What is left of a number that Go decodes from JSON into a map: everything is a float64.

    So Helm reads values. What Go prints without a fraction is an int here, with Go's digits.
    """
    if isinstance(number, int) and -_EXACT <= number <= _EXACT:
        return number
    number = float(number)
    negative_zero = number == 0 and repr(number) == "-0.0"
    if negative_zero or abs(number) >= _EXPONENT_FROM or not number.is_integer():
        return number
    return _shortest(number)


def as_kubernetes(number: float) -> int | float:
    """What is left of a number in the Kubernetes decoder: int64 where it fits, else float64."""
    if isinstance(number, int) and number in _INT64:
        return number
    return 0 if number == 0 else as_float64(number)


def _shortest(number: float) -> int:
    """The shortest digits that give `number` back, then zeros: how Go prints it."""
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return int(number)
    whole, _, fraction = mantissa.partition(".")
    return int(whole + fraction + "0" * (int(exponent) - len(fraction)))


def key_text(key: Scalar) -> str | None:
    """The JSON key that sigs.k8s.io/yaml makes of a key that is no string; None where it fails.

    Floats are left out: it prints them with the precision of 32 bits.
    """
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key) if isinstance(key, int) and key in _INT64 else None


def _integer(digits: str) -> int | None:
    """strconv.ParseInt, then ParseUint, with base 0; None for a number that fits neither."""
    match = _INTEGER.fullmatch(digits)
    if match is None:
        binary = _SIGN_AFTER_0B.fullmatch(digits)
        return _fitting(int(binary[1], 2), signed=True) if binary else None
    sign, *texts = match.groups()
    bases = [(text, base) for text, base in zip(texts, (16, 2, 8, 10), strict=True) if text is not None]
    text, base = bases[0]
    if base == 10 and len(text) > _DIGITS_OF_UINT64:
        return None
    number = int(text, base)
    return _fitting(-number if sign == "-" else number, signed=bool(sign))


def _fitting(number: int, *, signed: bool) -> int | None:
    return number if number in _INT64 or (not signed and number in _UINT64) else None


def _float(digits: str, text: str) -> float | str:
    """strconv.ParseFloat; `text` itself where the number is too large."""
    number = float(digits)
    return number if abs(number) != float("inf") else text
