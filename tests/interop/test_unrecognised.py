"""Places that only a feed knew of become known, and everything said of them with them."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.refusals import Refused
from tests.interop.building import adt
from tests.interop.delivering import deliver, stays, way
from wards.models import Bed, Occupancy, Site, Ward
from wards.unrecognised import accept_bed, accept_ward, identify_bed, identify_ward

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(db: None) -> User:
    return User.objects.create(username="manager")


def here(visit: str) -> tuple[str, str | None, str | None, bool]:
    """Ward, bay and wanted bed of a visit now, and whether the patient has that bed."""
    row = (
        Occupancy.objects.select_related("ward", "bay", "wanted_bed")
        .filter(episode__visit__number=visit)
        .latest("period")
    )
    return (
        row.ward.code,
        row.bay.code if row.bay else None,
        row.wanted_bed.label if row.wanted_bed else None,
        row.bed_id is not None,
    )


def admit(visit: str, place: str) -> bytes:
    """V1 comes before V2, who comes before V3."""
    made = f"202601101{visit[1]}0000"
    return adt("A01", mrn=f"M{visit}", visit=visit, place=place, made=made)


def test_a_ward_turns_out_to_be_another_and_its_patients_move_there(
    hospital: Site, manager: User
) -> None:
    deliver(admit("V1", "WARD ONE^A^1"), admit("V2", "WARD ONE^B^1"), admit("V3", "WARD ONE^X^99"))
    assert here("V1") == ("WARD ONE", "A", "1", True)
    unknown = Ward.objects.get(code="WARD ONE")
    told = identify_ward(ward=unknown, same_as=Ward.objects.get(code="NGH-W1"), by=manager)
    assert told == 3
    assert here("V1") == ("NGH-W1", "A", "1", True)
    assert here("V2") == ("NGH-W1", "B", "1", True)
    assert here("V3") == ("NGH-W1", "X", "99", True)
    assert not Bed.objects.get(ward__code="NGH-W1", label="99").is_recognised


def test_what_is_said_later_under_the_old_name_counts_for_the_new(
    hospital: Site, manager: User
) -> None:
    deliver(admit("V1", "WARD ONE^A^1"))
    identify_ward(
        ward=Ward.objects.get(code="WARD ONE"),
        same_as=Ward.objects.get(code="NGH-W1"),
        by=manager,
    )
    deliver(admit("V2", "WARD ONE^A^2"), admit("V3", "WARD ONE^A^1"), admit("V4", "WARD ONE^B^9"))
    assert here("V2") == ("NGH-W1", "A", "2", True)
    assert here("V3") == ("NGH-W1", "A", "1", False)
    assert here("V4") == ("NGH-W1", "B", "9", True)


def test_identifying_again_or_with_nothing_real_is_refused(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "ONE"), admit("V2", "TWO"))
    one, two = Ward.objects.get(code="ONE"), Ward.objects.get(code="TWO")
    real = Ward.objects.get(code="NGH-W1")
    with pytest.raises(Refused):
        identify_ward(ward=one, same_as=two, by=manager)
    identify_ward(ward=one, same_as=real, by=manager)
    with pytest.raises(Refused):
        identify_ward(ward=one, same_as=real, by=manager)
    with pytest.raises(Refused):
        identify_ward(ward=real, same_as=real, by=manager)
    with pytest.raises(Refused):
        identify_ward(ward=two, same_as=one, by=manager)


def test_a_bed_turns_out_to_be_another(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "NGH-W1^A^ONE^NGH"))
    assert here("V1") == ("NGH-W1", "A", "ONE", True)
    unknown = Bed.objects.get(label="ONE")
    real = Bed.objects.get(ward__code="NGH-W1", bay__code="A", label="1")
    assert identify_bed(bed=unknown, same_as=real, by=manager) == 1
    assert here("V1") == ("NGH-W1", "A", "1", True)
    deliver(admit("V2", "NGH-W1^A^ONE^NGH"))
    assert here("V2") == ("NGH-W1", "A", "1", False)
    with pytest.raises(Refused):
        identify_bed(bed=unknown, same_as=real, by=manager)
    with pytest.raises(Refused):
        identify_bed(bed=real, same_as=real, by=manager)


def test_a_bed_of_an_identified_ward_may_be_identified_later(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "WARD ONE^A^ONE"))
    identify_ward(
        ward=Ward.objects.get(code="WARD ONE"),
        same_as=Ward.objects.get(code="NGH-W1"),
        by=manager,
    )
    assert here("V1") == ("NGH-W1", "A", "ONE", True)
    identify_bed(
        bed=Bed.objects.get(ward__code="NGH-W1", label="ONE"),
        same_as=Bed.objects.get(ward__code="NGH-W1", bay__code="A", label="1"),
        by=manager,
    )
    assert here("V1") == ("NGH-W1", "A", "1", True)


def test_two_who_were_apart_may_turn_out_to_be_in_one_bed(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "NGH-W1^A^1^NGH"), admit("V2", "WARD ONE^A^1"))
    identify_ward(
        ward=Ward.objects.get(code="WARD ONE"),
        same_as=Ward.objects.get(code="NGH-W1"),
        by=manager,
    )
    assert sorted([here("V1")[3], here("V2")[3]]) == [False, True]


def test_a_ward_may_be_accepted_as_one_of_its_own(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "NEW^A^1"))
    ward = Ward.objects.get(code="NEW")
    accept_ward(ward=ward, kind="inpatient", name="New ward", site=hospital, by=manager)
    ward.refresh_from_db()
    assert (ward.kind, ward.name, ward.site) == ("inpatient", "New ward", hospital)
    assert Bed.objects.get(ward=ward).is_recognised
    assert way(stays("V1")[0])[0][:3] == ("NEW", "A", "1")
    deliver(admit("V2", "NEW^A^1"))
    assert here("V2") == ("NEW", "A", "1", False)
    with pytest.raises(Refused):
        accept_ward(ward=ward, kind="inpatient", name="", site=hospital, by=manager)


def test_a_ward_is_not_accepted_beside_one_of_the_same_code(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "NGH-W1^A^1^Elsewhere Hospital"), admit("V2", "X^^^Elsewhere Hospital"))
    Ward.objects.create(site=hospital, code="X", name="X")
    ward = Ward.objects.get(code="X", kind="unrecognised")
    with pytest.raises(Refused):
        accept_ward(ward=ward, kind="inpatient", name="", site=hospital, by=manager)
    with pytest.raises(Refused):
        accept_ward(ward=ward, kind="unrecognised", name="", site=ward.site, by=manager)


def test_a_bed_may_be_accepted_as_one_of_its_own(hospital: Site, manager: User) -> None:
    deliver(admit("V1", "NGH-W1^A^3^NGH"))
    bed = Bed.objects.get(ward__code="NGH-W1", label="3")
    accept_bed(bed=bed, by=manager)
    bed.refresh_from_db()
    assert bed.is_recognised
    with pytest.raises(Refused):
        accept_bed(bed=bed, by=manager)
