"""An Application's settings as the block `application`: what Argo CD is to go on doing as it did.

In: an Application as its owner wrote it. Out: fields of `application`. Pure. Where the owner left a setting
to Argo CD's default and a fleet's default is another one, the owner's is written out.
"""

from __future__ import annotations

from typing import Any

from ...argocd.applications import FINALIZER, NAMESPACE, PROJECT, WAVE
from ...render.manifest import mapping, text
from .conversion import Block, literal

_OURS = ("CreateNamespace", "ServerSideApply")
_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"


def settings(application: dict[str, Any]) -> Block:
    """The block, without the Application's name."""
    metadata, spec = mapping(application, "metadata"), mapping(application, "spec")
    policy = mapping(spec, "syncPolicy")
    annotations = {key: value for key, value in mapping(metadata, "annotations").items() if key not in (WAVE, _KUBECTL)}
    sync: Block = dict.fromkeys(_OURS, False)
    options = policy.get("syncOptions")
    for option in options if isinstance(options, list) else []:
        key, _, value = str(option).partition("=")
        sync[key] = {"true": True, "false": False}.get(value.lower(), value)
    block: Block = {
        "namespace": "" if text(metadata, "namespace") == NAMESPACE else text(metadata, "namespace"),
        "project": "" if text(spec, "project") == PROJECT else text(spec, "project"),
        "labels": literal(mapping(metadata, "labels")),
        "annotations": literal(annotations),
        "syncOptions": {key: value for key, value in sync.items() if not (key in _OURS and value is True)},
        "retry": mapping(policy, "retry"),
        "ignoreDifferences": _ignored(spec.get("ignoreDifferences")),
        "info": spec.get("info") or [],
    }
    block = {key: value for key, value in block.items() if value}
    if metadata.get("finalizers") != [FINALIZER]:
        block["finalizers"] = metadata.get("finalizers") or []
    automated = policy.get("automated")
    if not isinstance(automated, dict) or automated.get("enabled") is False:
        block["automated"] = False
    else:
        # What the owner says over Argo CD's defaults, but for what is the fleet's default, too.
        effective = {"prune": False, "selfHeal": False, **automated}
        effective.pop("enabled", None)
        fleet_default = (("prune", True), ("selfHeal", True))
        if differing := {key: value for key, value in effective.items() if (key, value) not in fleet_default}:
            block["automated"] = differing
    wave = text(mapping(metadata, "annotations"), WAVE)
    if wave.lstrip("-").isdigit() and int(wave):
        block["wave"] = int(wave)
    return block


def _ignored(rules: Any) -> Block:
    """Rules by a name made of what they are about."""
    ignored: Block = {}
    for rule in rules if isinstance(rules, list) else []:
        name = "-".join(str(rule[key]).lower() for key in ("kind", "name") if rule.get(key)) or "rule"
        count, key = 2, name
        while key in ignored:
            key, count = f"{name}-{count}", count + 1
        ignored[key] = literal(rule)
    return ignored
