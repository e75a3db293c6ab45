"""Stays numbered as a model knows them. Pure: no Django.

Each reading of the database numbers wards, specialties and admission methods as it meets them; a
model was learnt from another reading. What the model has not seen counts as "not known" to it, but
for wards: a new ward has to be told from others, whatever is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from flow.forecasts.history import Indices, Log, Stays, WardFacts


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


def _changed(log: Log, numbers: Sequence[int]) -> Log:
    stays, learnt, values = log.entries()
    to: Indices = np.array(numbers or [0], dtype=np.int64)
    return Log(stays, learnt, to[values.astype(np.int64)])
