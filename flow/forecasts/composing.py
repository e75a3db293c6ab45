"""Everything that is said of a site at one moment, put together. Pure: no Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, poisson

from flow.forecasts.clock import HOUR
from flow.forecasts.history import Floats, Stays
from flow.forecasts.horizon import Horizon
from flow.forecasts.inputs import Inputs, Unknown
from flow.forecasts.leaving import HOURS, Leaving
from flow.forecasts.level import departures
from flow.forecasts.numbers import Pmf, poisson_binomial
from flow.forecasts.outlook import Outlook, Spread
from flow.forecasts.recorded import PARTS_AT, Part, Until, What, ends
from flow.forecasts.stored import Issued, Number, Patients

_NOTHING: Final = 1e-10
"""Numbers at the upper end that are less likely than this together are not told."""

Flags = NDArray[np.bool_]


def composed(
    leaving: Leaving,
    history: Stays,
    specialties: Sequence[str],
    inputs: Inputs | None,
    outlook: Outlook | None,
) -> Issued:
    """What is to be kept. history: the one that `leaving` tells of; specialties: of its stays, by
    code, where the model may know fewer; inputs, outlook: where beds are told."""
    now = np.full(leaving.stays.size, leaving.at, dtype=np.int64)
    ward = history.code("ward", leaving.stays, now)
    on_the_hour = replace(leaving, hours=Horizon(leaving.at).on_the_hour(leaving.hours))
    patients = Patients(
        episodes=history.keys[leaving.stays],
        wards=np.array([history.wards[n].key for n in ward], dtype=np.int64),
        specialties=[specialties[n] for n in leaving.stays],
        hours=on_the_hour.expected_hours(),
        days=leaving.expected_days(),
    )
    numbers = list(_departures(leaving, on_the_hour, patients))
    if inputs is not None:
        numbers += _admissions(inputs)
    return Issued(leaving.at, patients, tuple(numbers), outlook)


def _departures(leaving: Leaving, on_the_hour: Leaving, patients: Patients) -> Iterator[Number]:
    for until, end in ends(leaving.at).items():
        if (end - leaving.at) % HOUR == 0:
            chances = leaving.hours[:, _place(end - leaving.at)]
        else:
            # The moment is no full hour, and the end is: the place of that full hour.
            chances = on_the_hour.hours[:, _place(end - leaving.at + leaving.at % HOUR)]
        for part, key, mine in parts(patients, until):
            pmf = departures(chances[mine], leaving.level)
            yield Number(What.DEPARTURES, until, end, part, key, _spread(pmf))


def _place(ahead: int) -> int:
    return min(max(ahead // HOUR, 1), HOURS) - 1


def parts(patients: Patients, until: Until) -> Iterator[tuple[Part, str, Flags]]:
    """The groups of patients that are told apart until then, and who belongs to each."""
    yield Part.SITE, "", patients.of(Part.SITE, "")
    if until not in PARTS_AT:
        return
    for ward in np.unique(patients.wards).tolist():
        yield Part.WARD, str(ward), patients.of(Part.WARD, str(ward))
    for code in sorted({one for one in patients.specialties if one}):
        yield Part.SPECIALTY, code, patients.of(Part.SPECIALTY, code)


def _admissions(inputs: Inputs) -> Iterator[Number]:
    """Of those in the emergency department and on lists a Poisson-binomial number; of those of
    whom nothing is known yet a negative binomial one, as wide as their rates are unsure."""
    ahead = inputs.ahead
    for until, end in ends(ahead.at).items():
        hours = min(ahead.at_or_after(end) + 1, HOURS)
        named = np.concatenate(
            [one.coming[:, :hours].sum(1) for one in (inputs.emergency, inputs.listed)]
        )
        known = poisson_binomial(np.clip(named, 0, 1))
        pmf = np.convolve(known, _unknown(inputs.unknown, hours))
        yield Number(What.ADMISSIONS, until, end, Part.SITE, "", _spread(pmf))


def _unknown(who: Unknown, hours: int) -> Pmf:
    numbers: Floats = who.comers.coming[:, :hours].sum(1)
    mean = float(numbers.sum())
    excess = float((who.own * numbers**2).sum())
    deviations = np.sqrt(who.unsure) * numbers
    for way in np.unique(who.comers.way):
        # The level of each way in is common to all days.
        excess += float(deviations[who.comers.way == way].sum()) ** 2
    if mean <= 0:
        return np.ones(1)
    if excess <= mean * 1e-9:
        said = poisson(mean)
    else:
        said = nbinom(mean**2 / excess, mean / (mean + excess))
    pmf = said.pmf(np.arange(int(said.ppf(1 - _NOTHING)) + 2))
    return np.asarray(pmf / pmf.sum())


def _spread(pmf: Pmf) -> Spread:
    return Spread(0, np.asarray(pmf, dtype=np.float64))
