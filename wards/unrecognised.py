"""Places that only a feed knows of: made so that nobody is lost, and later recognised.

A ward, bay or bed that a message names and nobody has loaded is made with the very codes of
the message and shown apart. Later a person says which place it really is (`identify_ward`,
`identify_bed`: from then on, and for everything already said, the one counts for the other), or
that it is a place of its own (`accept_ward`, `accept_bed`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Q

from accounts.access import access_changed
from accounts.models import Organisation, User
from accounts.refusals import Refused
from patients.models import Visit
from wards.dirty import mark_dirty
from wards.facts import Place
from wards.models import Bay, Bed, Movement, Site, Ward
from wards.movements import told_again
from wards.provenance import BY_HAND, name_the_source

NOBODY: Final = "UNRECOGNISED"
"""Code of the organisation that unrecognised sites belong to while nobody says whose they are."""
T = TypeVar("T", Ward, Bed)
_LAST: Final = 999  # position: after every place that somebody put in its order


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A place to be found or made: a ward, by its key or as `code` of a `site`, and as far as
    given its bay and bed."""

    ward: int = 0
    site: int = 0
    code: str = ""
    bay: str = ""
    bed: str = ""


def site_for(*, code: str, name: str, organisation: int | None, source: str) -> int:
    """The unrecognised site of that code, made if there is none."""
    found = Site.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is not None:
        return found
    with transaction.atomic():
        name_the_source(source, None)
        if organisation is None:
            nobody = Organisation(code=NOBODY, name="Not recognised yet")
            Organisation.objects.bulk_create([nobody], ignore_conflicts=True)
            organisation = Organisation.objects.get(code=NOBODY).pk
        made = Site(
            code=code,
            name=name[:200],
            kind=Site.Kind.UNRECOGNISED,
            organisation_id=organisation,
            position=_LAST,
        )
        Site.objects.bulk_create([made], ignore_conflicts=True)
        access_changed()
        return Site.objects.get(code=code).pk


@transaction.atomic
def places_for(named: Collection[Named], *, source: str) -> dict[Named, Place]:
    """A place for each name, made as not recognised where it is missing.

    Any number of callers at once make each place once. A ward that was recognised as another
    name stands for that other ward, and its beds are sought and made there.
    """
    if not named:
        return {}
    name_the_source(source, None)
    wards = _wards({(n.site, n.code) for n in named if not n.ward})
    where = {n: n.ward or wards[(n.site, n.code)] for n in named}
    bays = _bays({(where[n], n.bay) for n in named if n.bay})
    bay_of = {n: bays[(where[n], n.bay)] if n.bay else None for n in named}
    beds = _beds({(where[n], bay_of[n], n.bed) for n in named if n.bed})
    access_changed()
    return {
        n: Place(where[n], bay_of[n], beds[(where[n], bay_of[n], n.bed)] if n.bed else None)
        for n in named
    }


def _wards(keys: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Wards by site and code; an alias gives the ward it stands for."""

    def known() -> dict[tuple[int, str], int]:
        rows = Ward.objects.filter(site__in={s for s, _ in keys}, code__in={c for _, c in keys})
        return {
            (site, code): same_as or pk
            for pk, site, code, same_as in rows.values_list("pk", "site", "code", "same_as")
        }

    found = known()
    missing = sorted(keys - found.keys())
    if missing:
        # In key order, and taking what somebody else made meanwhile.
        Ward.objects.bulk_create(
            [
                Ward(
                    site_id=site,
                    code=code,
                    name=code,
                    kind=Ward.Kind.UNRECOGNISED,
                    position=_LAST,
                )
                for site, code in missing
            ],
            ignore_conflicts=True,
        )
        found = known()
    return found


def _bays(keys: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    def known() -> dict[tuple[int, str], int]:
        rows = Bay.objects.filter(ward__in={w for w, _ in keys}, code__in={c for _, c in keys})
        return {(ward, code): pk for pk, ward, code in rows.values_list("pk", "ward", "code")}

    found = known() if keys else {}
    missing = sorted(keys - found.keys())
    if missing:
        Bay.objects.bulk_create(
            [Bay(ward_id=ward, code=code, position=_LAST) for ward, code in missing],
            ignore_conflicts=True,
        )
        found = known()
    return found


def _beds(
    keys: set[tuple[int, int | None, str]],
) -> dict[tuple[int, int | None, str], int]:
    def known() -> dict[tuple[int, int | None, str], int]:
        rows = Bed.objects.filter(ward__in={k[0] for k in keys}, label__in={k[2] for k in keys})
        return {
            (ward, bay, label): pk
            for pk, ward, bay, label in rows.values_list("pk", "ward", "bay", "label")
        }

    found = known() if keys else {}
    missing = sorted(keys - found.keys(), key=lambda k: (k[0], k[1] or 0, k[2]))
    if missing:
        Bed.objects.bulk_create(
            [
                Bed(ward_id=ward, bay_id=bay, label=label, is_recognised=False, position=_LAST)
                for ward, bay, label in missing
            ],
            ignore_conflicts=True,
        )
        found = known()
    return found


@transaction.atomic
def identify_ward(*, ward: Ward, same_as: Ward, by: User) -> int:
    """`ward` is another name for `same_as`: what was said of the one counts for the other.

    Its beds become names for the beds with the same labels; one that has none is made there,
    not recognised. Returns how many patients' stays were told again. Raises Refused where
    `ward` has been recognised already or `same_as` is no real ward.
    """
    ward = _locked(Ward, ward.pk)
    if ward.kind != Ward.Kind.UNRECOGNISED or ward.same_as_id is not None:
        raise Refused(f"{ward.code} has been recognised already. Look at the page again.")
    if same_as.same_as_id is not None or same_as.kind == Ward.Kind.UNRECOGNISED:
        raise Refused("Choose a ward that is recognised itself.")
    name_the_source(BY_HAND, by)
    beds = list(Bed.objects.filter(ward=ward, same_as=None).select_related("bay"))
    for bed in beds:
        bed.same_as_id = _counterpart(bed, same_as.pk, BY_HAND)
    Bed.objects.bulk_update(beds, ["same_as"])
    ward.same_as = same_as
    ward.save(update_fields=["same_as"])
    access_changed()
    return _tell_again(Q(ward=ward) | Q(from_ward=ward) | Q(wanted_ward=ward), [ward.pk])


def _counterpart(bed: Bed, ward: int, source: str) -> int:
    """The bed of `ward` that goes by the label of `bed`, made if there is none."""
    bay = bed.bay.code if bed.bay else ""
    alike = [
        (pk, code or "")
        for pk, code in Bed.objects.filter(
            ward=ward, same_as=None, label__iexact=bed.label
        ).values_list("pk", "bay__code")
    ]
    in_bay = [pk for pk, code in alike if code.casefold() == bay.casefold()]
    if in_bay or len(alike) == 1:
        return (in_bay or [alike[0][0]])[0]
    named = Named(ward=ward, bay=bay, bed=bed.label)
    made = places_for([named], source=source)[named].bed
    assert made is not None, "a bed was asked for"
    return made


@transaction.atomic
def identify_bed(*, bed: Bed, same_as: Bed, by: User) -> int:
    """`bed` is another name for `same_as`. Returns how many patients' stays were told again.

    Raises Refused where `bed` has been recognised already or `same_as` is no real bed.
    """
    bed = _locked(Bed, bed.pk)
    if bed.is_recognised or bed.same_as_id is not None:
        raise Refused(f"Bed {bed.label} has been recognised already. Look at the page again.")
    if same_as.same_as_id is not None or not same_as.is_recognised:
        raise Refused("Choose a bed that is recognised itself.")
    name_the_source(BY_HAND, by)
    bed.same_as = same_as
    bed.save(update_fields=["same_as"])
    # A name for this bed becomes a name for the real one, so that there are no chains.
    Bed.objects.filter(same_as=bed).update(same_as=same_as)
    return _tell_again(
        Q(bed__in=_names_of(same_as)) | Q(from_bed__in=_names_of(same_as)), [bed.ward_id]
    )


def _names_of(bed: Bed) -> list[int]:
    return [bed.pk, *Bed.objects.filter(same_as=bed).values_list("pk", flat=True)]


@transaction.atomic
def accept_ward(*, ward: Ward, kind: str, name: str, site: Site, by: User) -> None:
    """`ward` is a ward of its own, and the beds the feed named are its beds.

    Raises Refused where it has been recognised already, or its site has a ward of that code.
    """
    ward = _locked(Ward, ward.pk)
    if ward.kind != Ward.Kind.UNRECOGNISED or ward.same_as_id is not None:
        raise Refused(f"{ward.code} has been recognised already. Look at the page again.")
    if kind not in Ward.Kind or kind == Ward.Kind.UNRECOGNISED:
        raise Refused("Choose what kind of ward it is.")
    if Ward.objects.filter(site=site, code=ward.code).exclude(pk=ward.pk).exists():
        raise Refused(f"{site.name} has a ward {ward.code} already. Say that it is the same one.")
    name_the_source(BY_HAND, by)
    ward.kind, ward.name, ward.site = kind, name or ward.code, site
    ward.save(update_fields=["kind", "name", "site"])
    Bed.objects.filter(ward=ward, same_as=None).update(is_recognised=True)
    access_changed()
    mark_dirty([ward.pk])


@transaction.atomic
def accept_bed(*, bed: Bed, by: User) -> None:
    """`bed` is a bed of its own on its ward. Raises Refused where that was decided before."""
    bed = _locked(Bed, bed.pk)
    if bed.is_recognised or bed.same_as_id is not None:
        raise Refused(f"Bed {bed.label} has been recognised already. Look at the page again.")
    name_the_source(BY_HAND, by)
    bed.is_recognised = True
    bed.save(update_fields=["is_recognised"])
    mark_dirty([bed.ward_id])


def _locked(model: type[T], pk: int) -> T:
    return model._default_manager.select_for_update(no_key=True).get(pk=pk)


def _tell_again(concerned: Q, wards: Iterable[int]) -> int:
    """Project anew everybody whose movements name the place; count them."""
    movements = Movement.objects.filter(concerned)
    records = set(movements.values_list("patient", flat=True))
    visits = Visit.objects.filter(movements__in=movements)
    records |= set(visits.values_list("patient", flat=True))
    records |= set(
        visits.filter(merged_into__isnull=False).values_list("merged_into__patient", flat=True)
    )
    told_again(records)
    mark_dirty(wards)
    return len(records)
