"""The handover of a patch as one value: notes, what changed, what is open, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow.board_types import Sight
from flow.handover.ahead import HORIZON
from flow.handover.changes import changes
from flow.handover.notes import may_write, notes_of
from flow.handover.patch import Patch
from flow.handover.standing import situation
from flow.handover.types import Ahead, Changes, Standing
from flow.models import HandoverNote
from wards.models import Site
from wards.scope import Scope


@dataclass(frozen=True, slots=True)
class Handover:
    """What a shift takes over. since: from when on changes are told; moment: until when. notes:
    open ones with whether the reader may say that they are done; done: those done since."""

    since: datetime
    moment: datetime
    notes: Sequence[tuple[HandoverNote, bool]]
    done: Sequence[HandoverNote]
    changes: Sequence[Changes]
    standing: Standing
    ahead: Ahead

    @property
    def told(self) -> Sequence[Changes]:
        """The kinds of which there is something."""
        return [one for one in self.changes if one.count]

    @property
    def untold(self) -> Sequence[Changes]:
        """The kinds of which there is nothing."""
        return [one for one in self.changes if not one.count]


def handover(site: Site, *, since: datetime, at: datetime, patch: Patch, scope: Scope) -> Handover:
    """The handover of the patch at `at`; a fixed number of queries, however much there is."""
    notes = notes_of(site, since=since, at=at, scope=scope)
    open_ = [note for note in notes if not hasattr(note, "done")]
    stands = situation(site, at=at, until=at + HORIZON, patch=patch, scope=scope)
    return Handover(
        since=since,
        moment=at,
        notes=[(note, may_write(scope, site, note.ward_id)) for note in open_],
        done=[note for note in notes if hasattr(note, "done")],
        changes=changes(since=since, until=at, patch=patch, sight=Sight.of(scope)),
        standing=stands.standing,
        ahead=stands.ahead,
    )
