"""Which number a stay, a ward and a code have. Pure: no Django.

As read they are numbered in the order in which they became known, so that nothing that becomes
known later changes a number: whoever learns from the past draws by number. A model was learnt from
another reading of the database, with numbers of its own. What it has not seen counts as "not
known" to it, but for wards: a new ward has to be told from others, whatever is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flow.forecasts.history import NOT_YET, Indices, Log, Stays, WardFacts


def numbered(history: Stays, *, wards: Sequence[int], codes: Mapping[str, Sequence[str]]) -> Stays:
    """The same stays, side by side as before, with wards (by primary key) and codes numbered in
    this order; wards that are not among these come after them."""
    facts = {ward.key: ward for ward in history.wards}
    new = [ward.key for ward in history.wards if ward.key not in set(wards)]
    order = [*wards, *new]
    logs = dict(history.logs)
    place = {key: number for number, key in enumerate(order)}
    logs["ward"] = _changed(history.log("ward"), [place[ward.key] for ward in history.wards])
    for name, known in codes.items():
        number = {code: n for n, code in enumerate(known)}
        were = history.codes.get(name, ("",))
        logs[name] = _changed(history.log(name), [number.get(code, 0) for code in were])
    return replace(
        history,
        wards=tuple(facts.get(key, WardFacts(key, "", "", "", counts=False)) for key in order),
        codes={name: tuple(known) for name, known in codes.items()},
        logs=logs,
    )


def in_known_order(history: Stays) -> Stays:
    """The same with stays, wards and codes numbered in the order in which they became known, of one
    minute by their names."""
    everyone = np.arange(len(history))
    first = history.log("admitted").first(everyone)
    names = np.array(history.names or [""] * everyone.size)
    order = np.lexsort((everyone, names, first))
    number = np.empty_like(order)
    number[order] = everyone
    logs = {}
    for name, log in history.logs.items():
        stays, learnt, values = log.entries()
        logs[name] = Log(number[stays], learnt, values)
    moved = replace(
        history,
        keys=history.keys[order],
        sexes=history.sexes[order],
        ages=history.ages[order],
        people=history.people[order] if history.people.size else history.people,
        names=tuple(history.names[n] for n in order) if history.names else (),
        logs=logs,
    )
    wards = [(ward.name, ward.key) for ward in history.wards]
    codes = {name: _met(moved.log(name), known) for name, known in history.codes.items()}
    return numbered(
        moved,
        wards=[history.wards[n].key for n in _met(moved.log("ward"), wards)],
        codes={name: [history.codes[name][n] for n in met] for name, met in codes.items()},
    )


def _met(log: Log, names: Sequence[Any]) -> list[int]:
    """The numbers of these names as first met in the log; "not known", which is 0, stays first."""
    _, learnt, values = log.entries()
    first = np.full(len(names), NOT_YET)
    np.minimum.at(first, values.astype(np.int64), learnt)
    return [0, *sorted(range(1, len(names)), key=lambda n: (first[n], names[n]))]


def _changed(log: Log, numbers: Sequence[int]) -> Log:
    stays, learnt, values = log.entries()
    to: Indices = np.array(numbers or [0], dtype=np.int64)
    return Log(stays, learnt, to[values.astype(np.int64)])
