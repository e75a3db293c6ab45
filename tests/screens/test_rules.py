"""The page of the rules: whose book, in which words, which version, and counts alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from patients.models import Episode
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user
from wards.models import Movement, Override, RuleBook, Ward, WardLimits
from wards.rule_files import RuleFile, read_rules_text
from wards.rule_loading import load_rules
from wards.rule_writing import written
from wards.suitability.defaults import EXAMPLE

BASE = written(RuleFile(book=EXAMPLE))
MINE = BASE.replace(EXAMPLE.name, "Ours")


def load(hospital: Hospital, text: str = MINE, *, ago: float = 0, own: bool = False) -> None:
    load_rules(
        read_rules_text(text),
        site=hospital.site if own else None,
        at=hospital.now - timedelta(days=ago),
        by=User.objects.filter(username="matron").first(),
    )


def text(client: Client, address: str = "/rules/") -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content[:300]
    return re.sub(r"\s+", " ", response.content.decode())


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def rule(page: str, code: str) -> str:
    """A rule's row, in words."""
    start = page.index(f'<li id="{code}">')
    return words(page[start : page.index("</li>", start)])


def override(
    hospital: Hospital, code: str, *, breach: str = "", ago: float = 1, ward: int = 0
) -> None:
    bed = hospital.beds(hospital.wards[ward])[0]
    movement = Movement.objects.order_by("pk").last()
    assert movement is not None
    Override.objects.create(
        episode=Episode.objects.order_by("pk")[0],
        bed=bed,
        book=RuleBook.objects.first(),
        rule=code,
        said=f"{FAMILY} said",
        breach=breach,
        deed=Override.Deed.MOVE,
        reason=f"{FAMILY} agreed",
        occurred_at=hospital.now - timedelta(days=ago),
        by=User.objects.get(username="manager"),
        movement=movement,
    )


def test_without_rules_the_page_says_how_to_begin_and_which_facts_hold(
    observer: Client, hospital: Hospital
) -> None:
    page = text(observer)
    assert "Nobody has given any rules" in page
    assert "manage.py write_rules" in page
    assert "Refuses" in rule(page, "closed")
    assert 'id="bay_sex"' not in page


def test_each_rule_stands_in_plain_words(observer: Client, hospital: Hospital) -> None:
    load(hospital)
    page = text(observer)
    sex = rule(page, "bay_sex")
    assert "Refuses" in sex
    assert "May be set aside" in sex
    assert "Counts as mixed-sex breach" in sex
    assert "Not on: Care home places, Critical care" in sex
    assert "Delivering same-sex accommodation (2019; under review since April 2025)" in sex
    assert "Groups: F, M" in sex
    assert "May not be set aside" in rule(page, "bariatric")
    assert "Costs 25" in rule(page, "escalation")
    kinds = rule(page, "place_kind")
    assert kinds.index("Emergency admission") < kinds.index("Elective") < kinds.index("Expected")
    assert "set aside" not in rule(page, "closed"), "of a fact it goes without saying"
    assert "{bed}" not in page
    assert "bed manager, site manager, administrator" in words(page)
    assert 'class="banner is-example"' not in page


def test_a_book_that_calls_itself_an_example_is_marked(
    observer: Client, hospital: Hospital
) -> None:
    load(hospital, BASE)
    assert "This book calls itself an example." in text(observer)


def test_which_ward_takes_whom_and_what_each_can_hold(observer: Client, hospital: Hospital) -> None:
    Ward.objects.filter(pk=hospital.wards[1].pk).update(specialty="elective_orthopaedics")
    load(hospital, MINE + "\n  - {ward: TGH-W1, never: [renal]}\n  - {ward: TGH-W1, "
         "outliers: [any], cost: 77}\nlimits:\n  - {ward: TGH-W1, most_patients: 0, "
         "patients_per_nurse: 6.5, oldest: 70}\n")  # fmt: skip
    page = text(observer, f"/rules/?site={hospital.site.code}")
    table = page[page.index('class="grid is-small takers"') :]
    heads = [words(one).strip() for one in re.findall(r'class="turned">(.*?)</th>', table)]
    assert heads[-1] == "Any other"

    def cell(ward: str, specialty: str) -> str:
        row = table[table.index(f'<th scope="row">{ward}</th>') :]
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row[: row.index("</tr>")])
        assert len(cells) == len(heads)
        return words(cells[heads.index(specialty)]).strip()

    assert cell("Ward 1", "Renal") == "✕ never"
    assert cell("Ward 1", "Acute medicine") == "77", "a line about the ward goes before others"
    assert cell("Ward 2", "Elective orthopaedics") == "✓ takes"
    assert cell("Ward 1", "Urology") == "77"
    assert cell("Ward 1", "Any other") == "77"
    assert cell("Ward 2", "Acute surgery") == "✕ never"
    assert cell("Ward 2", "Any other") == "40"
    assert "Emergency Department</th>" not in table[: table.index("</table>")]
    limits = words(page[page.index('id="limits-title"') :])
    assert "Ward 1 0 – 6.5 – – 0 to 70 –" in limits


def test_a_nurse_is_told_of_her_own_ward_alone(nurse: Client, hospital: Hospital) -> None:
    load(hospital)
    for ward in hospital.wards:
        WardLimits.objects.create(ward=ward, most_patients=9)
    page = text(nurse)
    assert '<th scope="row">Ward 1' in page
    assert '<th scope="row">Ward 2' not in page


def test_what_was_set_aside_is_counted_and_nobody_is_named(
    observer: Client, manager: Client, nurse: Client, hospital: Hospital
) -> None:
    load(hospital)
    override(hospital, "bay_sex", breach="mixed_sex")
    override(hospital, "bay_sex", breach="mixed_sex", ago=10)
    override(hospital, "side_room_kept", ago=27, ward=1)
    override(hospital, "side_room_kept", ago=29)
    page = text(observer)
    assert "Set aside 1 in 7 days, 2 in 28" in rule(page, "bay_sex")
    assert "Set aside 0 in 7 days, 1 in 28" in rule(page, "side_room_kept")
    said = words(page)
    assert "Set aside in 7 days 1 Set aside in 28 days 3" in said
    assert "Mixed-sex breach 1 in 7 days, 2 in 28" in said
    assert FAMILY not in page
    assert "Set aside in 28 days 2" in words(text(nurse)), "of her own ward"
    elsewhere = build(code="OTH")
    assert "Set aside in 28 days 0" in words(text(observer, f"/rules/?site={elsewhere.site.code}"))


def test_versions_are_listed_and_compared(observer: Client, hospital: Hospital) -> None:
    User.objects.create_user("matron", password="x", first_name="Mary", last_name="Seacole")
    load(hospital, ago=30)
    load(hospital, "note: After the audit\n" + MINE.replace("costs: 60\n", "costs: 75\n", 1), ago=9)
    last = MINE[: MINE.index("  - code: telemetry")] + MINE[MINE.index("  - code: bariatric") :]
    load(hospital, last, ago=2)
    page = text(observer)
    said = words(page)
    assert "Version 3 in force" in said
    assert "Loaded by Mary Seacole" in said
    assert "in 3 since 2" in said
    assert "Removed No telemetry telemetry" in said
    assert "Changed Kept for elective patients ring_fence : costs 60, was: costs 75" in said
    second = words(text(observer, "/rules/?version=2"))
    assert "The past: version 2 held until" in second
    assert "After the audit" in second
    assert "costs 75, was: costs 60" in second
    both = words(text(observer, "/rules/?version=3&against=1"))
    assert "in 3 since 1" in both
    assert "ring_fence : costs" not in both
    assert "Nothing came before it." in words(text(observer, "/rules/?version=1"))
    for wrong in ("?version=9", "?version=x", "?version=3&against=9", "?version=-1"):
        assert observer.get(f"/rules/{wrong}").status_code == 404


def test_a_site_with_its_own_book_shows_that_one(observer: Client, hospital: Hospital) -> None:
    other = build(code="OTH")
    load(hospital, ago=3)
    load(hospital, MINE.replace("Ours", "Only here"), ago=2, own=True)
    address = f"/rules/?site={hospital.site.code}"
    assert "Only here" in text(observer, address)
    assert "a book of its own" in text(observer, address)
    for elsewhere in ("/rules/", f"/rules/?site={other.site.code}"):
        page = text(observer, elsewhere)
        assert "Only here" not in page
        assert "every site without a book of its own" in page


def test_what_is_to_come_is_told(observer: Client, hospital: Hospital) -> None:
    load(hospital, ago=3)
    later: datetime = hospital.now + timedelta(days=3)
    winter = replace(read_rules_text(MINE.replace("Ours", "Winter")), valid_from=later)
    load_rules(winter, site=None, at=hospital.now)
    load_rules(
        replace(winter, valid_from=later + timedelta(days=1)), site=hospital.site, at=hospital.now
    )
    page = words(text(observer, f"/rules/?site={hospital.site.code}"))
    assert "this site has a book of its own: Winter" not in page, "it says what will be in force"
    load_rules(
        replace(read_rules_text(MINE.replace("Ours", "Own")), valid_from=later),
        site=hospital.site,
        at=hospital.now,
    )
    page = words(text(observer, f"/rules/?site={hospital.site.code}"))
    assert "this site has a book of its own: Own" in page
    assert "Version 2 to come" in page
    assert "Not in force yet" in words(text(observer, "/rules/?version=2"))


def test_who_may_look(hospital: Hospital, nurse: Client) -> None:
    other = build(code="OTH")
    assert Client().get("/rules/").status_code == 302
    partner = user("cleaner", Role.CLEANER, site=hospital.site)
    assert signed_in(partner).get("/rules/").status_code == 403
    assert nurse.get(f"/rules/?site={hospital.site.code}").status_code == 200
    assert nurse.get(f"/rules/?site={other.site.code}").status_code == 403
    assert nurse.get("/rules/?site=NONE").status_code == 404
    assert nurse.post("/rules/").status_code == 405


@pytest.mark.parametrize("address", ["/rules/", "/rules/?site=TGH", "/rules/?version=1"])
def test_it_takes_few_queries_however_much_there_is(
    observer: Client, hospital: Hospital, manager: Client, address: str
) -> None:
    load(hospital, ago=3)
    load(hospital, MINE.replace("costs: 60\n", "costs: 75\n", 1), ago=2)
    text(observer, address)  # a version, once read, is remembered

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            text(observer, address)
        return len(queries)

    few = asked()
    assert few <= 11
    for number in range(3):
        more = build(code=f"M{number}")
        WardLimits.objects.create(ward=more.wards[0], most_patients=12)
        override(hospital, "bay_sex", breach="mixed_sex")
    assert asked() == few
