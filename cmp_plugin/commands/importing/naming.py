"""What a cluster is called in the names of its Applications: `web-prod` and `cache-prod` say `prod`.

In: names of Applications by cluster. Out: that word for each cluster that has one. A word counts only if what is
left of the names without it is found on other clusters, too: `istio-base` and `istio-cni` say nothing of a cluster.
Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

MOST_STEPS = 3  # of a cluster's word, as in `eu-west-1`


def words(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Cluster -> its word in the names. Two clusters never have the same one."""
    chosen: dict[str, str] = {}
    offers = {cluster: _offers(cluster_names) for cluster, cluster_names in names.items()}
    for side in ("suffix", "prefix"):
        known = Counter(
            stem
            for offered in offers.values()
            for stem in {s for (at, _), stems in offered.items() if at == side for s in stems}
        )
        for cluster, offered in offers.items():
            scores = {
                word: sum(known[stem] > 1 for stem in stems) for (at, word), stems in offered.items() if at == side
            }
            best = max(scores, key=lambda word: (scores[word], -len(word), word), default="")
            if best and scores[best] and cluster not in chosen:
                chosen[cluster] = best
    twice = {word for word, count in Counter(chosen.values()).items() if count > 1}
    return {cluster: word for cluster, word in chosen.items() if word not in twice}


def _offers(names: Sequence[str]) -> dict[tuple[str, str], set[str]]:
    """(side, word) -> what is left of the names that have it, where at least half of the names do."""
    offers: dict[tuple[str, str], set[str]] = {}
    for name in names:
        steps = name.split("-")
        for count in range(1, min(MOST_STEPS, len(steps) - 1) + 1):
            offers.setdefault(("suffix", "-".join(steps[-count:])), set()).add("-".join(steps[:-count]))
            offers.setdefault(("prefix", "-".join(steps[:count])), set()).add("-".join(steps[count:]))
    return {key: stems for key, stems in offers.items() if 2 * len(stems) >= len(names)}


def without_word(name: str, candidates: Sequence[str]) -> str:
    """`name` without the first of the words that is part of it, between dashes; `name` itself when there is none."""
    for word in filter(None, candidates):
        if has_word(name, word) and name != word:
            return f"-{name}-".replace(f"-{word}-", "-", 1).strip("-")
    return name


def has_word(name: str, word: str) -> bool:
    """Whether a word stands in a name, between dashes."""
    return f"-{word}-" in f"-{name}-"
