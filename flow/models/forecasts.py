"""What was learnt of each site, what was said from it, and how right that was."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from wards.models import Site


class ForecastModel(models.Model):
    """A version of what was learnt of a site, 1 for the first. The row stays for ever; what was
    learnt itself (`blob`, see `flow.forecasts.learnt`) may be dropped once it no longer speaks,
    and is not there at all where a trial had shown that it was not worth learning in full.

    learnt_from, learnt_until: the history it was learnt from, as known at the end of it, with so
    many `departures`; `movement` is the last one recorded by then. floor_loss, boosted_loss: how
    the model without boosting and the one with it told the last days when each was learnt without
    them (log score in nats, less is better), which decides the `kind`. own_loss, live_loss: the
    same of this model and of the one that was live, over `compared` forecasts of the last days;
    `verdict` is what followed. live_from, live_until: when it spoke; both empty if it never
    did.
    """

    class Kind(models.TextChoices):
        FLOOR = "floor", _("Kaplan–Meier by specialty and weekday")
        STAGED = "staged", _("Hazard by how far a discharge has come")
        BOOSTED = "boosted", _("Boosted hazard")

    class Verdict(models.TextChoices):
        """Why a model speaks or does not."""

        FIRST = "first", _("There was none before that could be read")
        YOUNG = "young", _("The history was too short to keep days for a comparison")
        WON = "won", _("It told the last days better than the one before")
        LOST = "lost", _("It did not tell the last days better than the one that speaks")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="forecast_models")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    trained_at = models.DateTimeField()
    learnt_from = models.DateTimeField()
    learnt_until = models.DateTimeField()
    departures = models.PositiveIntegerField()
    movement = models.BigIntegerField(default=0)
    seconds = models.FloatField()
    floor_loss = models.FloatField(null=True)
    boosted_loss = models.FloatField(null=True)
    own_loss = models.FloatField(null=True)
    live_loss = models.FloatField(null=True)
    compared = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=10, choices=Verdict)
    format = models.PositiveSmallIntegerField()
    libraries = models.CharField(max_length=200)
    blob = models.BinaryField(null=True)
    live_from = models.DateTimeField(null=True)
    live_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="forecast_model_number"),
            models.UniqueConstraint(
                fields=["site"],
                condition=Q(live_from__isnull=False, live_until__isnull=True),
                name="one_live_forecast_model",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="forecast_model_numbers_from_one"
            ),
            models.CheckConstraint(
                condition=Q(learnt_from__lte=F("learnt_until")), name="forecast_model_learnt"
            ),
            models.CheckConstraint(
                condition=Q(live_until__isnull=True) | Q(live_from__lte=F("live_until")),
                name="forecast_model_live_period",
            ),
            models.CheckConstraint(
                condition=Q(live_from__isnull=True)
                | Q(live_until__isnull=False)
                | Q(blob__isnull=False),
                name="forecast_model_that_speaks_is_kept",
            ),
            models.CheckConstraint(
                condition=(Q(verdict="lost") & Q(live_from__isnull=True))
                | (~Q(verdict="lost") & Q(live_from__isnull=False)),
                name="forecast_model_speaks_by_its_verdict",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="forecast_models_are_facts",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "site_id", "number", "kind", "trained_at", "learnt_from", "learnt_until",
                    "departures", "movement", "seconds", "floor_loss", "boosted_loss", "own_loss",
                    "live_loss", "compared", "verdict", "format", "libraries", "live_from",
                ) | pgtrigger.Delete,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"forecast model {self.number} of site {self.site_id}"

    @property
    def is_live(self) -> bool:
        """Whether it speaks."""
        return self.live_from is not None and self.live_until is None


class ForecastLevels(models.Model):
    """How fast patients leave these days, beside what a model learnt, as followed until `at`;
    what lies in `blob` is read by `flow.forecasts.learnt`."""

    model = models.ForeignKey(ForecastModel, on_delete=models.CASCADE, related_name="levels")
    at = models.DateTimeField()
    blob = models.BinaryField()

    class Meta:
        verbose_name_plural = "forecast levels"
        constraints = [
            models.UniqueConstraint(fields=["model", "at"], name="forecast_levels_once"),
        ]

    def __str__(self) -> str:
        return f"levels of {self.model_id} at {self.at:%Y-%m-%d %H:%M}"


class ForecastPatterns(models.Model):
    """How patients come to a site and go through it, as learnt at `at`; what lies in `blob` is
    read by `flow.forecasts.learnt`."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="forecast_patterns")
    at = models.DateTimeField()
    format = models.PositiveSmallIntegerField()
    libraries = models.CharField(max_length=200)
    blob = models.BinaryField()

    class Meta:
        verbose_name_plural = "forecast patterns"
        constraints = [
            models.UniqueConstraint(fields=["site", "at"], name="forecast_patterns_once"),
        ]

    def __str__(self) -> str:
        return f"patterns of {self.site_id} at {self.at:%Y-%m-%d %H:%M}"


class ForecastTraining(models.Model):
    """One go at learning a site anew, while it runs and afterwards.

    `step` is what is being done, `done` of `steps` are over; `heard_at` is when it was last heard
    of. `stop_asked`: somebody wants it to stop.
    """

    class Step(models.TextChoices):
        READING = "reading", _("Reading the history")
        TRYING = "trying", _("Trying it on the last days")
        COMPARING = "comparing", _("Comparing it with the model that speaks")
        LEARNING = "learning", _("Learning from all days")
        FOLLOWING = "following", _("Following the last weeks")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        UNCHANGED = "unchanged", _("Nothing new to learn")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="forecast_trainings")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    step = models.CharField(max_length=10, choices=Step, blank=True, default="")
    done = models.PositiveSmallIntegerField(default=0)
    steps = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    stop_asked = models.BooleanField(default=False)
    model = models.ForeignKey(ForecastModel, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=Q(state="running"), name="one_training_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="training_is_over_when_it_ended",
            ),
            models.CheckConstraint(condition=Q(done__lte=F("steps")), name="training_steps"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(model__isnull=False), name="training_made_a_model"
            ),
        ]
        indexes = [models.Index(fields=["site", "-started_at"], name="training_of_site")]

    def __str__(self) -> str:
        return f"training {self.pk}"


class ForecastDue(models.Model):
    """A note that what is foretold of a site may have changed. Written in the transaction that
    counts the wards concerned; many notes for one site are one forecast."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "forecasts due"

    def __str__(self) -> str:
        return f"forecast due of site {self.site_id}"


class Forecast(models.Model):
    """What was said of a site from what was known at `at`, as it was issued. Never edited.

    is_standard: of one of the hours at which the record is kept. level, level_low, level_high: how
    fast patients leave beside what the model learnt, with the 90 % interval. `said` and `arrays`
    hold the rest, in the format of that number; `flow.forecasts.stored` writes and reads them.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="forecasts")
    at = models.DateTimeField()
    issued_at = models.DateTimeField(db_default=Now())
    is_standard = models.BooleanField()
    model = models.ForeignKey(ForecastModel, on_delete=models.PROTECT, related_name="forecasts")
    patients = models.PositiveIntegerField()
    level = models.FloatField()
    level_low = models.FloatField()
    level_high = models.FloatField()
    format = models.PositiveSmallIntegerField()
    said = models.JSONField()
    arrays = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "at"], name="forecast_once"),
            models.CheckConstraint(
                condition=Q(issued_at__gte=F("at")), name="forecast_issued_after_its_moment"
            ),
            models.CheckConstraint(
                condition=Q(level_low__gt=0, level_low__lte=F("level_high")),
                name="forecast_level_interval",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="forecasts_stay_as_issued", operation=pgtrigger.Update),
            pgtrigger.Protect(
                name="forecasts_are_kept",
                operation=pgtrigger.Delete,
                # After two days those of full hours are enough, after four weeks those of the
                # hours at which the record is kept.
                condition=pgtrigger.Condition(
                    "OLD.is_standard OR OLD.at > now() - CASE "
                    "WHEN extract(minute FROM OLD.at) = 0 THEN interval '28 days' "
                    "ELSE interval '2 days' END"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"forecast of site {self.site_id} at {self.at:%Y-%m-%d %H:%M}"


class ForecastInputs(models.Model):
    """What the latest forecast of a site was worked out from; what lies in `blob` is read by
    `flow.forecasts.learnt`."""

    site = models.OneToOneField(
        Site, on_delete=models.CASCADE, primary_key=True, related_name="forecast_inputs"
    )
    forecast = models.ForeignKey(Forecast, on_delete=models.CASCADE, related_name="+")
    format = models.PositiveSmallIntegerField()
    libraries = models.CharField(max_length=200)
    blob = models.BinaryField()

    class Meta:
        verbose_name_plural = "forecast inputs"

    def __str__(self) -> str:
        return f"inputs of forecast {self.forecast_id}"


class ForecastScore(models.Model):
    """How right one speaker was about one number of one forecast, in sums that can be added up.

    A projection of the forecast and of what happened, as known at `scored_at`: what is told late
    makes it be counted anew.

    day, hour: local, of the moment of the forecast. what, until, part, speaker: words of
    `flow.forecasts.recorded`; key: primary key of a ward, or code of a specialty.
    Of chances of single patients: patients, sums of the log score (nats) and of the Brier score;
    by tenth of the chance how many, the sum of what was said, and how many it came true for.
    Of the number: forecasts (1 where a distribution was said), seen, said (the mean), crps, and
    whether the central 50, 80 and 90 % held what was seen.
    """

    forecast = models.ForeignKey(Forecast, on_delete=models.PROTECT, related_name="scores")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    what = models.CharField(max_length=10)
    until = models.CharField(max_length=10)
    part = models.CharField(max_length=10)
    key = models.CharField(max_length=60, blank=True, default="")
    speaker = models.CharField(max_length=20)
    scored_at = models.DateTimeField()

    patients = models.PositiveIntegerField(default=0)
    log_sum = models.FloatField(default=0)
    brier_sum = models.FloatField(default=0)
    bin_patients = ArrayField(models.IntegerField(), size=10, default=list)
    bin_said = ArrayField(models.FloatField(), size=10, default=list)
    bin_came = ArrayField(models.IntegerField(), size=10, default=list)

    forecasts = models.PositiveSmallIntegerField(default=0)
    seen = models.IntegerField(default=0)
    said = models.FloatField(default=0)
    crps = models.FloatField(default=0)
    within_50 = models.PositiveSmallIntegerField(default=0)
    within_80 = models.PositiveSmallIntegerField(default=0)
    within_90 = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["forecast", "what", "until", "part", "key", "speaker"],
                name="forecast_score_once",
            ),
            models.CheckConstraint(
                condition=Q(forecasts__lte=1)
                & Q(within_50__lte=F("within_80"))
                & Q(within_80__lte=F("within_90"))
                & Q(within_90__lte=F("forecasts")),
                name="forecast_score_intervals_nest",
            ),
            models.CheckConstraint(
                condition=Q(log_sum__gte=0, brier_sum__gte=0, crps__gte=0),
                name="forecast_score_losses",
            ),
        ]
        indexes = [
            models.Index(fields=["site", "part", "what", "day"], name="forecast_score_days"),
        ]

    def __str__(self) -> str:
        return f"score {self.pk}"


class ForecastScoring(models.Model):
    """Until when what was foretold of a site has been scored."""

    site = models.OneToOneField(
        Site, on_delete=models.CASCADE, primary_key=True, related_name="forecast_scoring"
    )
    over = models.DateTimeField()

    def __str__(self) -> str:
        return f"site {self.site_id} is scored until {self.over:%Y-%m-%d %H:%M}"
