"""The census as it was last confirmed."""

from __future__ import annotations

from django.db import models

from wards.models import Ward


class WardCensus(models.Model):
    """The figures of one ward by the live clock, as last counted; one row a ward.

    See `flow.board_types.Figures` for the words. A row answers for the present only while no
    `DirtyWard` note stands against the ward and `as_at` is recent; see `flow.census`.
    """

    ward = models.OneToOneField(
        Ward, on_delete=models.CASCADE, primary_key=True, related_name="census"
    )
    as_at = models.DateTimeField(help_text="The moment that was counted.")
    beds_open = models.PositiveIntegerField()
    beds_occupied = models.PositiveIntegerField()
    beds_available = models.PositiveIntegerField()
    beds_unready = models.PositiveIntegerField()
    beds_closed = models.PositiveIntegerField()
    beds_not_opened = models.PositiveIntegerField()
    beds_escalation = models.PositiveIntegerField()
    patients = models.PositiveIntegerField()
    bedless = models.PositiveIntegerField()
    unlisted = models.PositiveIntegerField()
    clashes = models.PositiveIntegerField()
    on_leave = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField()
    waiting_out = models.PositiveIntegerField()
    pending_discharges = models.PositiveIntegerField()
    longest_wait = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "ward censuses"
        constraints = [
            models.CheckConstraint(
                name="census_beds_add_up",
                condition=models.Q(
                    beds_open=models.F("beds_occupied")
                    + models.F("beds_available")
                    + models.F("beds_unready")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"census of ward {self.ward_id} at {self.as_at:%d %b %H:%M:%S}"
