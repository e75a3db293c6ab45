"""Notes that the figures of a ward must be counted again."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from live.doorbell import ring, wake
from wards.models import DirtyWard, Occupancy


def mark_dirty(wards: Iterable[int]) -> None:
    """Note the wards in the caller's transaction; on commit ring their boards, wake the worker.

    The notes are what counts: should the ring be lost, the worker's sweep finds them. Raises
    TransactionManagementError outside a transaction, where note and change could come apart.
    """
    touched = sorted(set(wards))
    if not touched:
        return
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "mark a ward in the transaction that changes it"
        )
    DirtyWard.objects.bulk_create(DirtyWard(ward_id=ward) for ward in touched)
    transaction.on_commit(lambda: _tell(touched))


def mark_wards_of(episode: int) -> None:
    """The same for the ward on which the patient of an episode is."""
    mark_dirty(
        Occupancy.objects.filter(episode=episode, period__upper_inf=True).values_list(
            "ward_id", flat=True
        )
    )


def _tell(wards: list[int]) -> None:
    ring(f"ward:{ward}" for ward in wards)
    wake()
