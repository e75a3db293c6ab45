"""Cohorts: who is in them, where they are on the way, who owns the step, and day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, Team, User
from accounts.roles import Role
from flow import beginning
from flow.cohorts.board import Board, Sight, Wanted, board, lines
from flow.cohorts.counting import clock_of, count_missing, days_to_count, series
from flow.cohorts.people import areas_known
from flow.cohorts.steps import Step
from flow.models import CohortCount, CohortDay
from flow.moment import Moment
from patients.models import Cohort, Episode, HomeArea, Neighbourhood, Patient, Review
from tests.flow.places import START, make_episode, put, records_begin
from tests.wards.waiting import System, reason, system
from wards.barriers import Said, raise_barrier, resolve
from wards.models import Grant, Site, Ward
from wards.referrals import accept, refer
from wards.rounds import Found, review
from wards.scope import Scope, scope_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def day(number: float) -> datetime:
    return START + number * DAY


def cohort(slug: str = "all", **fields: Any) -> Cohort:
    return Cohort.objects.create(slug=slug, title=slug.title(), source="Local", **fields)


def scope_at(role: Role, **where: object) -> Scope:
    number = User.objects.count()
    user = User.objects.create(username=f"user {number}")
    Grant.objects.create(user=user, role=role, **where)
    return scope_of(user)


def shown(one: Cohort, at: datetime, scope: Scope, **wanted: tuple[str, ...]) -> Board:
    found = board(one, moment=Moment(at), scope=scope, wanted=Wanted(**wanted))
    assert found is not None
    return found


@dataclass
class Town:
    """A hospital with two wards, a virtual ward, a council, and a neighbourhood with its team."""

    care: System
    site: Site
    ward: Ward
    other: Ward
    virtual: Ward
    team: Team
    area: Neighbourhood

    def patient(self, ward: Ward | None, *, near: bool = False, **details: Any) -> Episode:
        """Somebody on the ward since the start."""
        begun = details.pop("admitted_at", START)
        episode = make_episode(admitted_at=begun, provider=self.site.organisation, **details)
        if near:
            Patient.objects.filter(pk=episode.patient_id).update(gp_practice="P1")
        if ward is not None:
            put(ward, start=begun, end=episode.discharged_at, episode=episode)
        return episode

    def said(self, number: float) -> Said:
        return Said(day(number), self.care.nurse)


@pytest.fixture
def town() -> Town:
    care = system()
    first = Ward.objects.get(pk=care.hospital.wards[0])
    site = Site.objects.get()
    body = Organisation.objects.create(code="RCC", name="Community", kind="community")
    team = Team.objects.create(
        organisation=body, code="NT", name="North team", kind="neighbourhood"
    )
    area = Neighbourhood.objects.create(slug="north", name="North", team=team)
    HomeArea.objects.create(neighbourhood=area, is_practice=True, code="P1")
    base = Site.objects.create(code="VIR", name="Virtual", organisation=body, kind="virtual")
    return Town(
        care=care,
        site=site,
        ward=first,
        other=Ward.objects.get(pk=care.hospital.wards[1]),
        virtual=Ward.objects.create(site=base, code="VW", name="Virtual ward", kind="virtual"),
        team=team,
        area=area,
    )


@pytest.fixture
def everywhere(town: Town) -> Scope:
    return scope_at(Role.SITE_MANAGER, everywhere=True)


def test_each_step_has_the_owner_that_the_rule_names(town: Town, everywhere: Scope) -> None:
    one = town.care.admitted()
    everybody = cohort()

    def now(number: float) -> tuple[Step, str]:
        [member] = shown(everybody, day(number), everywhere).listed
        return member.person.step, member.person.owner.name

    assert now(0.5) == (Step.TREATMENT, town.ward.name)
    review(episode=one, found=Found(criteria=[], pathway=1), said=town.said(1))
    assert now(1.5) == (Step.READY, town.ward.name)
    barrier = raise_barrier(
        episode=one, reason=reason("p1-social-care-capacity"), said=town.said(2),
        organisation=town.care.council, team=town.care.social_work,
    )  # fmt: skip
    assert now(2.5) == (Step.WAITING, "Social work")
    resolve(barrier=barrier, said=town.said(3))
    referral = refer(episode=one, kind="virtual", ward=town.virtual, said=town.said(3.5))
    assert now(4) == (Step.ASKED, "Virtual ward")
    accept(referral=referral, starts_at=day(6), said=town.said(4.5))
    assert now(5) == (Step.GOING, "Virtual ward")


def test_a_wait_without_an_owner_has_none_and_is_counted(town: Town, everywhere: Scope) -> None:
    one = town.patient(town.ward)
    review(episode=one, found=Found(criteria=[]), said=town.said(1))
    barrier = raise_barrier(episode=one, reason=reason("transport"), said=town.said(1))
    type(barrier).objects.filter(pk=barrier.pk).update(organisation=None, team=None)
    found = shown(cohort(), day(2), everywhere)
    assert (found.unowned, found.listed[0].person.owner.key) == (1, "")


def test_at_home_the_neighbourhood_is_accountable_and_else_nobody(
    town: Town, everywhere: Scope
) -> None:
    town.patient(town.ward, near=True, discharged_at=day(2))
    town.patient(town.other, discharged_at=day(2))
    found = shown(cohort(), day(3), everywhere)
    assert {m.person.owner.name for m in found.listed} == {"North team", ""}
    assert {m.person.step for m in found.listed} == {Step.HOME}
    assert shown(cohort("b"), day(32.1), everywhere).people == 0


def test_every_way_of_telling_adds_up(town: Town, everywhere: Scope) -> None:
    for near in (True, False, True):
        one = town.patient(town.ward, near=near)
        review(episode=one, found=Found(criteria=[], pathway=1), said=town.said(1))
    town.patient(town.virtual, near=True)
    town.patient(None, status="expected", admitted_at=None, expected_at=day(5))
    found = shown(cohort(), day(2), everywhere)
    assert found.people == 5
    for tallies in (found.by_phase, found.by_step, found.by_owner, found.by_area, found.by_site):
        assert sum(tally.people for tally in tallies) == 5
        assert sum((tally.lost for tally in tallies), timedelta()) == found.lost
    assert found.ready == 3
    assert found.lost == 3 * DAY
    assert len(found.listed) == 5


def test_who_cannot_be_judged_is_counted_apart(town: Town, everywhere: Scope) -> None:
    frail = cohort(who={"age_from": 65, "frailty_from": 5})
    known, unknown, fit = (town.patient(town.ward) for _ in range(3))
    review(episode=known, found=Found(frailty=6), said=town.said(1))
    review(episode=fit, found=Found(frailty=2), said=town.said(1))
    found = shown(frail, day(2), everywhere)
    assert [m.person.episode for m in found.listed] == [known.pk]
    assert (found.not_judged, found.lacks) == (1, (("frailty score", 1),))
    Patient.objects.filter(pk=unknown.patient_id).update(date_of_birth=None)
    assert shown(frail, day(2), everywhere).lacks == (("date of birth", 1), ("frailty score", 1))


def test_bands_say_what_drives_them(town: Town, everywhere: Scope) -> None:
    one = cohort(
        scale_source="Local",
        drivers=[{"label": "Frail", "points": 2, "who": {"frailty_from": 6}}],
        bands=[{"name": "Lower", "from": 0}, {"name": "High", "from": 2}],
    )
    frail, other = town.patient(town.ward), town.patient(town.ward)
    review(episode=frail, found=Found(frailty=7), said=town.said(1))
    found = shown(one, day(2), everywhere)
    assert [(t.name, t.people) for t in found.by_band] == [("Lower", 1), ("High", 1)]
    risks = {m.person.episode: m.risk for m in found.listed}
    assert (risks[frail.pk].drivers, risks[other.pk].lacks) == (("Frail",), ("frailty score",))  # type: ignore[union-attr]
    [high] = shown(one, day(2), everywhere, bands=("High",)).listed
    assert high.person.episode == frail.pk


def test_filters_narrow_the_list_and_not_the_figures(town: Town, everywhere: Scope) -> None:
    near = town.patient(town.ward, near=True)
    town.patient(town.other)
    everybody = cohort()
    for wanted in (
        {"areas": ("north",)},
        {"owners": (f"RXX/{town.ward.name}",), "areas": ("north",)},
    ):
        found = shown(everybody, day(1), everywhere, **wanted)
        assert [m.person.episode for m in found.listed] == [near.pk]
        assert found.people == 2
    assert shown(everybody, day(1), everywhere, steps=("home",)).listed == ()


def test_a_neighbourhood_team_sees_its_own_people_at_every_site(town: Town) -> None:
    team = scope_at(Role.PARTNER, team=town.team)
    here = town.patient(town.ward, near=True)
    town.patient(town.other)
    left = town.patient(town.other, near=True, discharged_at=day(1))
    found = shown(cohort(), day(2), team)
    assert {m.person.episode for m in found.listed} == {here.pk, left.pk}
    assert found.people == 2
    assert found.areas == ("North",)
    assert all(m.face and m.face.name for m in found.listed)


def test_a_ward_nurse_sees_the_ward_and_who_left_it(town: Town) -> None:
    nurse = scope_at(Role.WARD_NURSE, ward=town.ward)
    here = town.patient(town.ward)
    left = town.patient(town.ward, discharged_at=day(1))
    town.patient(town.other)
    found = shown(cohort(), day(2), nurse)
    assert {m.person.episode for m in found.listed} == {here.pk, left.pk}


def test_an_observer_sees_figures_alone(town: Town) -> None:
    town.patient(town.ward)
    found = shown(cohort(), day(1), scope_at(Role.OBSERVER, site=town.site))
    assert (found.people, found.listed, found.unseen) == (1, (), 1)


def test_who_owns_other_steps_sees_no_cohort(town: Town) -> None:
    council = scope_at(Role.PARTNER, team=town.care.social_work)
    assert board(cohort(), moment=Moment(day(1)), scope=council) is None
    assert lines(moment=Moment(day(1)), scope=council) is None


def test_a_restricted_person_is_a_line_without_a_name(town: Town, everywhere: Scope) -> None:
    one = town.patient(town.ward)
    Patient.objects.filter(pk=one.patient_id).update(is_restricted=True)
    [member] = shown(cohort(), day(1), everywhere).listed
    assert member.face is not None
    assert (member.face.restricted, member.face.name) == (True, "")


def test_all_cohorts_are_told_as_each_one_is(town: Town, everywhere: Scope) -> None:
    first = town.patient(town.ward, near=True)
    review(episode=first, found=Found(criteria=[], frailty=6), said=town.said(1))
    town.patient(town.other)
    made = [cohort(), cohort("frail", who={"frailty_from": 5}), cohort("gone", is_withdrawn=True)]
    told = lines(moment=Moment(day(3)), scope=everywhere)
    assert told is not None
    assert [line.cohort.slug for line in told] == ["all", "frail"]
    for line, one in zip(told, made, strict=False):
        found = shown(one, day(3), everywhere)
        assert (line.people, line.ready, line.lost, line.not_judged) == (
            found.people, found.ready, found.lost, found.not_judged,
        )  # fmt: skip
        assert sum(line.phases.values()) == line.people


def test_what_was_known_then_is_told_as_it_was_known(town: Town, everywhere: Scope) -> None:
    one = town.patient(town.ward)
    now = timezone.now()
    review(episode=one, found=Found(frailty=6, criteria=[]), said=Said(now - DAY, town.care.nurse))
    frail = cohort(who={"frailty_from": 5})
    later = timezone.now()
    assert shown(frail, later, everywhere).people == 1
    then = board(frail, moment=Moment(now, known_at=now), scope=everywhere)
    assert then is not None
    assert (then.people, then.not_judged) == (0, 1)
    known = board(frail, moment=Moment(later, known_at=later), scope=everywhere)
    assert known is not None
    assert (known.people, known.ready) == (1, 1)


# --- Day by day -------------------------------------------------------------------------------


@pytest.fixture
def recorded(town: Town) -> Town:
    """Records that are whole from the third day on."""
    records_begin(town.ward, at=day(0))
    beginning.forget()
    return town


def test_days_are_counted_as_far_as_the_records_are_whole(recorded: Town) -> None:
    days = days_to_count(now=day(10))
    whole = beginning.records().complete
    assert whole is not None
    assert clock_of(days[-1]) >= whole > clock_of(days[-1] - DAY)
    assert clock_of(days[0]) <= day(10) < clock_of(days[0] + DAY)


def test_a_series_is_what_the_boards_said_on_those_days(recorded: Town, everywhere: Scope) -> None:
    town = recorded
    stays = [town.patient(town.ward, near=True), town.patient(town.other)]
    review(episode=stays[0], found=Found(criteria=[]), said=town.said(4))
    town.patient(town.other, discharged_at=day(6))
    everybody = cohort()
    assert count_missing(now=day(9)) == len(days_to_count(now=day(9)))
    assert count_missing(now=day(9)) == 0
    _, areas = areas_known()
    for scope in (everywhere, scope_at(Role.PARTNER, team=town.team)):
        sight = Sight.of(scope, areas.values())
        points = series(everybody, sight=sight, until=timezone.localtime(day(9)).date())
        assert len(points) == CohortDay.objects.count()
        for point in points:
            then = shown(everybody, clock_of(point.day), scope)
            phases = {tally.key: tally.people for tally in then.by_phase}
            assert (point.before, point.during, point.after) == tuple(phases.values())
            assert point.ready == then.ready
            assert point.ready_days == pytest.approx(then.lost / DAY)
        assert points[-1].stay_days > points[0].stay_days


def test_who_left_and_who_came_back_are_counted_on_their_day(
    recorded: Town, everywhere: Scope
) -> None:
    town = recorded
    first = town.patient(town.ward, discharged_at=day(4))
    town.patient(town.ward, admitted_at=day(6), patient=first.patient, admission_method="21")
    everybody = cohort()
    count_missing(now=day(9))
    _, areas = areas_known()
    points = series(
        everybody,
        sight=Sight.of(everywhere, areas.values()),
        until=timezone.localtime(day(9)).date(),
    )
    assert sum(point.left for point in points) == 1
    assert sum(point.came_back for point in points) == 1


def test_counting_can_be_stopped_and_goes_on_with_the_latest_first(recorded: Town) -> None:
    cohort()
    assert count_missing(now=day(9), patience=0) == 1
    assert CohortDay.objects.get().day == days_to_count(now=day(9))[0]
    count_missing(now=day(9), patience=0)
    assert CohortDay.objects.count() == 2


def test_a_cohort_described_anew_is_counted_anew(recorded: Town, everywhere: Scope) -> None:
    town = recorded
    town.patient(town.ward)
    one = cohort()
    other = cohort("other")
    count_missing(now=day(9))
    before = set(CohortDay.objects.filter(cohort=other).values_list("pk", flat=True))
    Cohort.objects.filter(pk=one.pk).update(who={"age_to": 10})
    one.refresh_from_db()
    sight = Sight.of(everywhere, ())
    until = timezone.localtime(day(9)).date()
    assert series(one, sight=sight, until=until) == []
    count_missing(now=day(9))
    assert {point.during for point in series(one, sight=sight, until=until)} == {0}
    assert set(CohortDay.objects.filter(cohort=other).values_list("pk", flat=True)) == before
    assert not CohortCount.objects.filter(day__cohort=one, during__gt=0).exists()


def queries(one: Cohort, scope: Scope) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shown(one, day(2), scope)
        lines(moment=Moment(day(2)), scope=scope)
    return len(captured)


def test_the_number_of_queries_does_not_grow(town: Town, everywhere: Scope) -> None:
    one = cohort(who={"frailty_from": 1})
    for _ in range(6):
        _frail(town)
    few = queries(one, everywhere)
    for _ in range(54):
        _frail(town)
    assert queries(one, everywhere) == few <= 14


def _frail(town: Town) -> None:
    episode = town.patient(town.ward, near=True)
    number = Review.objects.count()
    Review.objects.create(
        episode=episode, occurred_at=day(1), source="test", key=f"r{number}", frailty=6
    )


def test_what_is_told_late_makes_the_day_be_counted_again(recorded: Town) -> None:
    """By the real clock, as late words are recorded by it."""
    town = recorded
    stay = town.care.admitted()
    one = cohort()
    now = timezone.now()
    count_missing(now=now, patience=0)
    sight = Sight.of(scope_at(Role.SITE_MANAGER, everywhere=True), ())
    until = timezone.localtime(now).date()
    [before] = series(one, sight=sight, until=until)
    assert (before.during, before.ready) == (1, 0)
    earlier = clock_of(before.day) - timedelta(hours=20)
    review(
        episode=stay,
        found=Found(criteria=[]),
        said=Said(timezone.now(), town.care.nurse, earlier),
    )
    soon, later = now + timedelta(minutes=1), now + timedelta(minutes=6)
    count_missing(now=soon, patience=0)
    assert [p.ready for p in series(one, sight=sight, until=until) if p.day == before.day] == [0]
    count_missing(now=later, patience=0)
    assert [p.ready for p in series(one, sight=sight, until=until) if p.day == before.day] == [1]


@pytest.mark.django_db(transaction=True)
def test_who_was_expected_and_came_is_expected_no_more_in_what_was_known_then(
    town: Town, everywhere: Scope
) -> None:
    """Each of the two ways to be expected has to stand the question what was known."""
    came = make_episode(admitted_at=None, expected_at=timezone.now() + DAY)
    gone = make_episode(admitted_at=None, expected_at=timezone.now() + DAY)
    before = timezone.now()
    Episode.objects.filter(pk=came.pk).update(
        status="in_hospital", admitted_at=timezone.now() - DAY
    )
    Episode.objects.filter(pk=gone.pk).update(status="cancelled")
    put(town.ward, start=timezone.now() - DAY, episode=came)
    everybody = cohort()

    def steps(at: datetime) -> dict[int, str]:
        found = board(everybody, moment=Moment(at, known_at=at), scope=everywhere)
        assert found is not None
        return {m.person.episode: m.person.step.value for m in found.listed}

    assert steps(before) == {came.pk: "expected", gone.pk: "expected"}
    assert steps(timezone.now()) == {came.pk: "treatment"}


def test_who_is_expected_nowhere_in_particular_is_expected_by_the_body_that_knows_them(
    town: Town, everywhere: Scope
) -> None:
    episode = make_episode(admitted_at=None, expected_at=day(3))
    Patient.objects.filter(pk=episode.patient_id).update(authority="RXX")
    [member] = shown(cohort(), day(1), everywhere).listed
    assert (member.person.owner.organisation, member.person.owner.name) == ("RXX", "Test trust")


def test_where_nothing_is_missing_the_worker_asks_little(recorded: Town) -> None:
    """It asks every minute, for up to ninety days."""
    cohort()
    count_missing(now=day(9))
    beginning.records()
    with CaptureQueriesContext(connection) as captured:
        assert count_missing(now=day(9)) == 0
    assert len(captured) <= 4
