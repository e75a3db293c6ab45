"""Loading places: what is written, kept, withdrawn and refused, and what the command tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.access import access_version
from accounts.models import Organisation, Team
from accounts.refusals import Refused
from live.doorbell import version
from patients.models import Episode, EscalationStep, Patient, Visit
from wards import place_loading
from wards.bed_states import close, states_at
from wards.models import Bay, Bed, Closure, DirtyWard, Occupancy, Site, Ward
from wards.place_entries import FileMistaken
from wards.place_loading import load_places
from wards.place_plan import Plan, Since
from wards.place_report import report

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)

HOSPITAL = """\
organisations:
  - {code: TRU, name: Trust, kind: trust, parent: ICB}
  - {code: ICB, name: Care Board, kind: icb}
teams:
  - {organisation: TRU, code: PHARM, name: Pharmacy}
sites:
  - code: GEN
    name: General
    kind: acute
    organisation: TRU
    wards:
      - code: W1
        name: Ward 1
        kind: inpatient
        specialty: respiratory
        bays:
          - {code: A, name: Bay A, sex: female, beds: 3, features: [oxygen]}
          - {code: E, beds: 2, funding: escalation}
        beds: [chair]
      - {code: V, name: Virtual, kind: virtual, beds: 2}
"""


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    path = tmp_path / "hospital.yaml"
    path.write_text(HOSPITAL)
    return path


def edited(path: Path, *changes: tuple[str, str]) -> Path:
    """The hospital's file with every change made to its text."""
    text = HOSPITAL
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    return path


def everything() -> dict[str, list[dict[str, Any]]]:
    """All places with all fields."""
    models: tuple[type[Model], ...] = (Organisation, Team, Site, Ward, Bay, Bed, Closure)
    return {m.__name__: list(m._default_manager.order_by("pk").values()) for m in models}


def mistakes_of(path: Path) -> list[str]:
    with pytest.raises(FileMistaken) as caught:
        load_places(path, at=NOON)
    return [str(mistake) for mistake in caught.value.mistakes]


def numbers(plan: Plan) -> list[tuple[int, int, int]]:
    return [(len(lv.new), len(lv.changed), len(lv.missing)) for lv in plan.levels()]


def test_a_hospital_is_loaded_as_it_is_written(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    trust = Organisation.objects.get(code="TRU")
    assert (trust.kind, trust.parent) == ("trust", Organisation.objects.get(code="ICB"))
    assert Team.objects.get().organisation == trust
    ward = Ward.objects.get(site__code="GEN", code="W1")
    assert (ward.name, ward.kind, ward.specialty, ward.sex) == (
        "Ward 1", "inpatient", "respiratory", "any",
    )  # fmt: skip
    assert ward.site.organisation == trust
    beds = Bed.objects.filter(ward=ward).select_related("bay")
    assert [
        (b.bay.code if b.bay else "", b.label, b.kind, b.funding, b.features, b.in_use)
        for b in beds
    ] == [
        ("A", "1", "bed", "core", ["oxygen"], None),
        ("A", "2", "bed", "core", ["oxygen"], None),
        ("A", "3", "bed", "core", ["oxygen"], None),
        ("E", "4", "bed", "escalation", [], None),
        ("E", "5", "bed", "escalation", [], None),
        ("", "chair", "bed", "core", [], None),
    ]
    assert {b.kind for b in Bed.objects.filter(ward__code="V")} == {"place"}


def test_a_second_load_has_nothing_to_change_and_writes_nothing(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    before = everything()
    DirtyWard.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        plan = load_places(hospital, at=NOON + DAY)
    assert plan.is_empty
    assert everything() == before
    assert not DirtyWard.objects.exists()
    assert not [q for q in captured if "INSERT" in q["sql"] or "UPDATE" in q["sql"]]


def test_a_dry_run_tells_the_same_and_writes_nothing(hospital: Path) -> None:
    dry = load_places(hospital, at=NOON, dry_run=True)
    assert not Organisation.objects.exists()
    assert numbers(dry) == numbers(load_places(hospital, at=NOON))
    before = everything()
    edited(hospital, ("beds: 3", "beds: 2"), ("name: Ward 1", "name: Ward One"))
    dry = load_places(hospital, at=NOON, dry_run=True, withdraw=True)
    assert everything() == before
    real = load_places(hospital, at=NOON, withdraw=True)
    assert numbers(dry) == numbers(real)
    assert [lv.notes for lv in dry.levels()] == [lv.notes for lv in real.levels()]


def test_a_load_rings_the_wards_and_the_rights(
    hospital: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    load_places(hospital, at=NOON)
    DirtyWard.objects.all().delete()
    names = [f"ward:{pk}" for pk in Ward.objects.values_list("pk", flat=True)]
    before, rights = [version(name) for name in names], access_version()
    edited(hospital, ("name: Bay A", "name: Bay Able"))
    with django_capture_on_commit_callbacks(execute=True):
        load_places(hospital, at=NOON)
    assert DirtyWard.objects.count() == 2
    assert all(version(name) != old for name, old in zip(names, before, strict=True))
    assert access_version() != rights


def test_changes_are_made_and_told(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    edited(
        hospital,
        ("kind: trust, parent: ICB", "kind: community, parent: ''"),
        ("name: Pharmacy", "name: Medicines"),
        ("name: General", "name: General Hospital"),
        ("specialty: respiratory", "specialty: cardiology"),
        ("sex: female", "sex: male"),
        ("features: [oxygen]", "features: [telemetry, oxygen]"),
        ("beds: [chair]", "beds: [{label: chair, kind: chair}]"),
    )
    plan = load_places(hospital, at=NOON)
    notes = {f"{lv.noun} {key[-1]}": told for lv in plan.levels() for key, told in lv.notes.items()}
    assert notes == {
        "organisation TRU": ["kind: trust → community", "parent: ICB → none"],
        "team PHARM": ["name: Pharmacy → Medicines"],
        "site GEN": ["name: General → General Hospital"],
        "ward W1": ["specialty: respiratory → cardiology"],
        "bay A": ["sex: female → male"],
        "bed 1": ["features: oxygen → oxygen, telemetry"],
        "bed 2": ["features: oxygen → oxygen, telemetry"],
        "bed 3": ["features: oxygen → oxygen, telemetry"],
        "bed chair": ["kind: bed → chair"],
    }
    assert Organisation.objects.get(code="TRU").parent is None
    assert Bed.objects.get(label="chair").kind == "chair"
    assert load_places(hospital, at=NOON).is_empty


def test_what_the_file_does_not_say_is_kept(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    edited(
        hospital,
        ("    kind: acute\n", ""),
        ("        specialty: respiratory\n", ""),
        (", sex: female, beds: 3, features: [oxygen]", ", beds: 3"),
        (", kind: trust, parent: ICB", ""),
    )
    assert load_places(hospital, at=NOON).is_empty
    edited(
        hospital,
        ("specialty: respiratory", "specialty:"),
        ("features: [oxygen]", "features: []"),
    )
    load_places(hospital, at=NOON)
    assert Ward.objects.get(code="W1").specialty == ""
    assert Bed.objects.get(ward__code="W1", label="1").features == []


def test_a_new_bed_of_an_old_ward_exists_from_now_and_of_a_new_ward_always(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    edited(
        hospital,
        ("beds: [chair]", "beds: [chair, sofa]"),
        ("- {code: V,", "- {code: NEW, name: New, beds: 1}\n      - {code: V,"),
    )
    load_places(hospital, at=NOON)
    assert Bed.objects.get(label="sofa").in_use == DateTimeTZRange(NOON, None)
    assert Bed.objects.get(ward__code="NEW").in_use is None


@pytest.mark.parametrize(("since", "in_use"), [(None, None), (NOON - DAY, (NOON - DAY, None))])
def test_one_can_say_since_when_new_beds_exist(
    hospital: Path, since: datetime | None, in_use: tuple[datetime, None] | None
) -> None:
    load_places(hospital, at=NOON)
    edited(hospital, ("beds: [chair]", "beds: [chair, sofa]"))
    load_places(hospital, at=NOON, since=Since(since))
    expected = None if in_use is None else DateTimeTZRange(*in_use)
    assert Bed.objects.get(label="sofa").in_use == expected


FEWER = (
    ("beds: 3, features", "beds: 1, features"),
    ("      - {code: V, name: Virtual, kind: virtual, beds: 2}\n", ""),
    ("code: PHARM, name: Pharmacy", "code: X, name: X"),
)  # fmt: skip


def test_what_the_file_leaves_out_is_told_and_kept(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    edited(hospital, *FEWER[:1])
    plan = load_places(hospital, at=NOON)
    # The escalation bay's beds are numbered on, so they have become 2 and 3.
    assert set(plan.beds.missing) == {
        ("GEN", "W1", "A", "2"), ("GEN", "W1", "A", "3"),
        ("GEN", "W1", "E", "4"), ("GEN", "W1", "E", "5"),
    }  # fmt: skip
    assert all(bed.in_use is None for bed in Bed.objects.filter(label__in="12345", bay__code="A"))
    edited(hospital, *FEWER)
    plan = load_places(hospital, at=NOON)
    assert list(plan.wards.missing) == [("GEN", "V")]
    assert list(plan.teams.missing) == [("TRU", "PHARM")]


def test_places_the_file_does_not_speak_of_are_not_missing(hospital: Path, tmp_path: Path) -> None:
    load_places(hospital, at=NOON)
    other = tmp_path / "other.yaml"
    other.write_text(
        "sites: [{code: OTH, name: Other, organisation: TRU, "
        "wards: [{code: O1, name: O, beds: 1}]}]"
    )
    plan = load_places(other, at=NOON, withdraw=True)
    assert not any(level.missing for level in plan.levels())
    assert not plan.withdrawn


def in_use(label: str, at: datetime, ward: str = "W1") -> bool:
    bed = Bed.objects.get(ward__code=ward, label=label)
    (state,) = [s for s in states_at(at=at) if s.bed == bed.pk]
    return state.in_use


def test_withdrawn_beds_end_and_never_go(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    before = Bed.objects.count()
    edited(hospital, FEWER[1], ("beds: [chair]", "beds: []"))
    plan = load_places(hospital, at=NOON + DAY, withdraw=True)
    assert {key[-1] for key in plan.withdrawn} == {"chair", "1", "2"}
    assert Bed.objects.count() == before
    assert in_use("chair", NOON + DAY - timedelta(seconds=1))
    assert not in_use("chair", NOON + DAY)
    assert not in_use("1", NOON + DAY, ward="V")
    assert in_use("1", NOON + DAY)
    again = load_places(hospital, at=NOON + 2 * DAY, withdraw=True)
    assert again.is_empty
    assert not again.beds.missing


def test_a_bed_withdrawn_before_it_began_was_never_there(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    edited(hospital, ("beds: [chair]", "beds: [chair, sofa]"))
    load_places(hospital, at=NOON, since=Since(NOON + 5 * DAY))
    load_places(edited(hospital), at=NOON + DAY, withdraw=True)
    assert not any(in_use("sofa", NOON + n * DAY) for n in range(9))
    edited(hospital, ("beds: [chair]", "beds: [chair, sofa]"))
    load_places(hospital, at=NOON + 2 * DAY)
    assert [in_use("sofa", NOON + n * DAY) for n in range(4)] == [False, False, True, True]


def test_a_bed_that_comes_back_was_closed_in_between(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    bed = Bed.objects.get(label="chair")
    edited(hospital, ("beds: [chair]", "beds: []"))
    load_places(hospital, at=NOON + 2 * DAY, withdraw=True)
    close(
        bed=bed.pk, reason="estates", since=NOON + DAY, until=NOON + 3 * DAY, by=None
    )  # known before it was withdrawn, and longer
    plan = load_places(edited(hospital), at=NOON + 9 * DAY)
    assert plan.beds.notes == {("GEN", "W1", "", "chair"): ["in use again"]}

    def seen(day: int) -> tuple[bool, str]:
        (state,) = [s for s in states_at(at=NOON + day * DAY) if s.bed == bed.pk]
        return state.in_use, state.closure_reason

    assert [seen(day) for day in (0, 1, 2, 3, 8, 9)] == [
        (True, ""), (True, "estates"), (True, "estates"), (True, "other"), (True, "other"),
        (True, ""),
    ]  # fmt: skip
    assert load_places(hospital, at=NOON + 10 * DAY).is_empty


def put_into(bed: Bed, since: datetime, until: datetime | None) -> None:
    patient = Patient.objects.create(authority="T", identifier=f"{bed.pk}")
    visit = Visit.objects.create(authority="T", number=f"{bed.pk}", patient=patient)
    episode = Episode.objects.create(
        visit=visit, patient=patient, status="in_hospital", admitted_at=since
    )
    Occupancy.objects.create(
        episode=episode, person=patient, ward=bed.ward, bay=bed.bay, bed=bed, wanted_bed=bed,
        period=DateTimeTZRange(since, until), claim_start=since, claim_key="k",
    )  # fmt: skip


def test_a_bed_with_a_patient_is_not_withdrawn_and_nothing_else_is_loaded(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    put_into(Bed.objects.get(label="chair"), NOON - DAY, None)
    put_into(Bed.objects.get(ward__code="W1", label="5"), NOON - DAY, NOON)
    before = everything()
    edited(hospital, ("beds: [chair]", "beds: [sofa]"), ("code: E, beds: 2", "code: E, beds: 1"))
    with pytest.raises(Refused, match="A patient lies in site GEN, ward W1, bed chair"):
        load_places(hospital, at=NOON, withdraw=True)
    assert everything() == before
    load_places(hospital, at=NOON)
    edited(
        hospital, ("code: E, beds: 2", "code: E, beds: 1"), ("beds: [chair]", "beds: [chair, sofa]")
    )
    load_places(hospital, at=NOON, withdraw=True)
    assert not in_use("5", NOON)


def test_what_a_feed_had_found_becomes_recognised(hospital: Path) -> None:
    unknown = Organisation.objects.create(code="ICB", name="ICB")
    site = Site.objects.create(
        code="GEN", name="GEN", kind=Site.Kind.UNRECOGNISED, organisation=unknown
    )
    ward = Ward.objects.create(site=site, code="W1", name="W1", kind=Ward.Kind.UNRECOGNISED)
    bay = Bay.objects.create(ward=ward, code="A")
    Bed.objects.create(ward=ward, bay=bay, label="2", is_recognised=False)
    stray = Bed.objects.create(ward=ward, bay=bay, label="99", is_recognised=False)
    Ward.objects.create(site=site, code="ODD", name="ODD", kind=Ward.Kind.UNRECOGNISED)
    plan = load_places(hospital, at=NOON, withdraw=True)
    ward.refresh_from_db()
    assert (ward.kind, ward.name) == ("inpatient", "Ward 1")
    assert Site.objects.get().kind == "acute"
    assert plan.beds.notes["GEN", "W1", "A", "2"][-1] == "recognised"
    assert not plan.wards.missing
    assert not plan.beds.missing
    stray.refresh_from_db()
    assert (stray.is_recognised, stray.in_use) == (False, None)
    # The ward had no recognised bed before, so its beds have always been there.
    assert not Bed.objects.exclude(in_use=None).exists()


def test_an_alias_is_not_described(hospital: Path) -> None:
    load_places(hospital, at=NOON)
    real, alias = Ward.objects.get(code="W1"), Ward.objects.get(code="V")
    Ward.objects.filter(pk=alias.pk).update(same_as=real)
    one, two = Bed.objects.filter(ward=real, label__in=["1", "2"])
    Bed.objects.filter(pk=two.pk).update(same_as=one)
    assert mistakes_of(hospital) == [
        "line 17, site GEN, ward W1, bay A, bed 2: was recognised as another name for bed 1; "
        "describe that bed instead, or undo the mapping first.",
        "line 20, site GEN, ward V: was recognised as another name for ward W1; "
        "describe that ward instead, or undo the mapping first.",
    ]


def test_unknown_parents_and_rings_are_told_with_everything_else(hospital: Path) -> None:
    edited(
        hospital,
        ("kind: trust, parent: ICB", "kind: trust, parent: NOWHERE"),
        ("code: ICB, name: Care Board, kind: icb", "code: ICB, name: B, kind: icb, parent: ICB"),
        ("organisation: TRU, code: PHARM", "organisation: PHA, code: PHARM"),
        ("    organisation: TRU\n", "    organisation: TRV\n"),
        ("kind: inpatient", "kind: inn"),
    )
    found = mistakes_of(hospital)
    assert [line.split(":")[0] for line in found] == [
        "line 2, organisation TRU",
        "line 3, organisation ICB",
        "line 5, organisation PHA, team PHARM",
        "line 7, site GEN",
        "line 14, site GEN, ward W1",
    ]
    assert "there is no organisation “NOWHERE”, neither in this file nor loaded" in found[0]
    assert "is above itself" in found[1]
    assert not Organisation.objects.exists()


def test_a_ring_that_closes_over_what_is_there_is_found(hospital: Path, tmp_path: Path) -> None:
    load_places(hospital, at=NOON)
    ring = tmp_path / "ring.yaml"
    ring.write_text("organisations: [{code: ICB, name: B, parent: TRU}]")
    assert "organisation ICB: is above itself" in mistakes_of(ring)[0]


def test_a_sheet_loads_what_the_yaml_loads(hospital: Path, tmp_path: Path) -> None:
    load_places(hospital, at=NOON)
    sheet = tmp_path / "hospital.csv"
    head = (
        "organisation;parent;site;ward;ward_name;ward_kind;specialty;bay;bay_sex;"
        "bed;funding;features\n"
    )
    rows = [f"TRU;ICB;GEN;W1;Ward 1;inpatient;respiratory;A;female;{n};;oxygen" for n in (1, 2, 3)]
    rows += [f"TRU;ICB;GEN;W1;;;;E;;{n};escalation;" for n in (4, 5)]
    rows += ["TRU;ICB;GEN;W1;;;;;;chair;;"]
    rows += [f"TRU;ICB;GEN;V;Virtual;virtual;;;;{n};;" for n in (1, 2)]
    sheet.write_bytes("\ufeff".encode() + (head + "\r\n".join(rows)).encode())
    plan = load_places(sheet, at=NOON)
    assert plan.is_empty, [lv.notes for lv in plan.levels()]
    sheet.write_text((head + "\n".join(rows)).replace("oxygen", ""))
    load_places(sheet, at=NOON)
    assert Bed.objects.get(ward__code="W1", label="1").features == []


def test_a_place_added_by_somebody_else_meanwhile_stops_the_load(
    hospital: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clash(plan: Plan) -> None:
        raise IntegrityError

    monkeypatch.setattr(place_loading, "_write", clash)
    with pytest.raises(Refused, match="run it again"):
        load_places(hospital, at=NOON)


def test_the_number_of_queries_does_not_grow_with_the_hospital(tmp_path: Path) -> None:
    def queries(wards: int, name: str) -> int:
        path = tmp_path / f"{name}.yaml"
        described = ", ".join(
            f"{{code: W{n}, name: W, bays: [{{code: A, beds: 20}}], beds: 10}}"
            for n in range(wards)
        )
        path.write_text(
            f"organisations: [{{code: {name}, name: O}}]\n"
            f"sites: [{{code: {name}, name: S, organisation: {name}, wards: [{described}]}}]"
        )
        with CaptureQueriesContext(connection) as captured:
            load_places(path, at=NOON)
        assert Bed.objects.filter(ward__site__code=name).count() == wards * 30
        return len(captured)

    assert queries(40, "MANY") == queries(1, "ONE") < 25


def command(*arguments: str | Path) -> str:
    out = StringIO()
    call_command("load_places", *map(str, arguments), stdout=out)
    return out.getvalue()


def ladder() -> list[tuple[int, int, str]]:
    steps = EscalationStep.objects.filter(organisation__code="TRU")
    return list(steps.values_list("level", "after_hours", "title"))


def test_a_ladder_is_loaded_changed_kept_and_taken_away(hospital: Path) -> None:
    steps = (
        "    escalation: [{after_hours: 0, title: Ward manager}, {after_hours: 24, title: Head}]\n"
    )
    trust = "  - {code: TRU, name: Trust, kind: trust, parent: ICB}\n"
    written = "  - code: TRU\n    name: Trust\n    kind: trust\n    parent: ICB\n"

    def loaded(escalation: str) -> Plan:
        hospital.write_text(HOSPITAL.replace(trust, written + escalation))
        return load_places(hospital, at=NOON)

    loaded(steps)
    assert ladder() == [(1, 0, "Ward manager"), (2, 24, "Head")]
    assert loaded(steps).is_empty
    assert loaded("").is_empty, "a file that says nothing of a ladder keeps it"
    loaded(steps.replace("24", "48"))
    assert ladder() == [(1, 0, "Ward manager"), (2, 48, "Head")]
    plan = loaded(steps.replace(", {after_hours: 24, title: Head}", ""))
    assert not plan.is_empty
    assert "  escalation step TRU / 2" in report(plan)
    assert ladder() == [(1, 0, "Ward manager")]
    loaded("    escalation: []\n")
    assert ladder() == []


def test_the_command_tells_what_it_does(hospital: Path) -> None:
    told = command(hospital, "--dry-run")
    assert "ward GEN / W1, Ward 1: 6 beds" in told
    assert told.endswith("Dry run: nothing was written.\n")
    assert not Ward.objects.exists()
    assert "beds                    8        8        0        0        0" in command(hospital)
    assert "Nothing to change." in command(hospital)
    edited(hospital, ("beds: [chair]", "beds: [sofa, {label: bench}]"))
    told = command(hospital)
    assert "New:\n  ward GEN / W1: 2 beds\n" in told
    assert "Not in the file, kept:\n  ward GEN / W1: 1 bed\n" in told
    assert "load the file with --withdraw" in told
    assert "Withdrawn:\n  ward GEN / W1: 1 bed\n" in command(hospital, "--withdraw")
    edited(hospital, ("beds: [chair]", "beds: [bench, sofa]"), ("sex: female", "sex: male"))
    told = command(hospital, "--dry-run")
    assert "Changed:\n  bay GEN / W1 / A: sex: female → male\n  2 beds moved in order\n" in told
    assert "bed GEN / W1 / bench: moved in order" in command(hospital, "-v", "2")


def test_the_command_tells_every_mistake(hospital: Path) -> None:
    edited(hospital, ("kind: virtual", "kind: virtuous"), ("beds: 3", "beds: many"))
    with pytest.raises(CommandError) as caught:
        command(hospital)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("hospital.yaml: 2 mistakes; nothing was loaded.")
    assert lines[1].startswith("  line 17, site GEN, ward W1, bay A: beds “many” is not a number")
    assert lines[2].startswith("  line 20, site GEN, ward V: kind “virtuous” is not known")


def test_hundreds_of_mistakes_are_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("organisations:\n" + "- {}\n" * 300)
    with pytest.raises(CommandError, match=r"600 mistakes(.|\n)*… and 500 more$"):
        command(path)


@pytest.mark.parametrize(
    ("when", "in_use"),
    [
        ("always", None),
        ("2026-11-02", datetime(2026, 11, 2, tzinfo=UTC)),
        ("2026-07-02T08:00", datetime(2026, 7, 2, 7, tzinfo=UTC)),
        ("2026-07-02T08:00Z", datetime(2026, 7, 2, 8, tzinfo=UTC)),
    ],
)
def test_the_command_takes_a_time_of_day_here(
    hospital: Path, when: str, in_use: datetime | None
) -> None:
    command(hospital)
    edited(hospital, ("beds: [chair]", "beds: [chair, sofa]"))
    command(hospital, "--since", when)
    used = Bed.objects.get(label="sofa").in_use
    assert (used and used.lower) == in_use


@pytest.mark.parametrize("when", ["soon", "2026-13-01", "08:00"])
def test_the_command_refuses_a_time_that_is_none(hospital: Path, when: str) -> None:
    with pytest.raises(CommandError, match="--since takes a date, a time or “always”"):
        command(hospital, "--since", when)


def test_northmoor_loads() -> None:
    path = Path(__file__).parents[2] / "simulation" / "northmoor.yaml"
    plan = load_places(path, at=NOON)
    assert len(plan.beds.new) > 1000
    assert load_places(path, at=NOON).is_empty
