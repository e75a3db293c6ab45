"""How often somebody is told that numbers and details do not fit, before that tells too much.

Whoever admits a patient by number must give family name and date of birth rightly, and is told
only whether all of it fits. Asked often enough, even that would give away when somebody was born.
So an account gets `settings.MISFITS_AN_HOUR` such answers within an hour, and then none.

Each attempt is noted before it is judged, in a transaction of its own, and the note of one that
fitted is taken away again: attempts sent at the same moment count each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Misfit, User
from accounts.refusals import Refused

WITHIN: Final = timedelta(hours=1)


class TooManyMisfits(Refused):
    """Too many numbers and details that do not fit; `until`: when the account may try again."""

    def __init__(self, until: datetime, at: datetime) -> None:
        minutes = max(1, ceil((until - at).total_seconds() / 60))
        super().__init__(
            _(
                "Numbers and details that do not fit were given %(times)d times within an hour, "
                "so from this account nobody can be admitted by number for %(minutes)d min. Admit "
                "the patient without numbers, or ask a colleague to admit them."
            )
            % {"times": settings.MISFITS_AN_HOUR, "minutes": minutes}
        )
        self.until = until


@contextmanager
def counted(user: User, at: datetime, *, is_misfit: Callable[[Refused], bool]) -> Iterator[None]:
    """Run an attempt of `user` and count it if it is refused as a misfit.

    Raises TooManyMisfits instead of trying, once too many were. Four queries.
    """
    note = _noted(user, at)
    misfits = False
    try:
        yield
    except Refused as refused:
        misfits = is_misfit(refused)
        raise
    finally:
        if not misfits:
            note.delete()


def _noted(user: User, at: datetime) -> Misfit:
    Misfit.objects.filter(user=user, at__lte=at - WITHIN).delete()
    note = Misfit.objects.create(user=user, at=at)
    latest = list(Misfit.objects.filter(user=user).exclude(pk=note.pk).order_by("-at"))
    if len(latest) >= settings.MISFITS_AN_HOUR:
        note.delete()
        raise TooManyMisfits(latest[settings.MISFITS_AN_HOUR - 1].at + WITHIN, at)
    return note
