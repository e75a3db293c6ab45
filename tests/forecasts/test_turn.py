"""A full turn: history, model, forecast, outcome and scores, with the clock passed in."""

from __future__ import annotations

from datetime import timedelta
from math import log
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from flow.forecasts import issuing, learning, scoring, versions
from flow.forecasts.clock import minute_of
from flow.forecasts.following import clock_before, levels_now
from flow.forecasts.history import NOT_YET
from flow.forecasts.issued import Kept, latest
from flow.forecasts.outcomes import beds_free, left_at
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.forecasts.stored import written
from flow.models import Forecast, ForecastLevels, ForecastModel, ForecastScore, ForecastTraining
from patients.models import Episode
from tests.forecasts.living import BEGIN, DAY, LITTLE, Hospital, issue, london, told
from wards.facts import MovementKind, Place
from wards.models import BedStatus, Occupancy

pytestmark = pytest.mark.django_db

NIGHT = london(19, 2, 30)
MORNING = london(19, 8)


@pytest.fixture
def hospital() -> Hospital:
    """It has lived for 17 days, was learnt in the night, and it is 8:00."""
    made = Hospital()
    made.live(NIGHT)
    done = learning.learn(made.site, at=NIGHT, effort=LITTLE)
    assert done is not None
    assert done.state == ForecastTraining.State.DONE
    made.live(MORNING)
    return made


def kept(hospital: Hospital) -> Kept:
    found = latest(hospital.site.pk, by=hospital.now)
    assert found is not None
    return found


def bytes_of(row: Forecast) -> tuple[object, ...]:
    found = Forecast.objects.get(pk=row.pk)
    return found.said, bytes(found.arrays), found.at, found.issued_at, found.level


def score_of(speaker: Speaker, **where: str) -> ForecastScore:
    return ForecastScore.objects.get(speaker=speaker, **where)


def test_a_forecast_says_of_everybody_in_hospital_when_they_may_have_left(
    hospital: Hospital,
) -> None:
    row = issue(hospital)
    here = Occupancy.objects.filter(ward__site=hospital.site, period__contains=MORNING)
    said = kept(hospital).patients
    assert set(said.episodes.tolist()) == set(here.values_list("episode", flat=True))
    assert dict(zip(said.episodes.tolist(), said.wards.tolist(), strict=True)) == dict(
        here.values_list("episode", "ward")
    )
    assert row.patients == len(hospital.there) == len(said)
    assert np.all(np.diff(said.hours) >= -1e-4)
    assert np.all((said.hours > 0) & (said.hours < 1))
    # Whoever leaves sooner in this world is said to.
    quick = np.array([one == "300" for one in said.specialties])
    assert said.hours[quick, 23].mean() > said.hours[~quick, 23].mean() + 0.05


def test_numbers_add_up_to_the_chances_of_patients(hospital: Hospital) -> None:
    issue(hospital)
    issued = kept(hospital).issued
    for part, key in [
        (Part.SITE, ""),
        (Part.SPECIALTY, "300"),
        (Part.WARD, str(hospital.wards[1].pk)),
    ]:
        mine = issued.patients.of(part, key)
        spread = issued.number(What.DEPARTURES, Until.DAY, part, key)
        assert spread.mean == pytest.approx(issued.patients.hours[mine, 23].sum(), abs=0.01)
    evening = issued.number(What.DEPARTURES, Until.EVENING)
    assert evening.mean == pytest.approx(issued.patients.hours[:, 9].sum(), abs=0.01)


def test_a_forecast_in_between_speaks_of_full_hours(hospital: Hospital) -> None:
    hospital.live(london(19, 10))
    row = issuing.issue(hospital.site, at=london(19, 10, 7))
    assert row is not None
    assert not row.is_standard
    issued = latest(hospital.site.pk, by=london(19, 10, 7))
    assert issued is not None
    found = issued.issued
    evening = found.number(What.DEPARTURES, Until.EVENING)
    # 18:00 is the end of the eighth full hour after 10:07.
    assert evening.mean == pytest.approx(found.patients.hours[:, 7].sum(), abs=0.01)
    day = found.number(What.DEPARTURES, Until.DAY)
    assert found.patients.hours[:, 22].sum() < day.mean < found.patients.hours[:, 24].sum()


def test_nothing_that_is_issued_is_ever_changed(hospital: Hospital) -> None:
    row = issue(hospital)
    before = bytes_of(row)
    hospital.live(MORNING + 2 * DAY)
    scoring.score_due(now=london(21, 14, 5))
    assert bytes_of(row) == before
    changes: list[dict[str, Any]] = [
        {"level": 2.0}, {"said": {}}, {"issued_at": MORNING + DAY}
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            Forecast.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Forecast.objects.filter(pk=row.pk).delete()
    assert bytes_of(row) == before


def test_corrupting_what_comes_later_changes_nothing_that_would_be_said(hospital: Hospital) -> None:
    """What is said of a moment is the same to the last bit whenever it is worked out."""
    live = versions.live(hospital.site.pk)
    assert live is not None

    def now_said() -> tuple[object, bytes]:
        said = issuing.foretold(hospital.site, live, at=MORNING, known_at=MORNING)
        return written(said.issued)

    before = now_said()
    here = list(hospital.there)
    later = MORNING + timedelta(minutes=20)
    told(
        # Told a little later: somebody left yesterday, somebody never came, others move, and an
        # expected date changes; all of it dated before the moment.
        hospital.says(here[0].name, MovementKind.DISCHARGED, at=MORNING - DAY, sent=later),
        hospital.says(here[1].name, MovementKind.CANCELLED_ADMIT, at=MORNING - DAY, sent=later),
        hospital.says(
            here[2].name, MovementKind.TRANSFERRED, at=MORNING - DAY, sent=later,
            place=Place(hospital.wards[0].pk),
        ),
        hospital.says(
            here[3].name, MovementKind.OBSERVED, at=MORNING - DAY, sent=later,
            expected_discharge_at=(MORNING + DAY).isoformat(), specialty="430",
        ),
        hospital.says(here[4].name, MovementKind.DISCHARGED, at=later),
    )  # fmt: skip
    assert now_said() == before


def test_scores_are_those_of_a_slow_count_by_hand(hospital: Hospital) -> None:
    row = issue(hospital)
    hospital.live(london(20, 14))
    assert scoring.score_due(now=london(20, 14, 5)) > 0
    issued = kept_of(row).issued
    end = MORNING + DAY
    stays = {
        episode: bool(left and left <= end)
        for episode, left in Episode.objects.filter(
            pk__in=issued.patients.episodes.tolist()
        ).values_list("pk", "discharged_at")
    }
    pairs = [
        (float(chance), stays[episode])
        for episode, chance in zip(
            issued.patients.episodes.tolist(), issued.patients.hours[:, 23], strict=True
        )
    ]
    score = score_of(Speaker.FORECAST, what=What.DEPARTURES, until=Until.DAY, part=Part.SITE)
    assert score.patients == len(pairs) == row.patients
    assert score.log_sum == pytest.approx(
        sum(-log(p) if came else -log(1 - p) for p, came in pairs)
    )
    assert score.brier_sum == pytest.approx(sum((p - came) ** 2 for p, came in pairs))
    for n in range(10):
        tenth = [(p, came) for p, came in pairs if n / 10 <= p < (n + 1) / 10]
        assert score.bin_patients[n] == len(tenth)
        assert score.bin_said[n] == pytest.approx(sum(p for p, _ in tenth))
        assert score.bin_came[n] == sum(came for _, came in tenth)
    seen = sum(came for _, came in pairs)
    spread = issued.number(What.DEPARTURES, Until.DAY)
    reached = np.cumsum([0.0] * spread.lowest + list(spread.chances))
    crps = sum((reached[min(k, len(reached) - 1)] - (k >= seen)) ** 2 for k in range(200))
    assert score.seen == seen
    assert score.crps == pytest.approx(crps, abs=1e-6)
    assert score.said == pytest.approx(sum(p for p, _ in pairs), abs=0.01)
    for level, held in ((0.5, score.within_50), (0.8, score.within_80), (0.9, score.within_90)):
        low = int(np.argmax(reached >= (1 - level) / 2 - 1e-12))
        high = int(np.argmax(reached >= (1 + level) / 2 - 1e-12))
        assert held == (low <= seen <= high)


def kept_of(row: Forecast) -> Kept:
    found = latest(row.site_id, by=row.at)
    assert found is not None
    assert found.row.pk == row.pk
    return found


def test_all_speakers_are_told_beside_each_other(hospital: Hospital) -> None:
    row = issue(hospital)
    hospital.live(london(20, 14))
    scoring.score_due(now=london(20, 14, 5))
    of_site = ForecastScore.objects.filter(forecast=row, part=Part.SITE, until=Until.DAY)
    departures = {one.speaker: one for one in of_site.filter(what=What.DEPARTURES)}
    assert set(departures) == {
        Speaker.FORECAST, Speaker.KAPLAN_MEIER, Speaker.WEEKDAY, Speaker.YESTERDAY,
    }  # fmt: skip
    # The same patients, the same outcome.
    assert departures[Speaker.KAPLAN_MEIER].patients == row.patients
    assert len({one.seen for one in departures.values()}) == 1
    left = [
        Episode.objects.filter(
            discharged_at__gt=MORNING - one * DAY, discharged_at__lte=MORNING - (one - 1) * DAY,
            admitted_at__lte=MORNING - one * DAY,
        ).count()
        for one in (1, 7, 14)
    ]  # fmt: skip
    assert departures[Speaker.YESTERDAY].said == pytest.approx(left[0])
    assert departures[Speaker.WEEKDAY].said == pytest.approx(np.mean(left[1:]))
    by_ward = ForecastScore.objects.filter(
        forecast=row, part=Part.WARD, what=What.DEPARTURES, speaker=Speaker.FORECAST
    )
    assert sum(one.patients for one in by_ward) == row.patients
    assert sum(one.seen for one in by_ward) == departures[Speaker.FORECAST].seen
    yesterday = ForecastScore.objects.filter(
        forecast=row, part=Part.WARD, what=What.DEPARTURES, speaker=Speaker.YESTERDAY
    )
    assert sum(one.said for one in yesterday) == pytest.approx(left[0], abs=1.5)


def test_admissions_and_free_beds_are_scored_where_they_were_told(hospital: Hospital) -> None:
    row = issue(hospital)
    hospital.live(london(20, 14))
    scoring.score_due(now=london(20, 14, 5))
    came = Episode.objects.filter(admitted_at__gt=MORNING, admitted_at__lte=MORNING + DAY).count()
    score = score_of(Speaker.FORECAST, what=What.ADMISSIONS, until=Until.DAY, part=Part.SITE)
    assert score.seen == came
    assert score.patients == 0
    assert score.said == pytest.approx(12, abs=4)
    there = Occupancy.objects.filter(period__contains=MORNING + DAY).count()
    beds = score_of(Speaker.FORECAST, what=What.FREE_BEDS, until=Until.DAY, part=Part.SITE)
    assert beds.seen == 3 * hospital.beds - there
    wards = ForecastScore.objects.filter(
        forecast=row, what=What.FREE_BEDS, part=Part.WARD, speaker=Speaker.FORECAST
    )
    assert sum(one.seen for one in wards) == beds.seen
    assert sum(one.said for one in wards) == pytest.approx(beds.said, abs=0.5)


def test_beds_being_cleaned_are_free_and_closed_ones_are_not(hospital: Hospital) -> None:
    [first, second, *_] = hospital.free[hospital.wards[1].pk]
    before = beds_free([hospital.wards[1].pk], at=MORNING)
    for bed, status in ((first, "H"), (second, "C")):
        BedStatus.objects.create(
            bed=bed, status=status, occurred_at=MORNING, sent_at=MORNING, source="t", key=status
        )
    after = beds_free([hospital.wards[1].pk], at=MORNING)
    assert after[hospital.wards[1].pk] == before[hospital.wards[1].pk] - 1


def test_nothing_is_scored_before_it_is_over_and_settled(hospital: Hospital) -> None:
    issue(hospital)
    hospital.live(london(19, 23))
    assert scoring.score_due(now=london(19, 22)) == 0
    hospital.live(london(20, 14))
    scoring.score_due(now=london(20, 2, 5))
    untils = set(ForecastScore.objects.values_list("until", flat=True))
    assert untils == {Until.EVENING}
    assert scoring.score_due(now=london(20, 2, 15)) == 0
    scoring.score_due(now=london(20, 14))
    untils = set(ForecastScore.objects.values_list("until", flat=True))
    assert untils == {Until.MIDNIGHT, Until.EVENING, Until.DAY}


def test_what_is_told_late_is_scored_again(hospital: Hospital) -> None:
    row = issue(hospital)
    somebody = hospital.there[0].name
    hospital.live(london(20, 14))
    scoring.score_due(now=london(20, 14, 5))
    where = {"what": What.DEPARTURES, "until": Until.DAY, "part": Part.SITE}
    before = score_of(Speaker.FORECAST, **where)
    still = [one for one in hospital.there if one.name == somebody or one.name < somebody]
    patient = next(
        one for one in hospital.there
        if Episode.objects.get(visit__number=f"V{one.name}").admitted_at < MORNING  # type: ignore[operator]
    )  # fmt: skip
    assert still is not None
    hospital.there.remove(patient)
    told(
        hospital.says(
            patient.name, MovementKind.DISCHARGED, at=MORNING + timedelta(hours=3),
            sent=london(20, 20),
        )
    )  # fmt: skip
    stored = bytes_of(row)
    scoring.score_due(now=london(21, 2, 5))
    after = score_of(Speaker.FORECAST, **where)
    assert after.seen == before.seen + 1
    assert after.log_sum != before.log_sum
    assert after.scored_at > before.scored_at
    assert bytes_of(row) == stored
    assert ForecastScore.objects.filter(**where).count() == 4


def test_a_stay_that_turns_out_never_to_have_been_counts_for_nobody(hospital: Hospital) -> None:
    row = issue(hospital)
    patient = hospital.there[0]
    hospital.live(london(20, 10))
    if patient in hospital.there:
        hospital.there.remove(patient)
    told(
        hospital.says(
            patient.name, MovementKind.CANCELLED_ADMIT, at=MORNING - 5 * DAY, sent=london(20, 11)
        )
    )
    hospital.live(london(20, 14))
    scoring.score_due(now=london(20, 14, 5))
    where = {"what": What.DEPARTURES, "until": Until.DAY, "part": Part.SITE}
    patients = {score_of(who, **where).patients for who in (Speaker.FORECAST, Speaker.KAPLAN_MEIER)}
    assert patients == {row.patients - 1}


def test_when_somebody_left_is_when_they_left_the_site(hospital: Hospital) -> None:
    first, second, third = hospital.there[:3]
    keys = {
        one.name: Episode.objects.get(visit__number=f"V{one.name}").pk
        for one in (first, second, third)
    }
    told(
        hospital.says(
            first.name, MovementKind.TRANSFERRED, at=MORNING + timedelta(hours=1),
            place=Place(hospital.wards[0].pk),
        ),
        hospital.says(first.name, MovementKind.DISCHARGED, at=MORNING + timedelta(hours=5)),
        hospital.says(second.name, MovementKind.DISCHARGED, at=MORNING - DAY, sent=MORNING + DAY),
    )  # fmt: skip
    found = left_at(hospital.site.pk, keys.values(), at=MORNING)
    assert found[keys[first.name]] == minute_of(MORNING) + 300
    assert found[keys[second.name]] == minute_of(MORNING) - 1440
    assert found[keys[third.name]] == NOT_YET


def test_levels_are_followed_from_eight_to_eight(hospital: Hospital) -> None:
    live = versions.live(hospital.site.pk)
    assert live is not None
    before = levels_now(hospital.site, live, at=MORNING)
    hospital.pace = 0.1
    hospital.live(london(23, 7))
    slow = levels_now(hospital.site, live, at=london(23, 7))
    assert slow.common.mean < before.common.mean * 0.9
    followed = ForecastLevels.objects.filter(model=live.row).order_by("at")
    assert [row.at for row in followed] == [london(18, 8), london(19, 8), london(22, 8)]
    row = issuing.issue(hospital.site, at=london(23, 7))
    assert row is not None
    assert row.level == pytest.approx(slow.common.mean)
    assert row.level_low < row.level < row.level_high


def test_the_clock_before_is_that_of_england() -> None:
    assert clock_before(london(19, 8)) == london(19, 8)
    assert clock_before(london(19, 7, 59)) == london(18, 8)
    assert clock_before(london(29, 8)) == london(29, 8)
    assert london(29, 8) - london(28, 8) == timedelta(hours=23)


@pytest.mark.parametrize("days", [0, 1, 3])
def test_on_day_one_there_is_a_wide_forecast_and_no_error(days: int) -> None:
    hospital = Hospital(a_day=10)
    now = BEGIN + timedelta(days=days, hours=8)
    hospital.live(now)
    done = learning.learn(hospital.site, at=now, effort=LITTLE)
    assert done is not None
    assert done.model is not None
    assert (done.model.kind, done.model.verdict) == ("staged", "first")
    row = issue(hospital)
    assert row.patients == len(hospital.there)
    # With nobody known to have left, the level is unsure by half; with more, by less.
    assert row.level_high / row.level_low > (1.7 if days else 4)
    issued = kept(hospital).issued
    spread = issued.number(What.DEPARTURES, Until.DAY)
    low, high = spread.central(0.9)
    expected = issued.patients.hours[:, 23].sum()
    if row.patients:
        binomial = np.sqrt(
            (issued.patients.hours[:, 23] * (1 - issued.patients.hours[:, 23])).sum()
        )
        assert low < expected < high
        assert high - low >= 2 * 1.6 * binomial - 2
    hospital.live(now + DAY + timedelta(hours=7))
    scoring.score_due(now=now + DAY + timedelta(hours=7))
    assert ForecastScore.objects.filter(speaker=Speaker.FORECAST).exists()


def test_a_refresh_asks_the_same_number_of_queries_for_any_number_of_patients() -> None:
    counts = []
    for a_day, beds in ((2.0, 6), (20.0, 60)):
        hospital = Hospital(a_day=a_day, beds=beds)
        hospital.live(BEGIN + timedelta(days=4, hours=8))
        learning.learn(hospital.site, at=hospital.now, effort=LITTLE)
        issue(hospital)
        hospital.live(hospital.now + timedelta(hours=1))
        with CaptureQueriesContext(connection) as queries:
            issue(hospital)
        counts.append(len(queries))
        assert ForecastModel.objects.filter(site=hospital.site).count() == 1
    assert counts[0] == counts[1]
    assert counts[0] < 40
