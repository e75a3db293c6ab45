"""Escalation: rule sets, values told, what was computed, what was declared, and action cards."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Team, User
from huddles.models.actions import Action
from wards.models import Site

_STAYS = pgtrigger.Update | pgtrigger.Delete


class OpelRuleSet(models.Model):
    """One version of the rules by which a level is computed. Never edited: another replaces it.

    `organisation`: whose sites it is for; empty: every site without one of its body's own, and
    the system's roll-up. `number` counts on for each of these. `said`: the whole rule set in the
    shape of the YAML files, with the `weights` of the roll-up by code of the site. `labels`: of
    each parameter and of `bands` where it comes from (`published`, `filled_in`, `example`,
    `not_set`), and who filled it in when.
    """

    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="opel_rule_sets"
    )
    number = models.PositiveIntegerField()
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    is_example = models.BooleanField()
    said = models.JSONField()
    labels = models.JSONField(default=dict)
    note = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "number"],
                name="opel_rule_set_number",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="opel_rule_set_from_one"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="opel_rule_set_dates",
            ),
        ]
        triggers = [pgtrigger.Protect(name="opel_rule_sets_stay", operation=_STAYS)]

    def __str__(self) -> str:
        return f"{self.code} {self.number}"


class OpelValue(models.Model):
    """A value of a parameter as somebody told it: by hand, or a program over the API. A fact; a
    correction is another one, and of one moment the one recorded last counts."""

    class Source(models.TextChoices):
        HAND = "hand", _("By hand")
        API = "api", _("Over the API")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="opel_values")
    parameter = models.CharField(max_length=60)
    value = models.FloatField()
    as_at = models.DateTimeField()
    source = models.CharField(max_length=4, choices=Source)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())
    key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            # NaN and the infinities are no values; NaN sorts above all in PostgreSQL.
            models.CheckConstraint(
                condition=Q(value__gt=-1e9, value__lt=1e9), name="opel_value_is_a_number"
            ),
        ]
        indexes = [
            models.Index(
                fields=["site", "parameter", "-as_at", "-recorded_at"], name="opel_value_latest"
            )
        ]
        triggers = [pgtrigger.Protect(name="opel_values_are_facts", operation=_STAYS)]

    def __str__(self) -> str:
        return f"{self.parameter} {self.pk}"


class OpelWithdrawal(models.Model):
    """Somebody took back a value that had been told, and with it all that had been told of the
    parameter by then: until another is told, what Flowboard counts itself stands again. The value
    stays."""

    value = models.OneToOneField(OpelValue, on_delete=models.PROTECT, related_name="withdrawal")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = [pgtrigger.Protect(name="opel_withdrawals_stay", operation=_STAYS)]

    def __str__(self) -> str:
        return f"value {self.value_id} withdrawn"


class OpelAssessment(models.Model):
    """What the rules made of the values at a moment; written when that changed, and each hour.

    `site` empty: the system. `score` counts stale values as they were last, `lowest` and `highest`
    are the ends between which it lies. `level` is empty while they lie in different bands, which
    `level_lowest` and `level_highest` name; these are empty for rules not filled in. `inputs`:
    every value as it was, or the sites of a roll-up.
    """

    site = models.ForeignKey(
        Site, null=True, on_delete=models.PROTECT, related_name="opel_assessments"
    )
    at = models.DateTimeField()
    rule_set = models.ForeignKey(OpelRuleSet, on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    lowest = models.FloatField()
    highest = models.FloatField()
    level = models.PositiveSmallIntegerField(null=True)
    level_lowest = models.PositiveSmallIntegerField(null=True)
    level_highest = models.PositiveSmallIntegerField(null=True)
    inputs = models.JSONField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "at"], name="opel_assessed_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(lowest__lte=F("score"), score__lte=F("highest")),
                name="opel_assessment_score_in_range",
            ),
            models.CheckConstraint(
                condition=Q(level__isnull=True)
                | Q(
                    level__gte=1,
                    level__lte=4,
                    level_lowest__isnull=False,
                    level_highest__isnull=False,
                    level_lowest=F("level"),
                    level_highest=F("level"),
                ),
                name="opel_assessment_level_is_certain",
            ),
        ]
        indexes = [models.Index(fields=["site", "-at"], name="opel_assessment_latest")]
        triggers = [pgtrigger.Protect(name="opel_assessments_stay", operation=_STAYS)]

    def __str__(self) -> str:
        return f"assessment {self.pk}"


class OpelDeclaration(models.Model):
    """A level that a person declared, and why. It holds until the next. `computed`: the level
    that the rules gave then; empty where they gave none."""

    site = models.ForeignKey(
        Site, null=True, on_delete=models.PROTECT, related_name="opel_declarations"
    )
    level = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500)
    computed = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=4), name="opel_declaration_level"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="opel_declaration_says_why"),
            models.UniqueConstraint(
                fields=["site", "at"], name="opel_declared_once", nulls_distinct=False
            ),
        ]
        triggers = [pgtrigger.Protect(name="opel_declarations_stay", operation=_STAYS)]

    def __str__(self) -> str:
        return f"declaration {self.pk}"


@pghistory.track()
class ActionCard(models.Model):
    """What somebody does at a level. `role` or `team` does it, within `minutes` of its being
    agreed. `site` empty: at every site."""

    LONGEST = Action.LONGEST

    site = models.ForeignKey(Site, null=True, on_delete=models.PROTECT, related_name="action_cards")
    level = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=100, blank=True, default="")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=LONGEST)
    minutes = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField(default=0)
    is_withdrawn = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=4), name="action_card_level"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="action_card_says_something"),
            models.CheckConstraint(
                condition=~Q(role="") | Q(team__isnull=False), name="action_card_of_somebody"
            ),
            models.CheckConstraint(condition=Q(minutes__gte=1), name="action_card_takes_time"),
            models.UniqueConstraint(
                fields=["site", "level", "role", "team", "text"],
                name="action_card_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"action card {self.pk}"


class CardTaken(models.Model):
    """A card became an action under a declaration, once for each."""

    card = models.ForeignKey(ActionCard, on_delete=models.PROTECT, related_name="taken")
    declaration = models.ForeignKey(
        OpelDeclaration, on_delete=models.PROTECT, related_name="cards_taken"
    )
    action = models.OneToOneField(Action, on_delete=models.PROTECT, related_name="from_card")

    class Meta:
        verbose_name_plural = "cards taken"
        constraints = [
            models.UniqueConstraint(fields=["card", "declaration"], name="card_taken_once"),
        ]
        triggers = [pgtrigger.Protect(name="cards_taken_stay", operation=_STAYS)]

    def __str__(self) -> str:
        return f"card {self.card_id} taken"
