"""Why helm could not fetch something: its stderr as one reason.

In: the stderr of `helm pull`, of Helm 3 or 4. Out: a `Refusal` without addresses: those may carry
tokens, and the caller knows which place it asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STATUS = re.compile(r"(?:failed to fetch \S+ : |response status code |unexpected status(?: code)? )(\d{3})\b")
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_NOT_THERE = re.compile(
    r"no chart (?:version|name) found|not found in \S+ index|: not found$|unable to locate any tags"
)
# (what Go or Helm says, what we say, whether another try may help)
_SAYINGS = (
    ("connection refused", "the connection was refused", True),
    ("connection reset", "the connection was reset", True),
    ("broken pipe", "the connection was reset", True),
    ("unexpected EOF", "the connection ended in the middle", True),
    (": EOF", "the connection ended without an answer", True),
    ("Client.Timeout", "there was no answer in time", True),
    ("i/o timeout", "there was no answer in time", True),
    ("TLS handshake timeout", "there was no answer in time", True),
    ("no such host", "there is no such host", False),
    ("server misbehaving", "the name server did not answer", True),
    ("server gave HTTP response to HTTPS client", "the server speaks HTTP, not HTTPS", False),
    ("stopped after 10 redirects", "it redirects without an end", False),
    ("certificate signed by unknown authority", "its certificate is signed by an unknown authority", False),
    ("x509:", "its certificate is not valid", False),
    ("network is unreachable", "the network is unreachable", False),
    ("invalid chart URL", "the index names no valid address for it", False),
    ("no downloadable URLs", "the index names no address for it", False),
)
_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    410: "Gone",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_ADDRESS = re.compile(r"\"?[a-z]+://[^\s\"]+\"?")
_LONGEST = 300


class Refusal(NamedTuple):
    """`status`: of HTTP, 0 without an answer. `absent`: the place answered, and has no such chart."""

    reason: str
    status: int
    transient: bool
    absent: bool


def refusal(stderr: str) -> Refusal:
    """What stood in the way."""
    _, marker, text = f"\n{stderr}".rpartition("\nError: ")  # the last error; warnings come before it
    text = " ".join((text if marker else stderr).split()).replace(
        "basic credential not found", "response status code 401"
    )
    if answer := _STATUS.search(text):
        status = int(answer[1])
        reason = f"{status} {_PHRASES.get(status, '')}".rstrip()
        return Refusal(reason, status, status in _TRANSIENT, status in (404, 410))
    if _NOT_THERE.search(text):
        return Refusal("it has no such chart or version", 0, False, True)
    for saying, reason, transient in _SAYINGS:
        if saying in text:
            return Refusal(reason, 0, transient, False)
    return Refusal(_ADDRESS.sub("its address", text)[:_LONGEST] or "helm does not say why", 0, False, False)
