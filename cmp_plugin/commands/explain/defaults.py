"""What holds where no layer says anything: the defaults of docs/spec.md as one tree, for `explain`.

In: a request. Out: plain values of the fields that have a default. Pure; a test compares it with what
resolving and the generated Application really do.
"""

from __future__ import annotations

from typing import Any

from ...argocd.applications import CONFIRM, DEFAULTS
from ...fleet.plan import PROVISION
from ...fleet.request import Request
from ...specs.defaults import FLAGS


def assumed(request: Request, cluster: str, has_chart: bool, wave: int | None = None) -> dict[str, Any]:
    """Field -> value, for a service on `cluster`. `wave` is what follows from its dependencies, if that is known."""
    confirmed = CONFIRM if request.key.startswith(PROVISION) else {}
    chart = {"releaseName": request.key, **FLAGS} if has_chart else {}
    return {
        "service": request.entry,
        "enabled": FLAGS["enabled"],
        **chart,
        "application": {
            "name": f"{cluster}-{request.key}",
            **DEFAULTS,
            "syncOptions": {**DEFAULTS["syncOptions"], **confirmed},
            **({} if wave is None else {"wave": wave}),
        },
    }
