"""The pages of escalation: who sees and does what, and what they are told when they may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from flow import beginning
from huddles.escalation.assessing import assess
from huddles.escalation.declaring import declare
from huddles.escalation.rule_sets import FILLED_IN, PUBLISHED, stored
from huddles.models import Action, ActionCard, CardTaken, OpelDeclaration, OpelRuleSet, OpelValue
from live import shared
from live.doorbell import ring, version
from tests.huddles.rules import load_cards, load_example
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards.models import Site

pytestmark = pytest.mark.django_db
SITE, SYSTEM = "/sites/TGH/escalation/", "/escalation/"
RULES, FILL_IN = "/escalation/rules/", "/escalation/rules/fill-in/"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    shared.forget()
    beginning.forget()
    yield
    shared.forget()
    beginning.forget()


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    made.fill(made.wards[0], 4)
    load_example("TGH=1")
    load_cards()
    return made


@pytest.fixture
def sam(hospital: Hospital) -> User:
    return user("sam", Role.SITE_MANAGER, site=hospital.site)


@pytest.fixture
def bed_manager(hospital: Hospital) -> Client:
    return signed_in(user("noor", Role.BED_MANAGER, site=hospital.site))


@pytest.fixture
def observer(hospital: Hospital) -> Client:
    return signed_in(user("observer", Role.OBSERVER, everywhere=True))


def anew() -> None:
    """Have every board drawn anew: what rings for it runs when a transaction ends, and a test's
    never does."""
    shared.forget()
    beginning.forget()
    keys = Site.objects.values_list("pk", flat=True)
    ring(
        [
            "system",
            "escalation",
            *(f"{name}:{key}" for name in ("site", "escalation") for key in keys),
        ]
    )


def page(client: Client, address: str = SITE) -> str:
    anew()
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def said(text: str, **more: str) -> dict[str, str]:
    return {"deed": text} | more


def test_the_site_is_shown_with_everything_known(hospital: Hospital, observer: Client) -> None:
    shown = page(observer)
    assert "Example only: not official." in shown
    assert "Nobody has declared a level here." in shown
    assert "Occupancy of general and acute beds" in shown
    assert "33.3 %" in shown, "four of twelve beds"
    assert "counted by Flowboard" in shown
    assert "nobody has told it" in shown
    assert "Not certain: " in shown
    assert FAMILY not in shown
    assert "Declare a level" not in shown
    assert "Say values by hand" not in shown


def test_a_level_is_declared_with_a_reason(hospital: Hospital, sam: User, observer: Client) -> None:
    client = signed_in(sam)
    refused = client.post(SITE, said("declare", level="3", reason=" ", seen=""))
    assert refused.status_code == 422
    assert "Say why. A level is declared with a reason." in refused.content.decode()
    assert not OpelDeclaration.objects.exists()
    unsure = client.post(SITE, said("declare", reason="Full", seen=""))
    assert "Choose a level." in unsure.content.decode()
    done = client.post(SITE, said("declare", level="3", reason="No beds", seen=""), follow=True)
    assert "OPEL 3 declared. It holds until another is." in done.content.decode()
    shown = page(observer)
    assert "No beds" in shown
    assert "Sam" in shown
    late = client.post(SITE, said("declare", level="4", reason="Worse", seen=""))
    assert late.status_code == 409
    assert "declared meanwhile" in late.content.decode()
    assert "Worse" in late.content.decode(), "what was typed stays"
    assert OpelDeclaration.objects.count() == 1


def test_a_name_in_a_reason_is_read_by_those_alone_who_may(
    hospital: Hospital, sam: User, bed_manager: Client, observer: Client
) -> None:
    for site in (hospital.site, None):
        declare(
            site=site, level=3, reason=f"Mrs {FAMILY} waits", seen=None, at=timezone.now(), by=sam
        )
    assert f"Mrs {FAMILY} waits" in page(bed_manager)
    for client, address in ((observer, SITE), (observer, SYSTEM), (bed_manager, SYSTEM)):
        shown = page(client, address)
        assert FAMILY not in shown
        assert "Mrs … waits" in shown


def test_a_declaration_that_differs_says_so(
    hospital: Hospital, sam: User, observer: Client
) -> None:
    client = signed_in(sam)
    values = dict.fromkeys(("ambulance_handover", "time_to_treatment"), "0")
    zero = ("attendance_variation", "majors_resus_occupancy", "no_criteria_to_reside")
    values |= dict.fromkeys(zero, "0") | {"four_hour_performance": "99"}
    assert client.post(SITE, said("values", **values)).status_code == 302
    client.post(SITE, said("declare", level="2", reason="Norovirus", seen=""))
    assert OpelDeclaration.objects.get().computed == 1
    assert "Differs from the level computed now." in page(observer)


def test_who_may_not_cannot(
    hospital: Hospital, sam: User, bed_manager: Client, observer: Client
) -> None:
    declared = said("declare", level="3", reason="So", seen="")
    told = said("values", ambulance_handover="20")
    for client, deed, status in (
        (observer, declared, 403),
        (observer, told, 403),
        (observer, said("cards", card="1", declared="1"), 403),
        (bed_manager, declared, 403),
        (bed_manager, told, 302),
        (bed_manager, said("nothing"), 403),
    ):
        assert client.post(SITE, deed).status_code == status
    assert "Declare a level" not in page(bed_manager)
    assert "Say values by hand" in page(bed_manager)
    elsewhere = build(code="OTH")
    assert signed_in(sam).get("/sites/OTH/escalation/").status_code == 403
    assert signed_in(sam).get("/sites/NONE/escalation/").status_code == 404
    nobody = signed_in(user("nobody", None))
    assert nobody.get(SYSTEM).status_code == nobody.get(RULES).status_code == 403
    nurse = signed_in(user("nurse", Role.WARD_NURSE, ward=elsewhere.wards[0]))
    assert "Occupancy of general" in page(nurse, "/sites/OTH/escalation/")
    assert nurse.post("/sites/OTH/escalation/", told).status_code == 403


def test_a_value_by_hand_changes_the_score(
    hospital: Hospital, bed_manager: Client, observer: Client
) -> None:
    refused = bed_manager.post(SITE, said("values", ambulance_handover="soon"))
    assert refused.status_code == 422
    assert "Give a number such as 42 or 42.5." in refused.content.decode()
    empty = bed_manager.post(SITE, said("values"))
    assert (empty.status_code, "Give at least one value." in empty.content.decode()) == (409, True)
    ahead = timezone.localtime() + timedelta(hours=2)
    late = bed_manager.post(
        SITE, said("values", ambulance_handover="62", as_at=f"{ahead:%Y-%m-%dT%H:%M}")
    )
    assert "That time has not come yet." in late.content.decode()
    half = said("values", ambulance_handover="62", time_to_treatment="-4")
    assert bed_manager.post(SITE, half).status_code == 409
    assert not OpelValue.objects.exists(), "all or nothing"
    assert "62 min" not in page(observer)
    done = bed_manager.post(SITE, said("values", ambulance_handover="62"), follow=True)
    assert "One value recorded." in done.content.decode()
    shown = page(observer)
    assert "62 min" in shown
    assert "by hand, Noor" in shown
    assert "<strong>5</strong> of 5" in shown


def test_cards_are_made_actions_with_one_click(
    hospital: Hospital, sam: User, bed_manager: Client
) -> None:
    row = declare(site=hospital.site, level=3, reason="Full", seen=None, at=timezone.now(), by=sam)
    shown = page(bed_manager)
    assert "for Sam" in shown, "the only site manager here"
    assert "Nobody who signs in is known as Matron" in shown, "said before it is agreed"
    assert "Call a flow meeting" in shown
    assert "Tell the board" not in shown, "that is a card of level 4"
    keys = sorted(int(part.split('"')[0]) for part in shown.split('name="card" value="')[1:3])
    one = said("cards", card=str(keys[0]), declared=str(row.pk))
    answer = bed_manager.post(SITE, one, follow=True)
    assert "One action agreed." in answer.content.decode()
    assert "Agreed by Noor for Sam, due" in page(bed_manager)
    assert "Call a flow meeting" in signed_in(sam).get("/actions/").content.decode()
    assert "agreed already" in bed_manager.post(SITE, one, follow=True).content.decode()
    rest = said("cards", card=",".join(map(str, keys)), declared=str(row.pk))
    assert "One action agreed." in bed_manager.post(SITE, rest, follow=True).content.decode()
    assert Action.objects.filter(by__username="noor").count() == CardTaken.objects.count() == 2
    for wrong in (said("cards", card="x", declared="1"), said("cards", card="1", declared="")):
        assert bed_manager.post(SITE, wrong).status_code == 409


def test_of_several_of_a_role_one_is_chosen_on_the_page(
    hospital: Hospital, sam: User, bed_manager: Client, observer: Client
) -> None:
    ben = user("ben", Role.SITE_MANAGER, site=hospital.site)
    row = declare(site=hospital.site, level=3, reason="Full", seen=None, at=timezone.now(), by=sam)
    shown = page(bed_manager)
    assert "Which Site manager" in shown
    assert f'<option value="{ben.pk}">Ben</option>' in shown
    assert "one of 2 who hold this role here" in page(observer)
    assert "<option" not in page(observer)
    card = ActionCard.objects.get(role="Site manager")
    deed = said("cards", card=str(card.pk), declared=str(row.pk))
    for chosen in ({}, {"who-Site manager": ""}, {"who-Site manager": "x"}):
        answer = bed_manager.post(SITE, deed | chosen)
        assert answer.status_code == 409
        assert "Several people are Site manager here." in answer.content.decode()
    bed_manager.post(SITE, deed | {"who-Site manager": str(ben.pk)})
    assert Action.objects.get().owner == ben


def test_the_system_is_declared_by_who_declares_at_all_its_sites(
    hospital: Hospital, sam: User, observer: Client
) -> None:
    deed = said("declare", level="3", reason="All full", seen="")
    assert observer.post(SYSTEM, deed).status_code == 403
    assert signed_in(sam).post(SYSTEM, deed).status_code == 302
    assert OpelDeclaration.objects.get().site is None
    shown = page(observer, SYSTEM)
    assert "All full" in shown
    assert "Test hospital TGH" in shown
    other = build(code="OTH")
    load_example("TGH=1", "OTH=1")
    again = deed | {"seen": str(OpelDeclaration.objects.get().pk)}
    assert signed_in(sam).post(SYSTEM, again).status_code == 403, "not at the other one"
    boss = signed_in(user("boss", Role.SITE_MANAGER, organisation=other.site.organisation))
    assert boss.post(SYSTEM, again).status_code == 302


def test_the_level_over_time_is_drawn_and_told(
    hospital: Hospital, sam: User, observer: Client
) -> None:
    now = timezone.now()
    assess(at=now - timedelta(hours=3))
    declare(
        site=hospital.site, level=2, reason="Early", seen=None, at=now - timedelta(days=4), by=sam
    )
    assess(at=now - timedelta(hours=1))
    shown = page(observer)
    assert "not certain" in shown
    assert '"Declared"' in shown
    assert "Early" in shown, "what holds since before the span"
    assert page(observer, f"{SITE}?days=7").count("Early") >= 1
    assert page(observer, f"{SITE}?days=nonsense")


def test_whatever_changes_the_board_rings_for_it(
    hospital: Hospital,
    sam: User,
    bed_manager: Client,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[object]]],
) -> None:
    def versions() -> list[str | None]:
        return [version(name) for name in (f"escalation:{hospital.site.pk}", "escalation")]

    deeds = (
        lambda: assess(at=timezone.now()),
        lambda: bed_manager.post(SITE, said("values", ambulance_handover="62")),
        lambda: signed_in(sam).post(SITE, said("declare", level="3", reason="So", seen="")),
        lambda: bed_manager.post(
            SITE,
            said(
                "cards",
                card=str(ActionCard.objects.filter(level=3)[0].pk),
                declared=str(OpelDeclaration.objects.get().pk),
            ),
        ),
    )
    for deed in deeds:
        before = versions()
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        assert not set(before) & set(versions())


def test_the_fragment_is_the_board_and_unchanged_is_304(
    hospital: Hospital, observer: Client
) -> None:
    first = observer.get(f"{SITE}?fragment=1")
    assert first["X-Board"] == f"escalation:{hospital.site.pk}"
    assert b"<html" not in first.content
    again = observer.get(f"{SITE}?fragment=1", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert observer.get(f"{SYSTEM}?fragment=1")["X-Board"] == "escalation"


def test_as_many_queries_for_sixty_beds_as_for_six(hospital: Hospital, observer: Client) -> None:
    def asked(address: str) -> int:
        anew()
        with CaptureQueriesContext(connection) as seen:
            observer.get(address)
        return len(seen)

    asked(SITE)  # the first look of a session asks more
    few = [asked(address) for address in (SITE, SYSTEM, RULES)]
    add_beds(hospital.wards[1], 54, first=6)
    with hospital.together():
        for bed in hospital.beds(hospital.wards[1])[:40]:
            hospital.admit(bed)
    assert [asked(address) for address in (SITE, SYSTEM, RULES)] == few
    assert max(few) <= 40


def test_boards_say_when_nobody_has_computed_for_long(hospital: Hospital, observer: Client) -> None:
    assess(at=timezone.now() - timedelta(hours=5))
    for address in ("/", "/sites/TGH/"):
        shown = page(observer, address)
        assert "computed 1 to 3 (example, not official)" in shown
        assert "out of date: from" in shown


def test_a_value_told_instead_of_counted_is_seen_and_withdrawn(
    hospital: Hospital, bed_manager: Client, observer: Client
) -> None:
    values = dict.fromkeys(("attendance_variation", "no_criteria_to_reside"), "0")
    values |= {
        "ambulance_handover": "62",
        "time_to_treatment": "180",
        "majors_resus_occupancy": "0",
    }
    bed_manager.post(SITE, said("values", four_hour_performance="99", **values))
    bed_manager.post(SITE, said("values", ga_occupancy="95"))
    shown = page(observer)
    assert "By values told instead of counted: " in shown
    assert "Occupancy of general and acute beds 95 % (by hand, Noor)" in shown
    assert "By what Flowboard counts: OPEL 1" in shown
    assert ">Withdraw<" not in shown
    assert ">Withdraw<" in page(bed_manager)
    row = OpelValue.objects.get(parameter="ga_occupancy")
    assert observer.post(SITE, said("withdraw", value=str(row.pk))).status_code == 403
    for wrong in ("", "x", "0", str(row.pk + 1000)):
        assert bed_manager.post(SITE, said("withdraw", value=wrong)).status_code == 409
    done = bed_manager.post(SITE, said("withdraw", value=str(row.pk)), follow=True)
    assert "Value withdrawn." in done.content.decode()
    shown = page(observer)
    assert "instead of counted" not in shown
    assert "33.3 %" in shown
    assert bed_manager.post(SITE, said("withdraw", value=str(row.pk))).status_code == 409


def test_the_rules_say_what_was_published(hospital: Hospital, observer: Client) -> None:
    load_example(name="acute-2024-26")
    shown = page(observer, RULES)
    assert shown.count("not confirmed: inferred, not seen in the framework") == 3
    assert shown.count("aside label-of is-published") == 6
    assert 'from 1 Dec 2024 <span class="label-of is-not_confirmed">not confirmed' in shown


def test_site_and_system_boards_show_the_level(
    hospital: Hospital, sam: User, observer: Client
) -> None:
    now = timezone.now()
    assert "no level declared" in page(observer, "/")
    assess(at=now)
    declare(site=hospital.site, level=3, reason="Full", seen=None, at=now, by=sam)
    for address in ("/", "/sites/TGH/"):
        shown = page(observer, address)
        told = "<strong>OPEL 3</strong> declared, computed 1 to 3 (example, not official)"
        assert told in shown
        assert "out of date" not in shown
        assert SITE in shown
    Site.objects.filter(pk=hospital.site.pk).update(kind="community")
    assert "OPEL" not in page(observer, "/")
    assert observer.get(SITE).status_code == 404


# --- rules ------------------------------------------------------------------------------------


def filled(client: Client, **changed: str) -> dict[str, str]:
    form = client.get(FILL_IN).context["form"]
    found = {name: form[name].value() for name in form.fields}
    text = {name: "" if value is None else str(value) for name, value in found.items()}
    if text["example"] == "False":
        del text["example"]
    return text | {"note": "By the board"} | changed


def test_cut_offs_are_filled_in_as_another_version(hospital: Hospital, observer: Client) -> None:
    client = signed_in(user("boss", Role.SITE_MANAGER, everywhere=True))
    sent = filled(client, **{"cuts-ga_occupancy": "90=1, 95 = 3; 98=5", "weights": "TGH=2"})
    del sent["example"]
    done = client.post(FILL_IN, sent, follow=True)
    assert "Kept as version 2." in done.content.decode()
    row = OpelRuleSet.objects.get(number=2)
    found = stored(row)
    cuts = {one.code: one.cuts for one in found.rules.parameters}["ga_occupancy"]
    assert [(cut.value, cut.score) for cut in cuts] == [(90, 1), (95, 3), (98, 5)]
    assert (found.label("ga_occupancy").kind, found.label("ga_occupancy").by) == (FILLED_IN, "Boss")
    assert found.label("bands").kind == PUBLISHED
    assert found.weights == {"TGH": 2.0}
    assert row.is_example, "eight others are still invented"
    assert "It stays an example: the cut-offs of 8 parameters are still invented." in (
        done.content.decode()
    )
    shown = page(observer, f"{RULES}?version=2&against=1")
    assert "90=1, 95=3, 98=5, was 88=1" in shown
    assert "filled in by the trust: Boss" in shown
    assert "Example only" in shown
    assert "Example only" in page(observer)
    assert "version 2" in page(observer)
    sent = filled(client, **{f"cuts-{one.code}": "90=1" for one in found.rules.parameters})
    sent |= {"bands": "0, 2, 3, 4", "cuts-four_hour_performance": "70=1"}
    del sent["example"]
    client.post(FILL_IN, sent)
    assert not OpelRuleSet.objects.get(number=3).is_example
    assert "Example: no, was yes" in page(observer, f"{RULES}?version=3&against=2")
    assert "Example only" not in page(observer)
    assert "is not in force today" in page(observer, f"{RULES}?version=1")


def test_what_cannot_be_filled_in_is_said_at_its_field(hospital: Hospital) -> None:
    client = signed_in(user("boss", Role.SITE_MANAGER, everywhere=True))
    for name, text, told in (
        ("cuts-ga_occupancy", "90", "cannot be read"),
        ("cuts-ga_occupancy", "90=1.5", "cannot be read"),
        ("cuts-ga_occupancy", "90=1e400", "cannot be read"),
        ("cuts-ga_occupancy", "90=1e300", "it scores 1000 at most"),
        ("cuts-ga_occupancy", "nan=1", "cannot be read"),
        ("cuts-ga_occupancy", "inf=1", "cannot be read"),
        ("cuts-ga_occupancy", "1e400=1", "cannot be read"),
        ("weights", "TGH=1e308", "from 0.000001 to 1000000"),
        ("weights", "TGH=1e-308", "from 0.000001 to 1000000"),
        ("valid_from", "2020-01-01", "It would never hold"),
        ("cuts-ga_occupancy", "95=1, 90=2", "so its cuts rise"),
        ("bands", "0, 12, 23", "Give four whole numbers"),
        ("bands", "0, 12, 23, 99", "nobody can score over"),
        ("weights", "TGH", "cannot be read"),
        ("weights", "XXX=1", "There is no site XXX"),
        ("stale-ga_occupancy", "0", "greater than or equal to 1"),
        ("note", "", "This field is required"),
        ("seen", "0", "another version meanwhile"),
    ):
        answer = client.post(FILL_IN, filled(client, **{name: text}))
        assert answer.status_code in (409, 422), (name, text)
        assert told in answer.content.decode(), (name, text)
    assert OpelRuleSet.objects.count() == 1


def test_only_who_declares_everywhere_fills_in_for_all(
    hospital: Hospital, sam: User, observer: Client
) -> None:
    assert observer.get(FILL_IN).status_code == 403
    assert signed_in(sam).get(FILL_IN).status_code == 200, "the only hospital is theirs"
    build(code="OTH")
    assert signed_in(sam).get(FILL_IN).status_code == 403
    load_example(organisation="RXX")
    mine = f"{FILL_IN}?organisation=RXX"
    assert signed_in(sam).get(mine).status_code == 403
    trust = user("trust", Role.SITE_MANAGER, organisation=hospital.site.organisation)
    answer = signed_in(trust).get(mine)
    assert answer.status_code == 200
    assert "Weights" not in answer.content.decode()
    assert "Test trust" in page(observer, f"{RULES}?organisation=RXX")
    for wrong in ("?version=9", "?version=x", "?organisation=NONE"):
        assert observer.get(RULES + wrong).status_code == 404


def test_no_rules_at_all(db: None) -> None:
    build()
    client = signed_in(user("boss", Role.SITE_MANAGER, everywhere=True))
    assert "No rules have been loaded" in page(client, RULES)
    assert client.get(FILL_IN).status_code == 404
    assert "No rule set holds." in page(client)
    done = client.post(SITE, said("declare", level="3", reason="So", seen=""))
    assert done.status_code == 302
    assert OpelDeclaration.objects.get().computed is None
    load_example(name="acute-2024-26")
    shown = page(client)
    assert "These rules give no level." in shown
    assert "9 of 9 parameters have no cut-offs." in shown
