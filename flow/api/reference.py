"""Published national figures over REST."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing_reference as describing
from flow.api.params import Params, cursor_of
from flow.api.reading import Reader, answered, form_of, now, scope, written
from flow.models import ReferenceBody, ReferenceMeasure, ReferenceValue

PAGE: Final = 500
MOST: Final = 5000


class _Published(Reader):
    """What was published is everybody's who may see counts of ours anywhere."""

    needs = TokenScope.OCCUPANCY_READ

    def params(self, request: Request, **clock: Any) -> Params:
        """Raises a 403 problem for those who may see no counts."""
        if not scope(request).may_anywhere(Permission.SEE_COUNTS):
            raise PermissionDenied("Only those who may see counts at some place may see these.")
        return super().params(request, **clock)


class Reference(_Published):
    """The values of reference series."""

    known: ClassVar = frozenset({"measure", "body", "from", "to", "limit", "cursor"})

    @extend_schema(**describing.REFERENCE)
    def get(self, request: Request) -> HttpResponse:
        """By measure, body and day; three queries at most."""
        params = self.params(request, now=now())
        limit = params.number("limit", default=PAGE, most=MOST)
        found = _asked(params, _place(params))
        params.check()
        rows = list(found[: limit + 1])
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            place = [last.measure_id, last.body_id, last.date.isoformat()]
            query = request.query_params.copy()
            query["cursor"] = cursor_of(place)
            following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        told = {"results": [_value(row) for row in rows[:limit]], "next": following}
        linked = {"Link": f'<{following}>; rel="next"'} if following else None
        return answered(request, written(form_of(request), told), headers=linked)


def _asked(params: Params, place: tuple[int, int, date] | None) -> QuerySet[ReferenceValue]:
    measures, bodies = params.texts("measure"), params.texts("body")
    first, last = _day(params, "from"), _day(params, "to")
    found = ReferenceValue.objects.select_related("measure", "body", "file")
    found = found.order_by("measure_id", "body_id", "date")
    if measures:
        keys = dict(ReferenceMeasure.objects.filter(slug__in=measures).values_list("slug", "pk"))
        _known(params, "measure", measures, keys)
        found = found.filter(measure__in=keys.values())
    if bodies:
        codes = [code.upper() for code in bodies]
        keys = dict(ReferenceBody.objects.filter(code__in=codes).values_list("code", "pk"))
        _known(params, "body", codes, keys)
        found = found.filter(body__in=keys.values())
    if first:
        found = found.filter(date__gte=first)
    if last:
        found = found.filter(date__lte=last)
    if place is not None:
        measure, body, day = place
        after = Q(measure__gt=measure) | Q(measure=measure, body__gt=body)
        found = found.filter(after | Q(measure=measure, body=body, date__gt=day))
        found = found.filter(measure__gte=measure)  # where the index begins to be read
    return found


def _known(params: Params, name: str, wanted: list[str], keys: dict[str, int]) -> None:
    strange = [one for one in wanted if one not in keys]
    if strange:
        params.errors[name] = (
            f"Nothing is loaded of “{strange[0][:80]}”; see /api/v1/reference/"
            f"{'measures' if name == 'measure' else 'bodies'}/."
        )


def _day(params: Params, name: str) -> date | None:
    text = params.text(name)
    if text is None:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        params.errors[name] = "Give a day such as 2024-12-31."
    return found


def _place(params: Params) -> tuple[int, int, date] | None:
    match params.cursor():
        case [int(measure), int(body), str(text)]:
            try:
                return measure, body, date.fromisoformat(text)
            except ValueError:
                params.errors["cursor"] = "This cursor is damaged; start again without it."
        case None:
            pass
        case _:
            params.errors["cursor"] = "This cursor is not of this list; start again without it."
    return None


def _value(row: ReferenceValue) -> dict[str, Any]:
    return {
        "measure": row.measure.slug,
        "body": row.body.code,
        "body_name": row.body.name or None,
        "date": row.date,
        "interval": row.measure.interval,
        "value": None if row.value is None else float(row.value),
        "mark": row.mark or None,
        "doubt": row.doubt or None,
        "file": row.file.name,
    }


class Measures(_Published):
    """What the series count."""

    @extend_schema(**describing.MEASURES)
    def get(self, request: Request) -> HttpResponse:
        """All of them; one query."""
        self.params(request, now=now())
        found = ReferenceMeasure.objects.select_related("reason__code_set")
        rows = [
            {
                "measure": one.slug,
                "label": one.label,
                "interval": one.interval,
                "share": one.is_share,
                "reason": one.reason.slug if one.reason else None,
                "code_set": one.reason.code_set.slug if one.reason else None,
            }
            for one in found
        ]
        return answered(request, written(form_of(request), {"results": rows}))


class Bodies(_Published):
    """Whom the series are of."""

    known: ClassVar = frozenset({"kind"})

    @extend_schema(**describing.BODIES)
    def get(self, request: Request) -> HttpResponse:
        """All of them; one query."""
        params = self.params(request, now=now())
        kinds = params.choices("kind", ReferenceBody.Kind.values)
        params.check()
        found = ReferenceBody.objects.filter(kind__in=kinds or ReferenceBody.Kind.values)
        rows = [{"body": one.code, "name": one.name or None, "kind": one.kind} for one in found]
        return answered(request, written(form_of(request), {"results": rows}))
