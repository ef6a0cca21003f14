"""Where the values of one service on one cluster come from: what `explain` answers without rendering.

In: a cluster, a service's request, what its chart says about its own values. Out: `Explained` values,
each with the layer that made it, those it went over, and where what it refers to was set. Nothing is
rendered, fetched or started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...charts.contents import ChartFiles
from ...errors import InputError, Location
from ...fleet.block import Found, block_tree, find, inside, leaves, meant, over_defaults
from ...fleet.cluster import Cluster, open_cluster
from ...fleet.layers import Layer, is_open, merge_layers
from ...fleet.request import Request
from ...fleet.service_layers import all_layers, variant_layer
from ...fleet.value_path import Path, in_quotes
from ...goyaml.load import Node, node, plain
from ...specs.interpolate import Scope
from ...specs.merge import merge_values
from .chart import ChartOrigins
from .cluster import facts_said, facts_tree, variants
from .defaults import assumed
from .model import Explained, Explainer, Unmatched, evaluated
from .trails import Keys, Origins, Statement, Trail, said_by

ASSUMED = "default"
# Every field of a service block, what a person looks for first.
ORDER = (
    *("service", "managementCluster", "enabled", "namespace", "chart", "version", "revision", "releaseName"),
    *("includeCRDs", "skipTests", "vars", "valuesFiles", "values", "resources", "kustomize", "images", "metadata"),
    *("patches", "dependsOn", "application", "allow"),
)


class Explanation:
    """One service on one cluster. `chart` is None where there is none, or it is not on this machine.

    `explainer`: who said what; `variants`: which apply, and why; `whole`: the block with all of its defaults.
    """

    def __init__(self, cluster: Cluster, request: Request, chart: ChartFiles | None, wave: int | None = None) -> None:
        """`cluster` is the one that the service is on. Raises what merging the layers raises."""
        self.request = request
        layers = all_layers(request)
        merged = merge_layers(layers, request.tree)
        own_vars = merged.fields.entries("vars")
        about_cluster = list(facts_said(_seen(cluster, request)))
        statements = [*_vars_said(about_cluster, own_vars), *_own_said(said_by(layers, request.tree), own_vars)]
        facts = Origins(about_cluster)
        self.variants = variants(request.spec, request.facts.labels, facts)
        self._own = block_tree(merged, layers)
        self._chart = ChartOrigins(chart)
        self.explainer = Explainer(Origins(statements), facts, _scope(request, merged.fields, own_vars))
        default = assumed(request, cluster.name, merged.fields.get("chart") is not None, wave)
        self.whole = self._whole({**request.facts.vars, **own_vars}, node(default, Location("")))

    def _whole(self, variables: dict[str, Node], default: Node) -> Node:
        """The block with all vars that it sees; below it the chart's own values, and what nobody has to say."""
        block = over_defaults(self._own, self._chart.defaults)
        given = {"vars": Node(variables, block.at)} if variables else {}
        return merge_values(default, Node({**block.entries(), **given}, block.at))

    # --- what is asked for ---

    def overview(self) -> list[Explained]:
        """Every value that a layer set or took away, field by field, then in the order of the layers."""
        own = ((keys, self.whole.find(keys) if is_open(leaf) else leaf) for keys, leaf in leaves(self._own))
        stories = [self._story(keys, leaf) for keys, leaf in own if leaf is not None]
        return sorted([*stories, *self._removed(())], key=lambda story: ORDER.index(str(story.path[0])))

    def at(self, path: Path) -> list[Explained]:
        """The value at `path`, or every value below it; a path that is no field's is one in `values`.

        Raises InputError, with what was perhaps meant, when nothing is there.
        """
        for wanted in (path, ("values", *path)):
            position = find(self.whole, wanted)
            if position is not None:
                return self._with_unmatched([self._inside(position)] if position.rest else self._below(position))
            if gone := list(self._removed(tuple(map(str, wanted)))):
                return self._with_unmatched(gone)
        close = meant(self.whole, path)
        first = str(path[0])
        object_hint = "an object is written Kind/name" if "/" in first or first[:1].isupper() else ""
        hint = f"did you mean {in_quotes(close)}?" if close else object_hint
        raise InputError(f"{self._label} has no value {in_quotes(path)}", None, hint)

    def template(self, source: str) -> Location | None:
        """The file of a template that an object is from; `source` as the chart's output names it."""
        return self._chart.template(source.removeprefix("chart template "))

    def _below(self, position: Found) -> list[Explained]:
        below = [self._story(keys, leaf) for keys, leaf in leaves(position.node, position.keys)]
        return [*below, *self._removed(position.keys)]

    def _removed(self, below: Keys) -> Iterator[Explained]:
        """What is taken away at or below some keys, where that made a difference and leaves no null behind."""
        for keys in self.explainer.origins.removed(below):
            trail = self.explainer.origins.trail(keys)
            if self._own.find(keys) is None and trail.removed and trail.overridden:
                yield Explained(keys, None, "removed", trail)

    def _inside(self, position: Found) -> Explained:
        """A position inside a list, or inside a map that is replaced whole."""
        outer = self._story(position.keys, position.node)
        top = self.explainer.value(position.node)
        steps, there, left = inside(top, position.rest)
        if left:
            hint = f"the list has {len(there.value)} items" if isinstance(there.value, list) else ""
            raise InputError(f"{self._label} has no value {in_quotes((*position.keys, *position.rest))}", top.at, hint)
        part = inside(top, position.rest[:1])[1]
        statement = next((candidate for candidate in outer.trail.effective if _holds_part(candidate.node, part)), None)
        # What a var holds stays with the line that refers to it.
        exact = statement._replace(node=there, does="sets", literal=True) if statement else outer.trail.effective[0]
        return outer._replace(
            path=(*position.keys, *steps), value=plain(there), trail=Trail((exact,), outer.trail.overridden)
        )

    def _with_unmatched(self, stories: list[Explained]) -> list[Explained]:
        """With what the variants that do not apply say about each value."""
        named = self.request.spec.entries("variants")
        others = [
            (variant, self._origins_of(variant.name, named[variant.name]))
            for variant in self.variants
            if not variant.applies
        ]
        completed = []
        for story in stories:
            trails = ((variant, origins.trail(_keys(story.path))) for variant, origins in others)
            unmatched = tuple(
                Unmatched(variant, statement) for variant, trail in trails for statement in trail.effective
            )
            completed.append(story._replace(unmatched=unmatched))
        return completed

    def _origins_of(self, name: str, variant: Node) -> Origins:
        """What one variant says by itself. Its paths were never looked at, so no file of it is read."""
        block = Node({key: child for key, child in variant.entries().items() if key != "valuesFiles"}, variant.at)
        return Origins(said_by([Layer(variant_layer(self.request, name), block)], self.request.tree))

    def _story(self, keys: Keys, leaf: Node) -> Explained:
        default = self._chart.said(keys)
        if not default and not self.explainer.origins.trail(keys).effective:
            default = (Statement(ASSUMED, keys, leaf, literal=True),)
        return self.explainer.of(keys, leaf, default)

    @property
    def _label(self) -> str:
        return f"{self.request.facts.cluster}/{self.request.key}"


def _seen(cluster: Cluster, request: Request) -> Cluster:
    """The cluster whose labels and vars the service sees: for what provisions a cluster, that one."""
    name = request.facts.cluster
    return cluster if name == cluster.name else open_cluster(cluster.fleet, name)


def _keys(path: Path) -> Keys:
    """The part of a path that leads through maps."""
    positions = [number for number, step in enumerate(path) if isinstance(step, int)]
    return tuple(map(str, path[: min(positions, default=len(path))]))


def _vars_said(facts: Iterable[Statement], own: dict[str, Node]) -> Iterator[Statement]:
    """What the cluster's files say about vars. One that the service has begins anew."""
    yield from (statement for statement in facts if statement.path[0] == "vars")
    yield from (Statement("", ("vars", name), child, "starts") for name, child in own.items())


def _own_said(statements: Iterable[Statement], own: dict[str, Node]) -> Iterator[Statement]:
    """A var that a layer takes away from the service is the cluster's again."""
    return (statement for statement in statements if statement.path[0] != "vars" or statement.path[1] in own)


def _scope(request: Request, fields: Node, own_vars: dict[str, Node]) -> Scope:
    """What references in the block see. A namespace that is wrong is none."""
    scope = request.facts.scope(own_vars, name=request.key)
    namespace = fields.get("namespace")
    text = request.namespace or (evaluated(namespace, scope)[0].value if namespace is not None else "")
    return request.facts.scope(own_vars, name=request.key, namespace=text if isinstance(text, str) else "")


def _holds_part(node: Node, part: Node) -> bool:
    """Whether `part` is one of the items or fields that stand there."""
    return any(child.at == part.at for child in node.children())


def cluster_facts(cluster: Cluster) -> tuple[Explainer, list[Explained]]:
    """The labels, vars, Kubernetes version and destination of a cluster, each with its story."""
    facts = Origins(facts_said(cluster))
    explainer = Explainer(facts, facts, cluster.facts.scope())
    return explainer, [explainer.of(keys, leaf) for keys, leaf in leaves(facts_tree(cluster))]
