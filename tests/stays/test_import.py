"""What a file becomes: episodes, stays, places, reviews; once, longer, corrected, stopped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.refusals import Refused
from patients.keys import PersonKey, VisitKey
from patients.models import CodeSet, Episode, Patient, Readiness, Review, Visit
from tests.stays.files import Told, at, episode, load, rejected, row, way, written
from wards import stay_import
from wards.barriers import Said
from wards.facts import Moved, MovementKind, Place
from wards.models import BedRequest, DirtyWard, Movement, Occupancy, Site, Ward
from wards.movements import record, transfer
from wards.recording import Recorded, keep
from wards.rounds import Found, review
from wards.stay_facts import SOURCE
from wards.stay_import import CONTRADICTS, NOT_STORED, REVIEWED

pytestmark = pytest.mark.django_db

ONE = row(start="2025-03-01T08:00Z", end="2025-03-02T08:00Z", last=0)
TWO = row(start="2025-03-02T08:00Z", end="2025-03-03T08:00Z", ward="W2", last=0)
THREE = row(start="2025-03-03T08:00Z", end="2025-03-04T08:00Z", ward="W3", last=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def given(folder: Path, *rows: Mapping[str, str], options: tuple[str, ...] = ()) -> Told:
    return load(written(folder, *rows), *options)


def rows_of(model: Any) -> list[tuple[Any, ...]]:
    return sorted(model.objects.values_list(), key=repr)


def everything() -> dict[str, list[tuple[Any, ...]]]:
    models = (Patient, Visit, Episode, Movement, Occupancy, Review, Readiness, Site, Ward)
    return {model.__name__: rows_of(model) for model in models}


# -- what becomes of it ------------------------------------------------------------------


def test_an_episode_is_its_stays_and_its_discharge(folder: Path) -> None:
    told = given(folder, TWO, THREE, ONE)
    assert told.episodes == {"new": 1}
    found = episode()
    assert (found.status, found.admitted_at, found.discharged_at) == (
        "discharged",
        at(1, 8),
        at(4, 8),
    )
    assert (found.specialty, found.admission_method, found.patient.sex) == ("300", "21", "female")
    assert found.flags == []
    assert way() == [
        ("W1", at(1, 8), at(2, 8)),
        ("W2", at(2, 8), at(3, 8)),
        ("W3", at(3, 8), at(4, 8)),
    ]
    assert not BedRequest.objects.exists()


def test_everything_is_known_when_it_happened_and_written_now(folder: Path) -> None:
    given(folder, ONE, TWO, THREE | {"ctr_met": "2025-03-03T12:00Z"})
    movements = Movement.objects.order_by("occurred_at")
    assert [(m.kind, m.occurred_at) for m in movements] == [
        ("admitted", at(1, 8)),
        ("transferred", at(2, 8)),
        ("transferred", at(3, 8)),
        ("discharged", at(4, 8)),
    ]
    assert all(m.recorded_at == m.occurred_at == m.sent_at for m in movements)
    [found] = Review.objects.all()
    assert found.recorded_at == found.occurred_at == at(3, 12)
    with connection.cursor() as cursor:
        for table in ("patients_episodeevent", "wards_occupancyevent", "patients_readinessevent"):
            cursor.execute(f"SELECT min(pgh_created_at) FROM {table}")
            [[wrote]] = cursor.fetchall()
            assert timezone.now() - wrote < timedelta(minutes=5)


def test_an_age_is_kept_as_it_was_told_and_makes_no_date_of_birth(folder: Path) -> None:
    given(folder, ONE | {"age": "0.5"}, THREE)
    assert Movement.objects.get(kind="admitted").stay["age"] == "0.5"
    assert episode().patient.date_of_birth is None


def test_an_age_left_empty_is_not_filled_from_a_later_row(folder: Path) -> None:
    given(folder, ONE | {"age": ""}, TWO | {"age": "78"}, THREE)
    assert not [stay for stay in Movement.objects.values_list("stay", flat=True) if "age" in stay]


def test_what_a_row_repeats_is_not_said_again(folder: Path) -> None:
    plan = {"edd": "2025-03-05"}
    later = {"edd": "2025-03-07", "specialty": "340"}
    given(folder, ONE | plan, TWO | plan, THREE | later)
    said = list(Movement.objects.order_by("occurred_at").values_list("stay", flat=True))
    assert set(said[0]) == {"specialty", "admission_method", "expected_discharge_at", "age"}
    assert said[1] == {}
    assert set(said[2]) == {"specialty", "expected_discharge_at"}
    assert (episode().specialty, episode().expected_discharge_at) == ("340", at(7))


def test_a_stay_without_length_is_a_move_that_is_kept(folder: Path) -> None:
    moment = {"start": "2025-03-02T08:00Z", "end": "2025-03-02T08:00Z", "last": "0"}
    given(folder, THREE, row(ward="W8", **moment), ONE, TWO, row(ward="W9", **moment))
    assert way() == [
        ("W1", at(1, 8), at(2, 8)),
        ("W2", at(2, 8), at(3, 8)),
        ("W3", at(3, 8), at(4, 8)),
    ]
    moves = Movement.objects.order_by("occurred_at", "sent_at").values_list("ward__code", flat=True)
    assert list(moves) == ["W1", "W8", "W9", "W2", "W3", None]


def test_an_episode_without_any_length(folder: Path) -> None:
    given(folder, row(end="2025-03-01T08:00Z"))
    found = episode()
    assert (found.admitted_at, found.discharged_at) == (at(1, 8), at(1, 8))
    assert way() == []


def test_the_patient_stays_on_the_ward_before_over_a_gap(folder: Path) -> None:
    given(folder, ONE, THREE)
    assert way() == [("W1", at(1, 8), at(3, 8)), ("W3", at(3, 8), at(4, 8))]


def test_who_has_not_been_discharged_is_on_the_last_ward(folder: Path) -> None:
    told = given(folder, ONE, TWO)
    assert (episode().status, episode().discharged_at) == ("in_hospital", None)
    assert way()[-1] == ("W2", at(2, 8), None)
    assert told.document["episodes_in_hospital"] == 1
    assert told.document["notes"] == {"episodes_with_end_but_not_marked_last": 1}


def test_who_is_marked_as_last_without_an_end_is_there_until_a_file_tells_the_end(
    folder: Path,
) -> None:
    told = given(folder, ONE, THREE | {"end": "", "died": "1"})
    assert told.document["rows_refused"] == 0
    assert told.episodes == {"new": 1}
    assert told.document["notes"] == {
        "gaps_between_stays": 1,
        "rows_marked_last_without_end_read_as_still_there": 1,
        "rows_with_died_of_episodes_not_ended_read_as_still_there": 1,
    }
    assert (episode().status, episode().discharge_destination) == ("in_hospital", "")
    assert way()[-1] == ("W3", at(3, 8), None)
    assert given(folder, ONE, THREE | {"died": "1"}).episodes == {"extended": 1}
    assert (episode().discharged_at, episode().discharge_destination) == (at(4, 8), "79")


def test_who_died(folder: Path) -> None:
    given(
        folder,
        row(died=1),
        row(episode="E2", patient="P2", died="2025-03-04T09:30Z"),
        row(episode="E3", patient="P3", died=0),
    )
    assert [episode(n).discharge_destination for n in ("E1", "E2", "E3")] == ["79", "79", ""]
    # When somebody died is not known from when they left.
    assert [episode(n).patient.died_at for n in ("E1", "E2", "E3")] == [None, at(4, 9, 30), None]


# -- sex ---------------------------------------------------------------------------------

LATER = row(episode="E2", start="2025-03-09T08:00Z", end="2025-03-10T08:00Z")
SAID = (ONE | {"sex": "X"}, TWO | {"sex": "F"}, THREE | {"sex": "M"}, LATER | {"sex": "M"})


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 3, 0, 1)])
@pytest.mark.parametrize("size", [1, 1500])
def test_the_sex_is_what_the_earliest_row_says_that_says_one(
    folder: Path, order: tuple[int, ...], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stay_import, "_ROWS", size)
    told = given(folder, *(SAID[n] for n in order))
    assert told.episodes == {"new": 2}
    assert Patient.objects.get().sex == "female"


def test_the_sex_is_the_earliest_where_a_person_was_at_two_sites(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stay_import, "_ROWS", 1)
    rows = (LATER | {"sex": "M", "site": "ELSE"}, row(episode="E3", patient="P2"), ONE, TWO)
    given(folder, *rows, options=("--authority", "PAS"))
    assert episode("E2").patient == episode("E1").patient
    assert episode("E1").patient.sex == "female"


def test_a_sex_that_is_known_stays(folder: Path) -> None:
    given(folder, ONE, THREE)
    later = given(folder, ONE, THREE | {"sex": "M"}, LATER | {"sex": "M"})
    assert later.episodes == {"known_already": 1, "new": 1}
    earlier = row(episode="E0", start="2025-02-01T08:00Z", end="2025-02-02T08:00Z", sex="M")
    before = given(folder, earlier, ONE | {"sex": "M"}, THREE)
    assert before.episodes == {"known_already": 1, "new": 1}
    assert not before.reasons
    assert Patient.objects.get().sex == "female"


def test_a_sex_that_nobody_knew_is_added(folder: Path) -> None:
    given(folder, ONE | {"sex": ""}, THREE | {"sex": ""})
    told = given(folder, ONE | {"sex": ""}, THREE)
    assert told.episodes == {"known_already": 1}
    assert Patient.objects.get().sex == "female"


def test_rows_that_are_refused_tell_no_sex(folder: Path) -> None:
    given(folder, ONE | {"sex": ""})
    told = given(folder, ONE | {"start": "2025-02-28T08:00Z", "sex": "M"}, LATER)
    assert told.reasons == [(CONTRADICTS, [2])]
    assert Patient.objects.get().sex == "female"


# -- places ------------------------------------------------------------------------------


def test_places_that_are_not_known_are_made(folder: Path) -> None:
    told = given(
        folder,
        ONE,
        TWO | {"specialty": "340"},
        row(episode="E2", patient="P2", specialty="340", ward="w1"),
        row(episode="E3", patient="P3", specialty="340", site="wld"),
    )
    assert (told.document["sites_made"], told.document["wards_made"]) == (
        ["WLD"],
        ["WLD W1", "WLD W2"],
    )
    site = Site.objects.get()
    assert (site.kind, site.organisation.code) == ("acute", "IMPORTED")
    wards = Ward.objects.order_by("code").values_list("code", "kind", "specialty")
    assert list(wards) == [("W1", "inpatient", "340"), ("W2", "inpatient", "340")]


def test_the_specialty_of_a_new_ward_is_that_of_its_first_stays(folder: Path) -> None:
    first = [f"2025-03-{day:02}T08:00Z" for day in range(1, 26) for _ in range(2)]
    rows = [
        row(episode=f"A{n}", patient=f"A{n}", start=start, end=start, specialty="340" if n else "")
        for n, start in enumerate(first)
    ]
    later = [
        row(episode=f"B{n}", patient=f"B{n}", start=start, end=start, specialty="430")
        for n, start in enumerate(["2025-03-27T08:00Z"] * 60)
    ]
    given(folder, *later, *rows)
    assert Ward.objects.get().specialty == "340"


def test_places_that_are_known_are_used(folder: Path) -> None:
    trust = Organisation.objects.create(code="RXX", name="Trust")
    site = Site.objects.create(code="wld", name="World", organisation=trust)
    wards = {
        code: Ward.objects.create(site=site, code=code, name=code, kind=kind)
        for code, kind in (("WLD-W1", "inpatient"), ("W2", "inpatient"), ("w3", "unrecognised"))
    }
    wards["W4"] = Ward.objects.create(site=site, code="W4", name="W4", kind="unrecognised")
    Ward.objects.filter(pk=wards["w3"].pk).update(same_as=wards["W2"])
    told = given(folder, ONE, THREE, row(episode="E2", patient="P2", ward="W4"))
    assert told.document["wards_made"] == told.document["sites_made"] == []
    assert told.document["wards_unrecognised"] == ["wld W4"]
    assert [ward for ward, _, _ in way()] == ["WLD-W1", "W2"]


def test_new_sites_of_an_organisation(folder: Path) -> None:
    assert "no organisation RXX" in given(folder, ONE, options=("--organisation", "RXX")).error
    Organisation.objects.create(code="RXX", name="Trust")
    given(folder, ONE, options=("--organisation", "RXX"))
    assert Site.objects.get().organisation.code == "RXX"


def test_more_places_than_a_hospital_has_are_a_wrong_column(folder: Path) -> None:
    told = given(folder, *(row(episode=f"E{n}", ward=f"9990000{n:03}") for n in range(501)))
    assert "501 wards" in told.error
    assert "9990000" not in told.error
    assert not Ward.objects.exists()
    assert not Movement.objects.exists()


def test_two_hospitals_may_use_the_same_numbers(folder: Path) -> None:
    given(folder, ONE, THREE)
    told = load(written(folder, ONE | {"site": "OTHER"}, name="other.csv"))
    assert told.episodes == {"new": 1}
    assert Patient.objects.count() == Episode.objects.count() == 2
    assert Patient.objects.values("person").distinct().count() == 2


def test_numbers_of_a_feed_are_understood_where_it_is_said(folder: Path) -> None:
    trust = Organisation.objects.create(code="RXX", name="Trust")
    site = Site.objects.create(code="WLD", name="World", organisation=trust)
    ward = Ward.objects.create(site=site, code="W1", name="W1")
    live = Moved(
        key="live",
        sent_at=at(20),
        person=PersonKey("PAS", "P1"),
        kind=MovementKind.ADMITTED,
        occurred_at=at(20),
        visit=VisitKey("PAS", "V9"),
        place=Place(ward.pk),
    )
    record([live], source="PAS")
    told = given(
        folder, ONE, THREE, row(episode="V9", start="2025-03-20T00:00Z", end="", last=0),
        options=("--authority", "PAS"),
    )  # fmt: skip
    # What a feed tells of an episode counts; the file adds the stay before it, of the same person.
    assert told.episodes == {"new": 1, "known_from_a_feed": 1}
    assert Patient.objects.count() == 1
    assert Movement.objects.filter(visit__number="V9").count() == 1


# -- criteria to reside ------------------------------------------------------------------


def looked() -> list[tuple[datetime, list[str] | None, int | None, datetime | None]]:
    return list(
        Review.objects.order_by("occurred_at").values_list(
            "occurred_at", "criteria", "pathway", "expected_discharge_at"
        )
    )


def ready() -> list[tuple[datetime, datetime | None]]:
    return [(one.period.lower, one.period.upper) for one in Readiness.objects.order_by("period")]


def test_criteria_and_pathway_from_the_start_of_their_rows(folder: Path) -> None:
    given(
        folder,
        ONE | {"ctr_met": "1", "edd": "2025-03-05"},
        TWO | {"ctr_met": "0", "pathway": "P1"},
        THREE | {"ctr_met": "0", "pathway": "P2", "edd": "2025-03-06"},
    )
    assert looked() == [
        (at(1, 8), ["met-not-said-which"], None, at(5)),
        (at(2, 8), [], 1, at(5)),
        (at(3, 8), [], 2, at(6)),
    ]
    assert ready() == [(at(2, 8), None)]


def test_a_time_is_when_no_criterion_was_met_any_more(folder: Path) -> None:
    time = {"ctr_met": "2025-03-02T20:00Z", "pathway": "1"}
    given(folder, ONE | time, TWO | time, THREE | time)
    # Said in every row, it happened once. The pathway counts from the row's start: if it waited
    # for that time, a pathway would tell who is going to be ready.
    assert looked() == [(at(1, 8), None, 1, None), (at(2, 20), [], 1, None)]
    assert ready() == [(at(2, 20), None)]


def test_a_time_is_not_known_before_the_row_that_says_it_has_begun(folder: Path) -> None:
    given(folder, ONE | {"ctr_met": "1"}, TWO, THREE | {"ctr_met": "2025-03-02T12:00Z"})
    assert [(when, criteria) for when, criteria, _, _ in looked()] == [
        (at(1, 8), ["met-not-said-which"]),
        (at(3, 8), []),
    ]


@pytest.mark.parametrize("ctr_met", ["", "0", "2025-03-01T20:00Z", "2025-03-03T20:00Z"])
def test_when_a_pathway_is_known_tells_nothing_of_what_is_ahead(folder: Path, ctr_met: str) -> None:
    given(folder, ONE, TWO | {"ctr_met": ctr_met, "pathway": "1"}, THREE)
    assert looked()[-1][2] == 1
    assert min(when for when, _, pathway, _ in looked() if pathway == 1) == at(2, 8)


def test_whoever_meets_criteria_again_is_not_ready(folder: Path) -> None:
    given(folder, ONE | {"ctr_met": "no"}, TWO | {"ctr_met": "yes"}, THREE)
    assert ready() == [(at(1, 8), at(2, 8))]


def test_nothing_is_found_of_somebody_who_has_left(folder: Path) -> None:
    given(folder, ONE, THREE | {"ctr_met": "2025-03-04T08:00Z", "pathway": "2"})
    assert looked() == [(at(3, 8), None, 2, None)]
    assert ready() == []


def test_a_date_alone_on_the_day_of_the_admission_is_the_admission(folder: Path) -> None:
    given(folder, row(ctr_met="2025-03-01"))
    assert ready() == [(at(1, 8), None)]


def test_the_criterion_that_nobody_named_is_offered_to_nobody(folder: Path) -> None:
    given(folder, ONE | {"ctr_met": "1"}, TWO)
    words = CodeSet.objects.get(slug="criteria-imported")
    assert words.valid_until is not None
    assert words.valid_until < at(1).date()
    with pytest.raises(Refused, match="load_codes"):
        review(
            episode=episode(),
            found=Found(criteria=["met-not-said-which"]),
            said=Said(at(20), User.objects.create(username="nurse")),
        )


def test_reviews_are_those_of_a_board_round(folder: Path) -> None:
    """The same said by hand as it happens leaves the same."""
    one, two = ONE | {"edd": "2025-03-05"}, TWO | {"edd": "2025-03-06"}
    given(
        folder,
        one | {"ctr_met": "1"},
        two | {"ctr_met": "2025-03-02T20:00Z"},
        THREE | {"ctr_met": "1", "pathway": "2"},
    )
    by_hand = {"episode": "HAND", "patient": "HAND"}
    CodeSet.objects.update(valid_until=None)
    parts = [one | by_hand, two | by_hand, THREE | by_hand]
    for number, when, found in (
        (1, at(1, 8), Found(criteria=["met-not-said-which"])),
        (2, at(2, 20), Found(criteria=[])),
        (3, at(3, 8), Found(criteria=["met-not-said-which"], pathway=2)),
    ):
        given(folder, *parts[:number])
        review(episode=episode("HAND"), found=found, said=Said(when, None, source="ward"))

    def found_of(number: str) -> list[tuple[Any, ...]]:
        kept = ("id", "key", "source", "recorded_at", "episode")
        names = [f.name for f in Review._meta.concrete_fields if f.name not in kept]
        reviews = Review.objects.filter(episode__visit__number=number).order_by("occurred_at")
        return list(reviews.values_list(*names))

    assert len(found_of("E1")) == 3
    assert found_of("E1") == found_of("HAND")
    periods = dict(Readiness.objects.values_list("episode__visit__number", "period"))
    assert periods["E1"] == periods["HAND"]
    assert (periods["E1"].lower, periods["E1"].upper) == (at(2, 20), at(3, 8))


# -- again -------------------------------------------------------------------------------


FULL = (
    ONE | {"ctr_met": "1", "edd": "2025-03-05"},
    TWO | {"ctr_met": "0", "pathway": "2"},
    THREE,
    row(episode="E2", patient="P2", start="2025-03-02T08:00Z", end="", last=0, ward="W2"),
    row(episode="E3", patient="P1", start="2025-03-09T08:00Z", end="2025-03-10T08:00Z", died=1),
)


def test_a_second_run_changes_nothing(folder: Path) -> None:
    given(folder, *FULL)
    before = everything()
    DirtyWard.objects.all().delete()
    told = given(folder, *reversed(FULL))
    assert told.episodes == {"known_already": 3}
    assert everything() == before
    assert not DirtyWard.objects.exists()


def test_a_longer_file_adds_what_is_new(folder: Path) -> None:
    given(folder, FULL[0] | {"end": ""}, FULL[3])
    assert episode().status == "in_hospital"
    told = given(folder, *FULL)
    assert told.episodes == {"extended": 1, "known_already": 1, "new": 1}
    longer = everything()
    assert episode().discharged_at == at(4, 8)
    assert [ward for ward, _, _ in way()] == ["W1", "W2", "W3"]
    # An older file loaded once more takes nothing away.
    assert given(folder, FULL[0] | {"end": ""}, FULL[3]).episodes == {"known_already": 2}
    assert everything() == longer


def test_a_longer_file_says_when_a_patient_known_before_was_ready(folder: Path) -> None:
    given(folder, ONE | {"ctr_met": "1", "end": ""})
    given(folder, ONE | {"ctr_met": "1"}, TWO | {"ctr_met": "0"})
    assert ready() == [(at(2, 8), None)]
    given(folder, ONE | {"ctr_met": "1"}, TWO | {"ctr_met": "0"}, THREE | {"ctr_met": "1"})
    assert ready() == [(at(2, 8), at(3, 8))]


def test_a_file_that_contradicts_changes_nothing_unless_it_is_to_replace(folder: Path) -> None:
    given(folder, ONE, TWO, THREE)
    before = everything()
    corrected = (ONE | {"end": "2025-03-02T09:00Z"}, THREE | {"start": "2025-03-02T09:00Z"})
    told = given(folder, *corrected)
    assert told.reasons == [(CONTRADICTS, [2, 3])]
    assert [one["line"] for one in rejected(folder / "stays.csv")] == ["2", "3"]
    assert everything() == before
    told = given(folder, *corrected, options=("--replace",))
    assert told.episodes == {"corrected": 1}
    assert way() == [("W1", at(1, 8), at(2, 9)), ("W3", at(2, 9), at(4, 8))]
    assert Episode.objects.count() == 1
    assert given(folder, *corrected).episodes == {"known_already": 1}
    # Corrected history counts as known when it happened, but for an instant.
    cancels = Movement.objects.filter(cancels__isnull=False)
    assert sorted(c.kind for c in cancels) == ["cancelled_transfer", "cancelled_transfer"]
    for one in Movement.objects.all():
        assert one.recorded_at - one.occurred_at < timedelta(seconds=1)


def test_a_correction_can_be_corrected_and_made_longer(folder: Path) -> None:
    given(folder, ONE, TWO)
    given(folder, ONE, TWO | {"ward": "W7"}, options=("--replace",))
    assert given(folder, ONE, TWO | {"ward": "W7"}, THREE).episodes == {"extended": 1}
    assert [ward for ward, _, _ in way()] == ["W1", "W7", "W3"]
    assert episode().discharged_at == at(4, 8)
    given(folder, ONE, TWO, THREE, options=("--replace",))
    assert [ward for ward, _, _ in way()] == ["W1", "W2", "W3"]
    told = given(folder, ONE, TWO, options=("--replace",))  # a discharge that never was
    assert told.episodes == {"corrected": 1}
    assert (episode().status, episode().discharged_at) == ("in_hospital", None)
    assert given(folder, ONE, TWO, options=("--replace",)).episodes == {"known_already": 1}


def test_an_episode_dated_ahead_of_now_can_be_corrected(folder: Path) -> None:
    ahead = f"{timezone.now().year + 2}-03-02"
    given(folder, ONE, TWO | {"start": ahead, "end": ""})
    given(folder, ONE, TWO | {"start": ahead, "end": "", "ward": "W7"}, options=("--replace",))
    assert [ward for ward, _, _ in way()] == ["W1", "W7"]


def test_a_part_of_an_episode_does_not_pass_for_all_of_it(folder: Path) -> None:
    given(folder, ONE, THREE)
    told = given(folder, TWO)
    assert told.reasons == [(CONTRADICTS, [2])]
    assert way() == [("W1", at(1, 8), at(3, 8)), ("W3", at(3, 8), at(4, 8))]


def test_the_file_does_not_undo_what_somebody_did_by_hand(folder: Path) -> None:
    given(folder, ONE | {"end": ""})
    other = Ward.objects.create(site=Site.objects.get(), code="W5", name="W5")
    nurse = User.objects.create(username="nurse")
    transfer(episode=episode(), place=Place(other.pk), at=at(3, 8), by=nurse)
    given(folder, ONE | {"end": "", "ward": "W9"}, options=("--replace",))
    assert way() == [("W9", at(1, 8), at(3, 8)), ("W5", at(3, 8), None)]
    given(folder, ONE | {"ward": "W9"}, TWO)
    assert [ward for ward, _, _ in way()] == ["W9", "W2", "W5"]


def test_what_was_found_of_a_patient_is_not_taken_back(folder: Path) -> None:
    given(folder, row(ctr_met="2025-03-02T08:00Z"))
    told = given(folder, row(ctr_met="2025-03-03T08:00Z"), options=("--replace",))
    assert told.reasons == [(REVIEWED, [2])]
    assert ready() == [(at(2, 8), None)]


def test_refused_rows_are_mended_and_loaded(folder: Path) -> None:
    path = written(folder, ONE, TWO | {"end": "soon", "note": "a, b"}, THREE, FULL[3])
    told = load(path)
    assert told.episodes == {"new": 1}
    assert told.document["rows_refused"] == 3
    again = path.with_name("stays.csv.rejected.csv")
    assert again.stat().st_mode & 0o077 == 0
    assert [(one["line"], one["note"]) for one in rejected(path)] == [
        ("2", ""),
        ("3", "a, b"),
        ("4", ""),
    ]
    assert rejected(path)[0]["reason"].endswith("(line 3)")
    again.write_text(again.read_text().replace("soon", TWO["end"]))
    told = load(again)
    assert told.episodes == {"new": 1}
    assert told.document["columns_ignored"] == ["note"]
    assert [ward for ward, _, _ in way()] == ["W1", "W2", "W3"]


def test_refused_rows_somebody_may_be_mending_are_kept(folder: Path) -> None:
    path = written(folder, ONE | {"end": "soon"}, FULL[3])
    load(path)
    kept = path.with_name("stays.csv.rejected.csv")
    load(path)
    assert not kept.with_name("stays.csv.rejected.csv.old").exists()
    kept.write_text("half mended")
    load(path)
    assert kept.with_name("stays.csv.rejected.csv.old").read_text() == "half mended"
    load(written(folder, FULL[3]))
    assert not kept.exists()


# -- trouble on the way ------------------------------------------------------------------


def many(number: int) -> list[dict[str, str]]:
    return [row(episode=f"E{n}", patient=f"P{n}", ctr_met="0") for n in range(number)]


def test_a_stop_leaves_whole_episodes_and_the_next_run_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stay_import, "_ROWS", 4)
    monkeypatch.setattr(connection, "close", lambda: None)  # it holds the test's transaction
    calls = 0

    def interrupted(*args: Any, **kwargs: Any) -> Recorded:
        nonlocal calls
        calls += 1
        done = keep(*args, **kwargs)
        if calls == 2:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(stay_import, "keep", interrupted)
    with pytest.raises(SystemExit) as stopped:
        given(folder, *many(10))
    assert stopped.value.code == 130
    assert Episode.objects.count() == 4
    assert Review.objects.count() == Readiness.objects.count() == 4
    told = given(folder, *many(10))
    assert told.episodes == {"known_already": 4, "new": 6}
    assert Episode.objects.count() == Readiness.objects.count() == 10


def test_one_episode_that_cannot_be_stored_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(facts: list[Moved], **kwargs: Any) -> Recorded:
        if any(fact.person.value == "P3" for fact in facts):
            raise ArithmeticError("P3 SMITH")
        return keep(facts, **kwargs)

    monkeypatch.setattr(stay_import, "keep", picky)
    told = given(folder, *many(5))
    assert told.episodes == {"new": 4}
    assert told.reasons == [(NOT_STORED, [5])]
    assert [one["episode"] for one in rejected(folder / "stays.csv")] == ["E3"]


def test_a_dry_run_compares_and_writes_nothing(folder: Path) -> None:
    given(folder, FULL[0] | {"end": ""}, FULL[3])
    before = everything()
    told = given(folder, *FULL, row(episode="E9", ward="NEW", end="soon"), options=("--dry-run",))
    assert told.episodes == {"extended": 1, "known_already": 1, "new": 1}
    assert told.document["rows_refused"] == 1
    assert everything() == before
    assert not (folder / "stays.csv.rejected.csv").exists()


def test_the_source_of_every_change_is_told_to_the_audit(folder: Path) -> None:
    given(folder, ONE, TWO)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT pgh_context->>'source' FROM wards_occupancyevent")
        assert cursor.fetchall() == [(SOURCE,)]
