"""Which record or visit counts for another, from joins as they were said. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping


def without_circles(latest: Mapping[int, tuple[str, int]]) -> dict[int, int]:
    """Old → new from the latest join said of each old; of a circle the oldest join falls.

    `latest` maps old to (order said, new); the orders sort as texts.
    """
    target = dict(latest)
    for start in sorted(latest):
        way: list[int] = []
        at = start
        while at in target and at not in way:
            way.append(at)
            at = target[at][1]
        if at in target:
            circle = way[way.index(at) :]
            del target[min(circle, key=lambda old: target[old])]
    return {old: new for old, (_, new) in target.items()}


def root(pk: int, targets: Mapping[int, int]) -> int:
    """The end of the chain that starts at `pk`; `targets` has no circles."""
    while pk in targets:
        pk = targets[pk]
    return pk
