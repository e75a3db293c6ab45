"""What a deed refuses, as a problem that a program can act upon."""

from __future__ import annotations

from http import HTTPStatus

from accounts.refusals import Refused
from flow.api.problems import ApiProblem
from wards.newcomers import AlreadyKnown, SameName
from wards.placing import Unsuitable


def problem_of(refused: Refused) -> ApiProblem:
    """409 with the reason, and with what the caller needs to try again otherwise."""
    kind, more = _told(refused)
    return ApiProblem(kind, HTTPStatus.CONFLICT, refused.reason, more=more)


def _told(refused: Refused) -> tuple[str, dict[str, object]]:
    match refused:
        case Unsuitable():
            rules = [
                {
                    "code": one.code,
                    "title": one.title,
                    "text": one.text,
                    "may_override": one.overridable,
                }
                for one in refused.findings
            ]
            return "unsuitable", {"rules": rules, "may_override": refused.may_override}
        case AlreadyKnown():
            return "already-known", {"record": refused.record, "differs": list(refused.differs)}
        case SameName():
            return "same-name", {"records": [one.record for one in refused.namesakes]}
        case _:
            return "refused", {}
