"""The chance of everybody to be in each pool of beds at each hour ahead. Pure: no Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from flow.forecasts.history import Floats
from flow.forecasts.inputs import OFF_THE_BOOKS, Comers, Inputs
from flow.forecasts.pools import Flags, Share
from flow.forecasts.supply import FEMALE, MALE


class Whereabouts:
    """Of the pools `shares` (told by their place): rows of patients by hours ahead."""

    def __init__(self, inputs: Inputs, shares: Sequence[Share], *, whole: bool = False) -> None:
        """whole: the one pool is the site, of which nobody moves to another ward."""
        self._inputs = inputs
        self._whole = whole
        self._shares = np.stack([share.residents for share in shares])
        self._comers = np.stack([share.comers for share in shares])
        self._stays: dict[float, Floats] = {}
        self._coming: dict[float, tuple[Floats, Floats, Floats]] = {}

    def stays(self, level: float) -> Floats:
        """The chance of everybody in hospital to be on the site still, at a level of all hazards
        of leaving."""
        if level not in self._stays:
            # Of proportional hazards; to `level.lifted` nobody may have left for certain.
            self._stays[level] = (1 - self._inputs.residents.left) ** level
        return self._stays[level]

    def put(self) -> Floats:
        """The chance of everybody in hospital not to have moved to another ward, unless they left
        the site."""
        if self._whole:
            return np.ones(self._inputs.residents.put.shape)
        return self._inputs.residents.put

    def usable(self, pool: int) -> Floats:
        """The share of each patient there now that counts in the pool while they stay: not that of
        somebody in a bed that will be closed by then."""
        return np.asarray(self._usable * self._shares[pool][:, None])

    def on_the_books(self, pool: int) -> Floats:
        """The same share whether or not the bed will be closed by then: who leaves one that takes
        nobody in leaves as ever."""
        mine = self._inputs.residents.bed != OFF_THE_BOOKS
        return np.asarray((self._shares[pool] * mine)[:, None])

    def moved_in(self, pool: int) -> Floats:
        """The chance of everybody in hospital to have moved to a bed of the pool, unless they have
        left the site."""
        if self._whole:
            # Elsewhere on the site they need a bed, whatever became of the one they had.
            return np.asarray((1 - self._inputs.residents.put) * (1 - self._usable))
        return np.asarray(
            sum(moved * shares[pool][:, None] for moved, shares in self._moves)
        )  # fmt: skip

    def coming(self, pool: int, level: float) -> tuple[Floats, Floats, Floats]:
        """The same of those who may come and may have left again: single patients from the
        emergency department, and listed; and expected numbers of those yet unknown. level: of all
        hazards of leaving."""
        if level not in self._coming:
            inputs = self._inputs
            who = (inputs.emergency, inputs.listed, inputs.unknown.comers)
            emergency, listed, unknown = (self._in_pools(one, level) for one in who)
            self._coming[level] = (emergency, listed, unknown)
        emergency, listed, unknown = self._coming[level]
        return emergency[pool], listed[pool], unknown[pool]

    @cached_property
    def _usable(self) -> Floats:
        inputs = self._inputs
        bed = inputs.residents.bed
        found = np.ones(inputs.residents.left.shape)
        found[bed >= 0] = inputs.supply.usable[bed[bed >= 0]]
        found[bed == OFF_THE_BOOKS] = 0.0
        return found

    @cached_property
    def _openings(self) -> list[tuple[Flags, Flags]]:
        """Hours ahead in which the same wards take patients in, and which wards these are."""
        takes = self._inputs.takes & self._inputs.beds[:, None]
        wards, which = np.unique(takes, axis=1, return_inverse=True)
        return [(which.ravel() == n, wards[:, n]) for n in range(wards.shape[1])]

    def _ways(self, ward: Floats) -> Iterator[tuple[Flags, Floats, Flags]]:
        """Hours, where those who are on their way to these wards then come to, and which wards
        take patients in."""
        for hours, takes in self._openings:
            yield hours, _diverted(ward, takes), takes

    @cached_property
    def _moves(self) -> list[tuple[Floats, Floats]]:
        """Patients by hours, who has moved on; and pools by patients, the share that came there."""
        people = self._inputs.residents
        moved = -np.diff(people.put, axis=1, prepend=1.0)
        women = np.array([1.0, 0.0, 0.5])[np.minimum(people.sexes, 2)]
        found = []
        for hours, to, _ in self._ways(people.onward):
            shares = women * (self._comers[:, FEMALE] @ to.T)
            shares = shares + (1 - women) * (self._comers[:, MALE] @ to.T)
            found.append((np.cumsum(moved * hours, axis=1), shares))
        return found

    def _in_pools(self, who: Comers, level: float) -> Floats:
        """Pools by rows by hours."""
        found = np.zeros((len(self._comers), *who.coming.shape))
        if not who.coming.size:
            return found
        if self._whole:
            found[0] = self._there(who, who.coming, level, None)
            return found
        for hours, to, takes in self._ways(who.ward):
            coming = who.coming * hours
            there = self._there(who, coming, level, None)
            first = np.zeros((to.shape[1], *coming.shape))
            for ward in np.flatnonzero(to.any(0)):
                first[ward] = self._there(who, coming, level, int(ward))
            for person, part in ((FEMALE, who.women * to), (MALE, (1 - who.women) * to)):
                here = self._comers[:, person]
                next_ = here @ _diverted(self._inputs.moves, takes).T
                on_first = (part.T[:, :, None] * first).reshape(to.shape[1], -1)
                found += ((here - next_) @ on_first).reshape(found.shape)
                found += (next_ @ part.T)[:, :, None] * there
        return found

    def _there(self, who: Comers, coming: Floats, level: float, ward: int | None) -> Floats:
        """Who has come and not left the site, nor (if it is given) their first ward."""
        inputs = self._inputs
        found = np.zeros(coming.shape)
        for way, factor in set(zip(who.way.tolist(), who.factor.round(2).tolist(), strict=True)):
            mine = (who.way == way) & (who.factor.round(2) == factor)
            stays = np.exp(-inputs.away[way] * factor * level)
            if ward is not None:
                stays = stays * inputs.put_from[ward]
            found[mine] = coming[mine] @ stays
        return found


def _diverted(ward: Floats, takes: Flags) -> Floats:
    """Where those who are on their way to these wards come to: what would be the share of a closed
    one goes to the others."""
    to = ward * takes
    total = to.sum(1, keepdims=True)
    return np.asarray(np.where(total > 0, to / np.where(total > 0, total, 1), ward))
