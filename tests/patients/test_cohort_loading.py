"""The starter set that comes with the software, and a trust's own cohorts and neighbourhoods."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organisation, Team
from accounts.refusals import Refused
from flow.cohorts.wording import words_of
from patients.cohort_loading import built_in, load_cohorts
from patients.cohorts import mistakes
from patients.models import Cohort, HomeArea, Neighbourhood

pytestmark = pytest.mark.django_db

OURS = """
neighbourhoods:
  - {slug: north, name: North, organisation: RXX, team: NT, practices: [P1], postcodes: [qz1]}
  - {slug: south, name: South, organisation: RXX, team: ST, postcodes: ["QZ1 4"]}
cohorts:
  - slug: ours
    title: Ours
    source: Local
    organisation: RXX
    who: {age_from: 75, area: [north]}
    risk:
      source: Local
      drivers: [{label: Frail, points: 2, who: {frailty_from: 6}}]
      bands: [{name: Lower, from: 0}, {name: High, from: 2}]
"""


@pytest.fixture
def teams() -> None:
    body = Organisation.objects.create(code="RXX", name="Trust", kind="trust")
    for code in ("NT", "ST"):
        Team.objects.create(organisation=body, code=code, name=f"Team {code}", kind="neighbourhood")


@pytest.fixture
def file(tmp_path: Path, teams: None) -> Path:
    written = tmp_path / "ours.yaml"
    written.write_text(OURS)
    return written


def test_the_starter_set_loads_again_without_a_change_and_names_its_sources() -> None:
    [done] = load_cohorts(built_in())
    assert len(done.new) == Cohort.objects.count() >= 8
    [again] = load_cohorts(built_in())
    assert (again.new, again.changed, again.gone) == ([], [], [])
    for cohort in Cohort.objects.all():
        assert cohort.source
        assert mistakes(cohort.who) == []
        assert bool(cohort.bands) == bool(cohort.scale_source)


def test_criteria_are_told_in_words() -> None:
    load_cohorts(built_in())
    cohorts = list(Cohort.objects.all())
    words = words_of(cohorts, {})
    frail = next(c for c in cohorts if c.slug == "older-people-with-frailty")
    assert words[frail.pk] == ["aged 65 or over", "Clinical Frailty Scale 5 or more"]
    homes = next(c for c in cohorts if c.slug == "care-home-residents")
    assert words[homes.pk] == ["usually living in: care home"]


def test_neighbourhoods_are_made_equal_to_the_file(file: Path) -> None:
    load_cohorts([file])
    assert set(HomeArea.objects.values_list("neighbourhood__slug", "is_practice", "code")) == {
        ("north", True, "P1"),
        ("north", False, "QZ1"),
        ("south", False, "QZ1 4"),
    }
    file.write_text(OURS.replace("practices: [P1], ", "").replace('"QZ1 4"', '"QZ1 4", QZ9'))
    [done] = load_cohorts([file])
    assert (done.changed, done.same) == (["north", "south"], ["ours"])
    assert not HomeArea.objects.filter(code="P1").exists()
    file.write_text(OURS.replace("{slug: south, name: South", "{slug: west, name: West"))
    [done] = load_cohorts([file])
    assert (done.new, done.gone) == (["west"], ["south"])
    assert HomeArea.objects.get(code="QZ1 4").neighbourhood.slug == "west"


def test_a_practice_may_change_hands(file: Path) -> None:
    load_cohorts([file])
    without = OURS.replace("practices: [P1], ", "")
    file.write_text(without.replace("team: ST, ", "team: ST, practices: [P1], "))
    load_cohorts([file])
    assert HomeArea.objects.get(code="P1").neighbourhood.slug == "south"


def test_a_scale_is_read_lowest_band_first(file: Path) -> None:
    file.write_text(
        OURS.replace(
            "[{name: Lower, from: 0}, {name: High, from: 2}]",
            "[{name: High, from: 2}, {name: Lower, from: 0}]",
        )
    )
    load_cohorts([file])
    scale = Cohort.objects.get(slug="ours").scale
    assert [band.name for band in scale.bands] == ["Lower", "High"]
    assert scale.drivers[0].who == {"frailty_from": 6}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (OURS.replace("age_from: 75", "age_from: old"), "age_from: give a whole number"),
        (OURS.replace("age_from: 75", "height: 75"), "no criterion “height”"),
        (OURS.replace("frailty_from: 6", "frailty_from: 60"), "from 1 to 9"),
        (OURS.replace("team: ST", "team: XX"), "no team XX of RXX"),
        (OURS.replace("organisation: RXX\n", "organisation: RZZ\n"), "no organisation RZZ"),
        (OURS.replace('"QZ1 4"', "QZ1"), "claimed by north and by south"),
        (OURS.replace("qz1", "Northmoor"), "no postcode district"),
        (OURS.replace("slug: south", "slug: north"), "“north” stands here twice"),
        (OURS.replace("name: High, from: 2", "name: High, from: 0"), "same points"),
        (OURS.replace("    source: Local\n    organisation", "    organisation"), "source: "),
        ("cohorts: []", "Give cohorts or neighbourhoods"),
        ("slug: [", "not YAML"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_loaded(file: Path, wrong: str, said: str) -> None:
    file.write_text(wrong)
    with pytest.raises(Refused) as refused:
        load_cohorts([file])
    assert said in refused.value.reason
    assert not Cohort.objects.exists()
    assert not Neighbourhood.objects.exists()


def test_the_command_says_what_it_did(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_cohorts", "--dry-run", str(file))
    told = capsys.readouterr().out
    assert "new: north, south, ours" in told
    assert "nothing was written" in told
    assert not Cohort.objects.exists()
    call_command("load_cohorts")
    assert "older-people-with-frailty" in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_cohorts", "/nowhere.yaml")
