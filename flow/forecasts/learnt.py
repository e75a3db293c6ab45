"""What was learnt of a site, as bytes to be kept. Pure: no Django.

Bytes are written and read by the same installation alone: they are pickles, which no stranger's
bytes may ever be. What was written in another format, or with other versions of the libraries
whose objects lie in it, is not read; the site is then learnt anew.
"""

from __future__ import annotations

import pickle
import platform
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import scipy
import sklearn

from flow.forecasts import training
from flow.forecasts.features import CATEGORIES, NAMES, Question, table
from flow.forecasts.history import Floats, Stays
from flow.forecasts.numbering import numbered
from flow.forecasts.training import Trained

FORMAT: Final = 100 * training.FORMAT + 4
"""Of what is kept; raise the last part when a kept class changes its fields, or what is read of
history its meaning."""
LIBRARIES: Final = (
    f"Python {platform.python_version_tuple()[0]}.{platform.python_version_tuple()[1]}, "
    f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
)
_LEVEL: Final = 3
_WEDNESDAY: Final = 2

T = TypeVar("T")


class Unreadable(Exception):
    """What was kept cannot be read by this version."""


@dataclass(frozen=True)
class Learnt:
    """What speaks for a site. wards, codes: how it numbers wards (by primary key) and specialties
    and admission methods. typical: of those in hospital when it was learnt, the usual value of
    each of `features.NAMES`: the median, of codes the most frequent, and for a weekday the middle
    of the week."""

    trained: Trained
    wards: tuple[int, ...]
    codes: Mapping[str, tuple[str, ...]]
    typical: Floats

    def numbered(self, history: Stays) -> Stays:
        """The stays with the numbers of this model."""
        return numbered(history, wards=self.wards, codes=self.codes)


def learnt(trained: Trained, history: Stays, *, at: int) -> Learnt:
    """From the history that `trained` was learnt from, as known at `at`."""
    return Learnt(
        trained=trained,
        wards=tuple(ward.key for ward in history.wards),
        codes={name: tuple(codes) for name, codes in history.codes.items()},
        typical=_typical(history, at),
    )


def _typical(history: Stays, at: int) -> Floats:
    stays = history.present(at)
    rows = table(history, Question.today(stays, np.full(stays.size, at, dtype=np.int64)))
    found = np.full(len(NAMES), np.nan)
    for n, name in enumerate(NAMES):
        if name == "weekday":
            found[n] = _WEDNESDAY
            continue
        known = rows[:, n][~np.isnan(rows[:, n])]
        # What is not known of most is usually not known.
        if known.size * 2 <= stays.size:
            continue
        if name in CATEGORIES:
            codes, numbers = np.unique(known, return_counts=True)
            found[n] = codes[np.argmax(numbers)]
        else:
            found[n] = np.median(known)
    return found


def packed(kept: object) -> bytes:
    """As bytes."""
    return zlib.compress(pickle.dumps(kept, protocol=5), _LEVEL)


def unpacked(kind: type[T], blob: bytes, *, format: int, libraries: str) -> T:
    """What `packed` wrote. Raises `Unreadable` where another version did."""
    if (format, libraries) != (FORMAT, LIBRARIES):
        raise Unreadable(f"kept in format {format} with {libraries}")
    found: Any = pickle.loads(zlib.decompress(blob))  # noqa: S301 - our own database's
    if not isinstance(found, kind):
        raise Unreadable(f"a {type(found).__name__} where a {kind.__name__} was expected")
    return found
