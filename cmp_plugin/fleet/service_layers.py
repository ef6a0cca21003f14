"""All layers of one service on one cluster, lowest first: defaults, its own file, those above.

In: a `Request`. Out: layers whose paths are canonical, ready to merge. Knows `when`, and what a directory
with a kustomization adds by itself; reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..goyaml.load import Node
from ..specs.paths import BlockFile, named_paths, with_canonical_paths
from .layers import Layer
from .request import Request


def own_layers(request: Request) -> list[Layer]:
    """service.yaml and its matching variants, in file order, with canonical paths."""
    allowed = tuple(
        directory for directory in request.tree.allowed if directory != f"/clusters/{request.facts.cluster}"
    )
    file = BlockFile(f"/services/{request.entry}", allowed, request.facts.scope)
    # In the file itself, unlike in the layers above, a key without a value is as good as absent.
    spec = {key: child for key, child in request.spec.entries().items() if child.value is not None}
    layers = [Layer(f"service {request.entry}", with_canonical_paths(Node(spec, request.spec.at), file))]
    for name, variant in request.spec.entries("variants").items():
        if variant.value is not None and holds(variant, request.facts.labels):
            layers.append(Layer(variant_layer(request, name), with_canonical_paths(variant, file)))
    return layers


def variant_layer(request: Request, name: str) -> str:
    """What a variant is called as a layer."""
    return f"service {request.entry}, variant {name}"


def service_paths(request: Request) -> list[str]:
    """Every path that service.yaml and its matching variants name."""
    layers = own_layers(request)
    return [str(path.value).removesuffix("?") for layer in layers for path in named_paths(layer.block)]


def holds(variant: Node, labels: Mapping[str, str]) -> bool:
    """Whether every entry of a variant's `when` is true of a cluster's labels."""
    return all(label_fits(wanted, labels.get(label)) for label, wanted in variant.entries("when").items())


def label_fits(wanted: Node, actual: str | None) -> bool:
    """Whether one entry of a `when` is true of a label's value; None is a label that is not there."""
    options = [str(item.value) for item in wanted.elements() or [wanted]]
    negated = options[0].startswith("!")
    return (actual is not None and f"{'!' if negated else ''}{actual}" in options) is not negated


def all_layers(request: Request) -> list[Layer]:
    """Every layer of a service, lowest first; what service.yaml builds by itself is its first resource."""
    below = [_without_itself(layer, request.key) for layer in request.below]
    if is_kustomization(request):
        at = request.spec.at
        itself = Node([Node(f"/services/{request.entry}", at)], at)
        below.insert(0, Layer(f"service {request.entry}", Node({"resources": itself}, at)))
    return [*below, *own_layers(request), *request.above]


def is_kustomization(request: Request) -> bool:
    """Whether service.yaml leaves what to build to the kustomization beside it."""
    if any(request.spec.get(name) for name in ("chart", "resources", "resources+")):
        return False
    return bool(request.tree.kustomization(f"/services/{request.entry}"))


def _without_itself(layer: Layer, key: str) -> Layer:
    """A `dependsOn` in defaults names every service, so also the one that it is about."""
    block = {**layer.block.entries()}
    for field in ("dependsOn", "dependsOn+"):
        depends_on = block.get(field)
        if depends_on is not None and isinstance(depends_on.value, list):
            others = [item for item in depends_on.value if str(item.value).removesuffix("?") != key]
            block[field] = Node(others, depends_on.at, depends_on.key)
    return layer._replace(block=Node(block, layer.block.at))
