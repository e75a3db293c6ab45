"""No text that could say who somebody is reaches a screen: every page of every zone is fetched
from a database full of known names, typed into everything into which people type."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from flow.models import HandoverNote
from huddles.meetings.holding import Said as Line
from huddles.meetings.holding import answer_safety, confirm, open_meeting
from huddles.models import Action
from huddles.screens.listening import may_hear
from huddles.screens.recognising import COOKIE
from live import doorbell
from live.stream import EventStreams
from patients.code_loading import built_in, load_codes
from patients.models import Code, Episode, Patient
from tests.huddles.meeting import next_start, template_of
from tests.huddles.screens.hanging import ZONES, every_page, hung, looker, lounge_of
from tests.live.listening import Ear, run, served
from tests.screens.hospital import Hospital, signed_in
from wards.barriers import Said, raise_barrier
from wards.bed_states import close, record_status
from wards.facts import MovementKind
from wards.models import Ward
from wards.requests import Terms, ask

TYPED = (
    "For Mrs Quillfeather, then wintergarth; NHS 999 000 0018",
    "mrsBrambleworth zebrawort Thistlecroft12 Q u i l l f e a t h e r 999.000.0018",
    "OXENDALES plumbago (yarrowby, b. 12/03/1941) 999-000/0018 quill-feather",
    "Thistle croft kumquat tomorrow: Winter-Garth's daughter 07700 900123 xylophone",
)
"""What people write down, with names, numbers and dates of birth in many shapes."""

FAMILIES = ["Quillfeather", "Brambleworth", "Thistlecroft", "Wintergarth", "Oxendale", "Yarrowby"]


@pytest.fixture
def lounge(hospital: Hospital) -> Ward:
    return lounge_of(hospital.site)


@pytest.fixture
def told(hospital: Hospital, lounge: Ward) -> set[str]:
    """The hospital with names everywhere; everything that names somebody."""
    load_codes(built_in())
    beds = hospital.beds(hospital.wards[1])
    with hospital.together():
        for bed, family in zip(beds, FAMILIES[:3], strict=False):
            hospital.admit(bed, family=family)
        waits = hospital.admit(hospital.emergency, family=FAMILIES[3])
        hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
        hospital.admit(hospital.wards[0], family=FAMILIES[4])
        hospital.admit(lounge, family=FAMILIES[5])
        hospital.admit(beds[0], family="Clashington", ago=timedelta(hours=1))
    type_names(hospital, beds[4].pk, beds[5].pk)
    known = set()
    for person in Patient.objects.all():
        known |= {person.family_name, person.given_name, person.nhs_number, person.identifier}
    written = {word.strip(",;:()") for text in TYPED for word in text.split()}
    # Words so short, or so plain, stand on the pages of themselves.
    known |= {word for word in written if len(word) > 4 and word not in ("tomorrow", "daughter")}
    return {text.lower() for text in known if text}


def type_names(hospital: Hospital, closed: int, dirty: int) -> None:
    """What people write down, wherever they may write."""
    by, now = looker(), timezone.now()
    said = Said(now, by)
    since = now - timedelta(hours=2)
    whole = " ".join(TYPED)
    close(bed=closed, reason="other", since=since, note=whole, by=None)
    record_status(bed=dirty, status="K", occurred_at=since, sent_at=now, source="feed", key="dirty")
    stay = Episode.objects.filter(patient__family_name="Brambleworth").get()
    reason = Code.objects.get(code_set__slug="delay-reasons-2024", slug="p3-capacity")
    raise_barrier(
        episode=stay, reason=reason, said=said, organisation=stay.provider, note=whole[:300],
        person=TYPED[0],
    )  # fmt: skip
    ask(episode=stay, ward=hospital.wards[0], terms=Terms(note=TYPED[0]), said=said)
    HandoverNote.objects.create(site=hospital.site, text=whole, by=by)
    for ward in (None, hospital.wards[0], hospital.wards[1]):
        for text in TYPED:
            Action.objects.create(
                site=hospital.site,
                ward=ward,
                text=text,
                owner_name=text[:100],
                due_at=now + timedelta(hours=1),
                agreed_at=now,
                by=by,
            )
    meet(hospital, by)


def meet(hospital: Hospital, by: User) -> None:
    """A huddle that speaks of safety, every line and its own title with names in it."""
    starts, now = next_start(), timezone.now()
    template = template_of(hospital, starts=starts, name=TYPED[0][:60])
    line = Line(concern=TYPED[1], harm=TYPED[2].upper(), hazard=TYPED[3])
    for ward in hospital.wards:
        confirm(template=template, starts_at=starts, ward=ward, said=line, at=now, by=by)
    huddle = open_meeting(template=template, starts_at=starts, first="safety", at=now, by=by)
    answer_safety(huddle=huddle, harm=TYPED[1], hazard=TYPED[2].upper(), at=now, by=by)


@pytest.mark.parametrize("zone", ZONES)
def test_no_name_reaches_a_screen_of_any_zone(
    hospital: Hospital, lounge: Ward, told: set[str], zone: str
) -> None:
    assert len(told) > 20
    pages = every_page(hospital.wards[1], lounge) + every_page(hospital.wards[0], lounge)[-2:-1]
    client, screen = hung(hospital.site, zone, *pages)
    manager = signed_in(looker())
    addresses = ["/screen/", "/screen/waiting/"]
    addresses += [f"/screen/pages/{number}/" for number in range(1, len(pages) + 1)]
    looked_at = [(client, address) for address in addresses]
    previews = [f"/screens/{screen.pk}/preview/{number}/" for number in range(1, len(pages) + 1)]
    looked_at += [
        (manager, address) for address in ("/screens/", f"/screens/{screen.pk}/", *previews)
    ]
    agreed, answered = 0, 0
    for browser, address in looked_at:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        body = (answer.content.decode() + str(answer.headers)).lower()
        found = {name for name in told if name in body}
        assert found == set(), f"{zone}: {address} tells {found}"
        agreed += "12 actions open" in body or "next by" in body
        answered += "both answered" in body
    # They were asked about what was typed, and said what may be said of it.
    assert agreed > 1
    assert (answered > 0) == (zone != "public")


@pytest.mark.django_db(transaction=True)
def test_no_name_travels_on_the_stream(hospital: Hospital, told: set[str]) -> None:
    ward = hospital.wards[1]
    client, screen = hung(hospital.site, "closed", *every_page(ward, lounge_at(hospital)))
    cookie = f"{COOKIE}={client.cookies[COOKIE].value}"
    boards = {screen.board, "system", "cleaning", f"ward:{ward.pk}", f"site:{hospital.site.pk}"}
    heard: list[str] = []
    bed = hospital.beds(ward)[3]

    def admit() -> None:
        hospital.admit(bed, family=FAMILIES[0])
        connections.close_all()

    async def story() -> None:
        ear = await Ear.open(port, f"screen=1&boards={','.join(sorted(boards))}", cookie)
        assert ear.status == 200
        while (await ear.next("beat"))[1].split()[1] != "live":
            pass
        await asyncio.to_thread(admit)
        doorbell.ring(boards - {screen.board})
        while len(heard) < len(boards) - 1:
            _name, data = await ear.next("ring")
            heard.append(data)

    with served(EventStreams(may_hear)) as port:
        run(story)
    assert set(heard) <= boards
    assert not [name for name in told if name in " ".join(heard).lower()]


def lounge_at(hospital: Hospital) -> Ward:
    return Ward.objects.get(site=hospital.site, kind=Ward.Kind.DISCHARGE_LOUNGE)
