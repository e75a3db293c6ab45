"""Levels: rules kept as versions, values told, what is computed, declared and kept of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team, User
from accounts.refusals import Refused
from accounts.roles import Role
from flow import beginning
from huddles.actions.reading import State, Whose, listed
from huddles.escalation.assessing import assess
from huddles.escalation.cards import cards_of, load, take
from huddles.escalation.course import course
from huddles.escalation.declaring import declare
from huddles.escalation.rule_sets import (
    EXAMPLE,
    FILLED_IN,
    NOT_SET,
    PUBLISHED,
    amended,
    in_force,
    invented,
    keep,
    stored,
    will_hold,
)
from huddles.escalation.standing import Standing, standings
from huddles.escalation.telling import levels_at
from huddles.escalation.values import tell, withdraw
from huddles.models import (
    Action,
    ActionCard,
    CardTaken,
    OpelAssessment,
    OpelDeclaration,
    OpelRuleSet,
    OpelValue,
    OpelWithdrawal,
)
from huddles.opel.files import named
from huddles.opel.nearest import near_cuts, steps, to_levels, words
from huddles.opel.scoring import Told, scored
from huddles.templatetags.escalation import away_words
from tests.flow.places import Hospital, beds_of, make_site, put
from tests.huddles.rules import BUSY, example_content, load_cards, load_example
from wards.models import Grant, Site
from wards.scope import scope_of

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    beginning.forget()
    yield
    beginning.forget()


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture
def by() -> User:
    return User.objects.create(username="sam")


def standing(site: Site, at: object = None) -> Standing:
    return standings([site], at=at or NOW).sites[site.pk]  # type: ignore[arg-type]


def say(site: Site, by: User, minutes_ago: float = 0, **values: float) -> None:
    for code, value in values.items():
        as_at = NOW - minutes_ago * MINUTE
        tell(
            site=site, parameter=code, value=value, as_at=as_at, source=OpelValue.Source.HAND,
            by=by, at=max(as_at, NOW),
        )  # fmt: skip


# --- rules ------------------------------------------------------------------------------------


def test_a_rule_set_is_kept_with_where_its_cut_offs_come_from(hospital: Hospital) -> None:
    row = load_example(f"{hospital.site.code}=2")
    assert (row.number, row.is_example, row.valid_from) == (1, True, date(2023, 12, 1))
    found = stored(row)
    assert found.rules == named("example")
    assert found.weights == {hospital.site.code: 2.0}
    assert (found.label("bands").kind, found.label("ga_occupancy").kind) == (PUBLISHED, EXAMPLE)
    assert load_example(f"{hospital.site.code}=2").pk == row.pk, "the same again is no version"
    empty = stored(load_example(name="acute-2023-24"))
    assert (empty.label("bands").kind, empty.label("ga_occupancy").kind) == (PUBLISHED, NOT_SET)
    assert (found.label("dates").kind, empty.label("dates").kind) == (EXAMPLE, "not_confirmed")


def test_versions_are_never_changed(hospital: Hospital) -> None:
    row = load_example()
    for deed in (
        lambda: OpelRuleSet.objects.filter(pk=row.pk).update(name="Other"),
        lambda: OpelRuleSet.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            deed()


def test_the_version_valid_from_the_latest_day_holds(hospital: Hospital) -> None:
    load_example()
    content = example_content() | {"valid_from": "2026-06-01", "valid_until": "2026-07-01"}
    june = keep(said=content, organisation=None, labels={}, note="", by=None)
    content |= {"name": "Mended"}
    mended = keep(said=content, organisation=None, labels={}, note="", by=None)
    own = keep(said=content, organisation=hospital.site.organisation, labels={}, note="", by=None)
    assert (june.number, mended.number, own.number) == (2, 3, 1)
    for day, number in ((date(2026, 5, 31), 1), (date(2026, 6, 1), 3), (date(2026, 7, 1), 1)):
        held = in_force(day)
        assert held.of_system is not None
        assert held.of_system.row.number == number
        mine, other = held.of(hospital.site), held.of(hospital.community_site)
        assert mine is not None
        assert other is not None
        assert mine.row.organisation_id == (own.organisation_id if number == 3 else None)
        assert other.row.organisation_id is None
    assert in_force(date(2023, 11, 30)).of_system is None


def test_what_cannot_be_a_rule_set_is_refused(hospital: Hospital) -> None:
    for said, told in (
        ({"weights": {"NOWHERE": 1}}, "There is no site NOWHERE"),
        ({"weights": {hospital.site.code: 0}}, "is more than 0"),
        ({"bands": {"1": 0, "2": 12}}, "levels 1, 2, 3 and 4"),
        ({"parameters": []}, "has parameters"),
    ):
        with pytest.raises(Refused, match=told):
            keep(said=example_content() | said, organisation=None, labels={}, note="", by=None)
    with pytest.raises(CommandError, match="is no weight"):
        load_example("NGH")
    with pytest.raises(CommandError, match="There is no rule set"):
        load_example(name="nothing")
    assert not OpelRuleSet.objects.exists()


def test_a_set_is_an_example_as_long_as_anything_of_it_is(hospital: Hospital, by: User) -> None:
    """Whatever it says of itself: one of nine cut-offs was changed, and the mark taken off."""
    last = stored(load_example())
    said = last.row.said | {"example": False}
    said["parameters"] = [
        {**one, "scores": {"90": 1, "98": 5}} if one["code"] == "ga_occupancy" else one
        for one in said["parameters"]
    ]
    labels = amended(last, said=said, by=by, at=NOW)
    row = keep(said=said, organisation=None, labels=labels, note="", by=by)
    assert (row.is_example, row.said["example"], stored(row).rules.example) == (True, True, True)
    assert len(invented(row.labels)) == 8
    # A version kept before that was seen to.
    old = OpelRuleSet.objects.create(
        number=9, code="old", name="Old", valid_from=date(2024, 1, 1), is_example=False,
        said=said, labels=labels,
    )  # fmt: skip
    assert stored(old).rules.example
    say(hospital.site, by, **BUSY)
    assess(at=NOW)
    assert OpelAssessment.objects.get(site=hospital.site).rule_set == old
    assert levels_at(NOW)[hospital.site.pk].is_example
    own = {name: {"kind": FILLED_IN} for name in labels} | {"dates": {"kind": EXAMPLE}}
    mine = keep(
        said=said | {"valid_from": "2025-01-01"}, organisation=None, labels=own, note="", by=by
    )
    assert (mine.is_example, stored(mine).rules.example) == (False, False)
    assess(at=NOW + MINUTE)
    assert not levels_at(NOW + MINUTE)[hospital.site.pk].is_example
    assert [one.is_example for one in course(hospital.site, days=2, at=NOW + MINUTE).turns] == [
        True, False,
    ]  # fmt: skip


def test_what_was_computed_too_long_ago_is_not_the_level_now(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **BUSY)
    assess(at=NOW)
    for minutes, late in ((0, None), (75, None), (76, NOW)):
        said = levels_at(NOW + minutes * MINUTE)[hospital.site.pk]
        assert (said.lowest, said.late_since) == (3, late)


def test_a_version_that_would_never_hold_is_known(hospital: Hospital) -> None:
    load_example()  # valid from 1 December 2023, without an end
    today = date(2026, 11, 23)

    def holds(first: date, until: date | None = None) -> bool:
        return will_hold(first, until, None, on=today)

    assert not holds(date(2020, 1, 1))
    assert holds(date(2023, 12, 1)), "of one day, the one kept last"
    assert not holds(date(2024, 1, 1), today)
    assert holds(date(2024, 1, 1), date(2026, 11, 24))
    content = example_content() | {"valid_from": "2026-06-01", "valid_until": "2027-01-01"}
    keep(said=content, organisation=None, labels={}, note="", by=None)
    assert holds(date(2024, 1, 1)), "from next year on"
    assert not holds(date(2024, 1, 1), date(2027, 1, 1))
    assert will_hold(date(2020, 1, 1), None, hospital.site.organisation, on=today)


def test_who_keeps_a_version_must_have_seen_the_last(hospital: Hospital, by: User) -> None:
    load_example()
    said = example_content() | {"name": "Ours"}
    keep(said=said, organisation=None, labels={}, note="", by=by, seen=1)
    with pytest.raises(Refused, match="another version meanwhile"):
        keep(said=said | {"name": "Mine"}, organisation=None, labels={}, note="", by=by, seen=1)


# --- values -----------------------------------------------------------------------------------


def test_without_rules_nothing_is_computed_and_no_value_taken(hospital: Hospital, by: User) -> None:
    found = standing(hospital.site)
    assert (found.stored, found.reached, found.level, found.lines) == (None, None, None, ())
    with pytest.raises(Refused, match="No rule set holds"):
        say(hospital.site, by, ga_occupancy=90)


def test_values_add_up_to_a_level(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **BUSY)
    found = standing(hospital.site)
    assert found.reached is not None
    assert (found.reached.score, found.level, found.wanting) == (30, 3, ())
    assert {line.source for line in found.lines} == {"hand"}
    assert {line.by for line in found.lines} == {"sam"}


def test_a_missing_value_leaves_the_level_open(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **{code: BUSY[code] for code in list(BUSY)[:-1]})
    found = standing(hospital.site)
    assert found.reached is not None
    # 27 and 0 to 4 for the last: still level 3 whatever it is.
    assert (found.reached.lowest, found.reached.highest, found.level) == (27, 31, 3)
    assert [line.parameter.code for line in found.wanting] == ["no_criteria_to_reside"]
    other = make_site()
    say(other, by, ambulance_handover=62)
    open_one = standing(other)
    assert (open_one.level, open_one.levels) == (None, (1, 4))


def test_what_is_told_counts_while_it_is_fresh_and_then_what_is_counted(
    hospital: Hospital, by: User
) -> None:
    load_example()
    put(hospital.ward, beds_of(hospital.ward)[0], start=NOW - timedelta(hours=2))

    def line() -> tuple[str, float | None, float | None]:
        found = next(
            one for one in standing(hospital.site).lines if one.parameter.code == "ga_occupancy"
        )
        return (
            found.source,
            found.told.value if found.told else None,
            found.beside.value if found.beside else None,
        )

    assert line() == ("computed", 8.3, None)
    say(hospital.site, by, minutes_ago=121, ga_occupancy=96)  # stale after 120
    assert line() == ("computed", 8.3, None)
    say(hospital.site, by, minutes_ago=120, ga_occupancy=95)
    assert line() == ("hand", 95, 8.3)
    say(hospital.site, by, minutes_ago=120, ga_occupancy=94)
    assert line() == ("hand", 94, 8.3), "of one moment the one recorded last counts"


def test_values_that_cannot_be_are_refused(hospital: Hospital, by: User) -> None:
    load_example()

    def attempt(code: str, value: float, minutes: float = 0) -> None:
        tell(
            site=hospital.site, parameter=code, value=value, as_at=NOW + minutes * MINUTE,
            source=OpelValue.Source.API, by=by, at=NOW,
        )  # fmt: skip

    for code, value, minutes, told in (
        ("beds", 1, 0, "is no parameter"),
        ("ga_occupancy", -1, 0, "from 0 to 200"),
        ("ga_occupancy", float("nan"), 0, "from 0 to 200"),
        ("four_hour_performance", 710, 0, "from 0 to 100"),
        ("over_twelve_hours", 100.1, 0, "from 0 to 100"),
        ("majors_resus_occupancy", 501, 0, "from 0 to 500"),
        ("attendance_variation", -101, 0, "from -100 to 1000"),
        ("ambulance_handover", 20_000, 0, "from 0 to 10080"),
        ("ga_occupancy", 90, 6, "has not come"),
        ("ga_occupancy", 90, -8 * 24 * 60, "says nothing of now"),
    ):
        with pytest.raises(Refused, match=told):
            attempt(code, value, minutes)
    attempt("attendance_variation", -30)
    attempt("majors_resus_occupancy", 125)
    attempt("ga_occupancy", 104)
    attempt("ga_occupancy", 90, 4)  # a clock a little ahead
    assert {row.as_at for row in OpelValue.objects.filter(parameter="ga_occupancy")} == {NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        OpelValue.objects.create(
            site=hospital.site, parameter="x", value=float("nan"), as_at=NOW, source="api", by=by,
            key="x",
        )  # fmt: skip


def test_one_key_is_kept_once(hospital: Hospital, by: User) -> None:
    load_example()
    said = {
        "site": hospital.site, "parameter": "ga_occupancy", "as_at": NOW,
        "source": OpelValue.Source.API, "by": by, "at": NOW, "key": "one",
    }  # fmt: skip
    first = tell(value=90, **said)  # type: ignore[arg-type]
    again = tell(value=90, **said)  # type: ignore[arg-type]
    assert (first.is_new, again.is_new, again.row) == (True, False, first.row)
    for other in ({"value": 95}, {"value": 90, "as_at": NOW - 10 * MINUTE, "at": NOW + MINUTE}):
        with pytest.raises(Refused, match="Under this key 90 has been told already, from"):
            tell(**said | other)  # type: ignore[arg-type]
    later = tell(value=90, **said | {"as_at": NOW + 9 * MINUTE, "at": NOW + 9 * MINUTE})  # type: ignore[arg-type]
    assert not later.is_new, "who gives no time means now, whenever they say it again"
    assert OpelValue.objects.count() == 1


def test_a_told_value_can_be_taken_back(hospital: Hospital, by: User) -> None:
    load_example()
    put(hospital.ward, beds_of(hospital.ward)[0], start=NOW - timedelta(hours=2))

    def counts(at: datetime = NOW + MINUTE) -> tuple[str, float | None]:
        lines = standing(hospital.site, at).lines
        found = next(one for one in lines if one.parameter.code == "ga_occupancy")
        return found.source, found.told.value if found.told else None

    say(hospital.site, by, minutes_ago=5, ga_occupancy=91)
    say(hospital.site, by, ga_occupancy=96)
    assert counts() == ("hand", 96)
    early, late = OpelValue.objects.order_by("pk")
    with pytest.raises(Refused, match="another has been told since"):
        withdraw(value=early, at=NOW, by=by)
    row = withdraw(value=late, at=NOW, by=by)
    assert counts() == ("computed", 8.3), "nor does what had been told before count again"
    assert counts(NOW - MINUTE)[0] == "hand", "it counted until it was taken back"
    with pytest.raises(Refused, match="has been withdrawn"):
        withdraw(value=late, at=NOW + MINUTE, by=by)
    say(hospital.site, by, minutes_ago=10, ga_occupancy=93)
    assert counts() == ("hand", 93), "what is told after that counts, also of an earlier time"
    # Told late, of an earlier time, and there when the one that counts is withdrawn.
    say(hospital.site, by, ga_occupancy=97)
    say(hospital.site, by, minutes_ago=60, ga_occupancy=94)
    assert counts() == ("hand", 97)
    withdraw(value=OpelValue.objects.get(value=97), at=NOW, by=by)
    assert counts() == ("computed", 8.3)
    say(hospital.site, by, minutes_ago=70, ga_occupancy=92)
    assert counts() == ("hand", 92)
    assert OpelValue.objects.count() == 6, "all of it is kept"
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        OpelWithdrawal.objects.filter(pk=row.pk).delete()


def test_what_values_told_instead_of_counted_do_to_the_level_is_known(
    hospital: Hospital, by: User
) -> None:
    load_example()
    put(hospital.ward, beds_of(hospital.ward)[0], start=NOW - timedelta(hours=2))
    quiet = dict.fromkeys(BUSY, 0.0) | {"four_hour_performance": 99.0}
    del quiet["ga_occupancy"], quiet["escalation_beds"]
    say(hospital.site, by, **quiet | {"ambulance_handover": 62, "time_to_treatment": 180})
    found = standing(hospital.site)
    assert (found.level, found.told_instead) == (1, ()), "9 points"
    say(hospital.site, by, ga_occupancy=95)
    found = standing(hospital.site)
    assert (found.level, found.counted and found.counted.level) == (2, 1)
    assert [(one.parameter.code, one.by) for one in found.told_instead] == [("ga_occupancy", "sam")]
    say(hospital.site, by, ga_occupancy=89)
    assert standing(hospital.site).told_instead == (), "it changes no level"


# --- the system -------------------------------------------------------------------------------


def test_the_system_is_the_weighted_mean_of_its_sites(hospital: Hospital, by: User) -> None:
    other, third = make_site(), make_site()
    load_example(f"{hospital.site.code}=3", f"{other.code}=1")
    say(hospital.site, by, **BUSY)  # 30
    say(other, by, **dict.fromkeys(BUSY, 0.0) | {"four_hour_performance": 99.0})  # 0
    say(third, by, **BUSY)  # weighs nothing
    found = standings([], at=NOW).system
    assert found.reached is not None
    assert (found.reached.score, found.level) == (22.5, 3)  # rounded half up to 23
    assert {one.site: one.share for one in found.shares} == {hospital.site: 0.75, other: 0.25}


def test_a_site_that_has_told_nothing_leaves_the_system_open(hospital: Hospital, by: User) -> None:
    other = make_site()
    load_example(f"{hospital.site.code}=3", f"{other.code}=1")
    say(hospital.site, by, **BUSY)
    found = standings([hospital.site], at=NOW).system
    assert found.reached is not None
    assert (found.reached.lowest, found.reached.highest) == (22.5, 33.5)
    assert (found.level, found.levels) == (None, (3, 4))


def test_without_weights_the_system_has_no_computed_level(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **BUSY)
    found = standings([hospital.site], at=NOW)
    assert (found.system.reached, found.system.shares) == (None, ())
    assert found.sites[hospital.site.pk].level == 3


# --- what is kept -----------------------------------------------------------------------------


def test_an_assessment_is_kept_when_something_changed_and_each_hour(
    hospital: Hospital, by: User
) -> None:
    load_example(f"{hospital.site.code}=1")
    say(hospital.site, by, **BUSY)
    assert {one.now.site for one in assess(at=NOW)} == {hospital.site, None}
    assert assess(at=NOW + MINUTE) == [], "nothing is different"
    say(hospital.site, by, over_twelve_hours=11)
    changed = assess(at=NOW + 2 * MINUTE)
    assert [(one.now.score, one.before.score if one.before else None) for one in changed] == [
        (31, 30),
        (31, 30),
    ]
    row = OpelAssessment.objects.filter(site=hospital.site).latest("at")
    assert row.inputs["over_twelve_hours"] == {
        "value": 11.0, "as_at": NOW.isoformat(), "source": "hand", "score": 4, "stale": False,
    }  # fmt: skip
    assert assess(at=NOW + MINUTE) == [], "the past is not assessed again"
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        OpelAssessment.objects.update(level=1)


def test_what_grows_stale_moves_no_level_silently(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **BUSY)
    assess(at=NOW)
    # After an hour four values are stale; one of them Flowboard counts itself, as nobody there.
    later = NOW + timedelta(minutes=61)
    assess(at=later)
    row = OpelAssessment.objects.filter(site=hospital.site).latest("at")
    assert (row.level, row.level_lowest, row.level_highest, row.score) == (None, 2, 3, 27)
    assert row.inputs["ambulance_handover"]["stale"]
    found = standing(hospital.site, later + MINUTE)
    assert found.level is None
    assert found.certain is not None
    assert (found.certain.level, found.certain.at) == (3, NOW)
    assert "ambulance_handover" in {one.parameter.code for one in found.wanting}


def test_acute_hospitals_alone_escalate(hospital: Hospital, by: User) -> None:
    load_example()
    assess(at=NOW)
    assert {row.site for row in OpelAssessment.objects.all()} == {hospital.site}
    other = hospital.community_site
    with pytest.raises(Refused, match="Acute hospitals alone"):
        say(other, by, ga_occupancy=90)
    with pytest.raises(Refused, match="Acute hospitals alone"):
        declare(site=other, level=3, reason="So", seen=None, at=NOW, by=by)


def test_however_many_beds_the_queries_are_the_same(hospital: Hospital, by: User) -> None:
    load_example(f"{hospital.site.code}=1")
    say(hospital.site, by, **BUSY)

    def asked() -> int:
        beginning.forget()
        with CaptureQueriesContext(connection) as seen:
            standing(hospital.site)
        return len(seen)

    few = asked()
    for bed in [*beds_of(hospital.ward), *beds_of(hospital.other)]:
        put(bed.ward, bed, start=NOW - timedelta(hours=1))
    assert asked() == few <= 14


# --- declaring --------------------------------------------------------------------------------


def test_a_level_is_declared_with_a_reason_and_holds(hospital: Hospital, by: User) -> None:
    load_example()
    say(hospital.site, by, **BUSY)
    first = declare(
        site=hospital.site, level=4, reason=" No beds  at all ", seen=None, at=NOW, by=by
    )
    assert (first.level, first.reason, first.computed) == (4, "No beds at all", 3)
    found = standing(hospital.site, NOW + timedelta(days=3))
    assert found.declared == first
    assert found.level is None, "what is computed goes its own way"
    for level, reason, told in ((3, "   ", "Say why"), (5, "So", "A level is 1, 2, 3 or 4")):
        with pytest.raises(Refused, match=told):
            declare(
                site=hospital.site, level=level, reason=reason, seen=first.pk, at=NOW + MINUTE,
                by=by,
            )  # fmt: skip
    with pytest.raises(Refused, match="declared meanwhile"):
        declare(site=hospital.site, level=3, reason="So", seen=None, at=NOW + MINUTE, by=by)
    second = declare(
        site=hospital.site, level=3, reason="Better", seen=first.pk, at=NOW + MINUTE, by=by
    )
    assert standing(hospital.site, NOW + MINUTE).declared == second
    assert standing(hospital.site, NOW).declared == first
    assert standings([], at=NOW).system.declared is None


def test_the_database_has_the_last_word_on_declarations(hospital: Hospital, by: User) -> None:
    for wrong in ({"reason": ""}, {"level": 0}, {"level": 5}):
        said = {"site": hospital.site, "level": 3, "reason": "So", "at": NOW, "by": by} | wrong
        with pytest.raises(IntegrityError), transaction.atomic():
            OpelDeclaration.objects.create(**said)
    row = OpelDeclaration.objects.create(site=None, level=3, reason="So", at=NOW, by=by)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        OpelDeclaration.objects.filter(pk=row.pk).update(reason="Otherwise")


# --- cards ------------------------------------------------------------------------------------


def test_cards_of_the_declared_level_become_actions_once(hospital: Hospital, by: User) -> None:
    load_cards()
    said = declare(site=hospital.site, level=3, reason="Full", seen=None, at=NOW, by=by)
    cards = cards_of(hospital.site, 3, said)
    assert [(one.who, one.taken) for one in cards] == [("Site manager", None), ("Matron", None)]
    keys = [one.row.pk for one in cards]
    made = take(site=hospital.site, cards=keys[:1], declaration=said.pk, at=NOW, by=by)
    [action] = made
    assert (action.text, action.owner_name, action.site) == (
        "Call a flow meeting", "Site manager", hospital.site,
    )  # fmt: skip
    assert (action.due_at, action.agreed_at, action.by) == (NOW + 30 * MINUTE, NOW, by)
    assert len(take(site=hospital.site, cards=keys, declaration=said.pk, at=NOW, by=by)) == 1
    assert take(site=hospital.site, cards=keys, declaration=said.pk, at=NOW, by=by) == []
    assert Action.objects.count() == CardTaken.objects.count() == 2
    assert all(one.taken for one in cards_of(hospital.site, 3, said))
    later = declare(
        site=hospital.site, level=3, reason="Still", seen=said.pk, at=NOW + MINUTE, by=by
    )
    assert [one.taken for one in cards_of(hospital.site, 3, later)] == [None, None]


def holder(name: str, role: Role, **where: object) -> User:
    made = User.objects.create(username=name, first_name=name.title())
    Grant.objects.create(user=made, role=role, **where)
    return made


def test_a_card_reaches_the_team_or_the_person_it_means(hospital: Hospital, by: User) -> None:
    site = hospital.site
    cards = [
        {"level": 3, "who": who, "minutes": 30, "text": f"Do this as {who}"}
        for who in ("Site manager", "Discharge team", "Therapies", "Matron")
    ]
    load(cards, site=None)
    said = declare(site=site, level=3, reason="Full", seen=None, at=NOW, by=by)
    other = make_site()
    holder("else", Role.SITE_MANAGER, site=other)
    gone = holder("gone", Role.SITE_MANAGER, site=site)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    ada = holder("ada", Role.SITE_MANAGER, organisation=site.organisation)
    teams = {
        code: Team.objects.create(
            organisation=site.organisation, code=code, name=name, kind=code.lower()
        )
        for code, name in (("DISCHARGE", "Integrated discharge"), ("THERAPY", "Therapies"))
    }
    found = {one.who: one.doer for one in cards_of(site, 3, said)}
    assert found["Site manager"].people == (ada,), "not who left, nor who holds it elsewhere"
    assert (found["Discharge team"].team, found["Therapies"].team) == tuple(teams.values())
    assert [one for one, doer in found.items() if not doer.is_known] == ["Matron"]
    keys = [one.row.pk for one in cards_of(site, 3, said)]
    made = {
        one.text.removeprefix("Do this as "): one
        for one in take(site=site, cards=keys, declaration=said.pk, at=NOW, by=by)
    }
    assert [(one.owner, one.team, one.owner_name) for one in made.values()] == [
        (ada, None, ""),
        (None, teams["DISCHARGE"], "Discharge team"),
        (None, teams["THERAPY"], "Therapies"),
        (None, None, "Matron"),
    ]
    mine = listed(ada, scope_of(ada), whose=Whose.MINE, state=State.OPEN, at=NOW)
    assert [row.text for row in mine.rows] == ["Do this as Site manager"]
    member = holder("member", Role.DISCHARGE_COORDINATOR, team=teams["DISCHARGE"])
    theirs = listed(member, scope_of(member), whose=Whose.TEAMS, state=State.OPEN, at=NOW)
    assert [row.text for row in theirs.rows] == ["Do this as Discharge team"]


def test_of_several_who_hold_a_role_one_is_chosen(hospital: Hospital, by: User) -> None:
    site = hospital.site
    load([{"level": 3, "who": "site manager", "minutes": 30, "text": "Call"}], site=None)
    said = declare(site=site, level=3, reason="Full", seen=None, at=NOW, by=by)
    ada, ben = (holder(name, Role.SITE_MANAGER, site=site) for name in ("ada", "ben"))
    [card] = cards_of(site, 3, said)
    assert (card.doer.people, card.doer.is_open) == ((ada, ben), True)
    about = {"site": site, "cards": [card.row.pk], "declaration": said.pk, "at": NOW, "by": by}
    for who in ({}, {"site manager": by.pk}):
        with pytest.raises(Refused, match="Several people are site manager here"):
            take(**about, who=who)  # type: ignore[arg-type]
    [action] = take(**about, who={"site manager": ben.pk})  # type: ignore[arg-type]
    assert action.owner == ben


def test_whom_cards_mean_is_asked_as_often_for_many_as_for_few(
    hospital: Hospital, by: User
) -> None:
    said = declare(site=hospital.site, level=3, reason="Full", seen=None, at=NOW, by=by)

    def asked(number: int) -> int:
        load(
            [
                {"level": 3, "who": who, "minutes": 5, "text": f"{who} {one}"}
                for one in range(number)
                for who in ("Site manager", "Discharge team", "Matron")
            ],
            site=None,
        )
        with CaptureQueriesContext(connection) as seen:
            assert len(cards_of(hospital.site, 3, said)) == 3 * number
        return len(seen)

    assert asked(1) == asked(20) <= 5


def test_a_card_of_another_level_or_place_is_refused(hospital: Hospital, by: User) -> None:
    load_cards()
    said = declare(site=hospital.site, level=3, reason="Full", seen=None, at=NOW, by=by)
    of_four = ActionCard.objects.get(level=4)
    elsewhere = ActionCard.objects.create(
        site=make_site(), level=3, role="Matron", text="There", minutes=5
    )
    for card in (of_four, elsewhere):
        with pytest.raises(Refused, match="not of the level in force"):
            take(site=hospital.site, cards=[card.pk], declaration=said.pk, at=NOW, by=by)
    later = declare(site=hospital.site, level=4, reason="So", seen=said.pk, at=NOW + MINUTE, by=by)
    with pytest.raises(Refused, match="declared meanwhile"):
        take(site=hospital.site, cards=[of_four.pk], declaration=said.pk, at=NOW, by=by)
    assert take(site=hospital.site, cards=[of_four.pk], declaration=later.pk, at=NOW, by=by)


def test_cards_no_longer_in_the_file_are_withdrawn(hospital: Hospital) -> None:
    load_cards()
    kept = {"level": 3, "who": "Matron", "minutes": 45, "text": "Use the discharge lounge"}
    new, gone = load([kept], site=None)
    assert (new, gone) == (0, 2)
    [card] = ActionCard.objects.filter(is_withdrawn=False)
    assert card.minutes == 45
    for wrong, told in (
        ({"level": 9}, "level is 1, 2, 3 or 4"),
        ({"text": ""}, "text has 1 to"),
        ({"minutes": 0}, "minutes are 1"),
        ({"who": ""}, "say who"),
        ({"team": "X"}, "no such team"),
    ):
        said = {"level": 3, "who": "Matron", "minutes": 45, "text": "Do"} | wrong
        with pytest.raises(Refused, match=f"Card 1: .*{told}"):
            load([said], site=None)
    call_command("load_action_cards", "huddles/escalation/example_cards.yaml", stdout=StringIO())
    assert set(ActionCard.objects.values_list("level", flat=True)) == {1, 2, 3, 4}


# --- what would change it ---------------------------------------------------------------------


def test_the_nearest_changes_of_a_level_do_change_it() -> None:
    rules = named("example")
    values = BUSY | {"ga_occupancy": 95.0, "escalation_beds": 0.0, "over_twelve_hours": 0.0}
    told = {code: Told(value, NOW) for code, value in values.items()}
    result = scored(told, rules, at=NOW)
    assert (result.score, result.level) == (24, 3)
    near = {(step.parameter.code, step.is_worse): step for step in steps(result)}
    assert near
    # Two points fewer are level 2: a handover under 45 minutes scores 3, not 5.
    handover = near["ambulance_handover", False]
    assert (handover.points, handover.levels, words(handover)) == (-2, (2, 2), "< 45")
    performance = near["four_hour_performance", False]
    assert (performance.points, words(performance)) == (-2, "> 85")
    for step in near.values():
        value = step.value
        if not step.reached:
            value += 0.01 if step.parameter.worse == "lower" else -0.01
        other = scored(told | {step.parameter.code: Told(value, NOW)}, rules, at=NOW)
        assert other.levels == step.levels != result.levels
        assert other.score == result.score + step.points


def test_with_a_value_missing_a_step_may_leave_the_level_open() -> None:
    values = {code: value for code, value in BUSY.items() if code != "no_criteria_to_reside"}
    result = scored({code: Told(v, NOW) for code, v in values.items()}, named("example"), at=NOW)
    assert (result.lowest, result.highest, result.level) == (27, 31, 3)
    near = {(step.parameter.code, step.is_worse): step for step in steps(result)}
    # Three points more: 30 to 34, and 34 is level 4.
    assert near["escalation_beds", True].levels == (3, 4)
    assert ("majors_resus_occupancy", True) not in near, "one point more changes nothing"


def test_how_far_a_level_is_says_what_is_certain_where_a_value_is_missing() -> None:
    """17 points of eight parameters, and 0 to 5 of the ninth."""
    values = {
        "four_hour_performance": 71.0,  # 3
        "attendance_variation": 12.0,  # 3
        "majors_resus_occupancy": 125.0,  # 4
        "time_to_treatment": 130.0,  # 3
        "over_twelve_hours": 0.0,
        "ga_occupancy": 97.5,  # 4
        "escalation_beds": 0.0,
        "no_criteria_to_reside": 0.0,
    }
    told = {code: Told(value, NOW) for code, value in values.items()}
    result = scored(told, named("example"), at=NOW)
    assert (result.lowest, result.highest, result.level) == (17, 22, 2)
    above, below = to_levels(result)
    assert (above.level, above.points, above.certain) == (3, 1, 6)
    assert (below.level, below.points, below.certain) == (1, 6, 11)
    # So many points more or fewer do what is said of them, whatever the ninth value is.
    level = named("example").level
    assert {level(17 + 1 + ninth) for ninth in range(6)} == {2, 3}
    assert {level(17 + 6 + ninth) for ninth in range(6)} == {3}
    assert {level(17 - 6 + ninth) for ninth in range(6)} == {1, 2}
    assert {level(17 - 11 + ninth) for ninth in range(6)} == {1}
    assert away_words(above) == ("OPEL 3: possible with 1 point more, certain with 6 points more.")
    assert away_words(below) == (
        "OPEL 1: possible with 6 points fewer, certain with 11 points fewer."
    )


def test_what_the_known_values_cannot_do_is_not_promised() -> None:
    """Everything at its worst but two that are missing: 34 of 34, and 0 to 10 more."""
    rules = named("example")
    told = {
        one.code: Told(one.bounds[0 if one.worse == "lower" else 1], NOW)
        for one in rules.parameters
    }
    del told["ga_occupancy"], told["escalation_beds"]
    result = scored(told, rules, at=NOW)
    assert (result.lowest, result.highest, result.level) == (34, 44, 4)
    [below] = to_levels(result)
    assert (below.points, below.certain) == (1, 11)
    some = {"ambulance_handover": Told(62.0, NOW), "no_criteria_to_reside": Told(0.0, NOW)}
    wide = replace(rules, bands={1: 0, 2: 5, 3: 43, 4: 44})
    open_end = scored(some, wide, at=NOW)
    assert (open_end.lowest, open_end.highest, open_end.level) == (5, 40, 2)
    above, below = to_levels(open_end)
    assert [(one.points, one.certain) for one in (above, below)] == [(3, None), (1, None)]
    assert away_words(below) == (
        "OPEL 1: possible with 1 point fewer, certain only with the values now missing."
    )


def test_where_the_level_is_open_nothing_is_near() -> None:
    assert steps(scored({}, named("example"), at=NOW)) == ()


def test_the_nearest_cuts_are_named_where_none_alone_changes_the_level() -> None:
    values = BUSY | {"ga_occupancy": 93.9, "ambulance_handover": 62.0}
    told = {code: Told(value, NOW) for code, value in values.items()}
    result = scored(told, named("example"), at=NOW)
    assert (result.score, result.level) == (28, 3)
    assert [(one.level, one.is_above, one.points, one.certain) for one in to_levels(result)] == [
        (4, True, 6, 6), (2, False, 6, 6),
    ]  # fmt: skip
    first = near_cuts(result)[0]
    assert (first.parameter.code, first.value, first.points) == ("ga_occupancy", 94, 1)
    assert len(near_cuts(result)) == 5
    assert to_levels(scored({}, named("example"), at=NOW)) == ()
    assert near_cuts(scored({}, named("example"), at=NOW)) == []
