"""Rule sets in words: cut-offs as people type them, and what changed between two versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import isfinite

from django.utils.translation import gettext as _

from huddles.escalation.rule_sets import Stored
from huddles.opel.rule_set import Parameter, Worse


def cuts_text(parameter: Parameter) -> str:
    """Cut-offs as they are typed: `15=1, 20=2`."""
    return ", ".join(f"{cut.value:g}={cut.score}" for cut in parameter.cuts)


def cut_words(parameter: Parameter) -> list[str]:
    """Cut-offs as they are read: `≥ 15 scores 1`."""
    sign = "≤" if parameter.worse is Worse.LOWER else "≥"
    return [
        _("%(sign)s %(value)g scores %(score)d")
        % {"sign": sign, "value": cut.value, "score": cut.score}
        for cut in parameter.cuts
    ]


def pairs(text: str) -> dict[str, float]:
    """What was typed as `name=number, name=number`, finite ones. Raises ValueError with the part
    that is wrong."""
    found: dict[str, float] = {}
    for part in (one.strip() for one in text.replace(";", ",").split(",")):
        if not part:
            continue
        name, sign, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            sign = ""
        else:
            sign = sign if isfinite(value) else ""
        if not sign or not name or name in found:
            raise ValueError(part[:60])
        found[name] = value
    return found


def minutes(length: timedelta) -> int:
    """A length in minutes."""
    return int(length.total_seconds() // 60)


def changes(before: Stored, after: Stored) -> Sequence[str]:
    """What another version says otherwise, a line each."""
    old, new = before.rules, after.rules
    known = {one.code: one for one in old.parameters}
    said = []
    if old.name != new.name:
        said.append(_("Name: %(new)s, was %(old)s") % {"new": new.name, "old": old.name})
    if (old.valid_from, old.valid_until) != (new.valid_from, new.valid_until):
        said.append(
            _("Valid: %(new)s, was %(old)s") % {"new": _dates(after), "old": _dates(before)}
        )
    for one in new.parameters:
        was = known.pop(one.code, None)
        said += [_("Added: %(name)s") % {"name": one.name}] if was is None else _of(was, one)
    said += [_("Removed: %(name)s") % {"name": one.name} for one in known.values()]
    for label, theirs, ours in (
        (_("Bands"), bands_text(old.bands), bands_text(new.bands)),
        (_("Weights"), weights_text(before.weights), weights_text(after.weights)),
        (_("Rounding"), str(old.rounding), str(new.rounding)),
        (_("Example"), _yes(old.example), _yes(new.example)),
    ):
        if theirs != ours:
            said.append(
                _("%(what)s: %(new)s, was %(old)s")
                % {"what": label, "new": ours or _("none"), "old": theirs or _("none")}
            )
    return said


def _yes(said: bool) -> str:
    return _("yes") if said else _("no")


def _of(was: Parameter, now: Parameter) -> list[str]:
    said = []
    if was.name != now.name:
        said.append(_("%(new)s, was called %(old)s") % {"new": now.name, "old": was.name})
    if (was.cuts, was.worse) != (now.cuts, now.worse):
        said.append(
            _("%(name)s: %(new)s, was %(old)s")
            % {
                "name": now.name,
                "new": cuts_text(now) or _("not filled in"),
                "old": cuts_text(was) or _("not filled in"),
            }
        )
    if was.stale_after != now.stale_after:
        said.append(
            _("%(name)s: stale after %(new)d minutes, was %(old)d")
            % {"name": now.name, "new": minutes(now.stale_after), "old": minutes(was.stale_after)}
        )
    return said


def _dates(stored: Stored) -> str:
    rules = stored.rules
    if rules.valid_until is None:
        return _("from %(day)s") % {"day": f"{rules.valid_from:%-d %b %Y}"}
    return _("%(first)s until %(last)s") % {
        "first": f"{rules.valid_from:%-d %b %Y}",
        "last": f"{rules.valid_until:%-d %b %Y}",
    }


def bands_text(bands: Mapping[int, int]) -> str:
    """The lowest score of each level: `0, 12, 23, 34`."""
    return ", ".join(str(low) for low in bands.values())


def weights_text(weights: Mapping[str, float]) -> str:
    """Weights as they are typed: `NGH=0.6, ERH=0.4`."""
    return ", ".join(f"{code}={weight:g}" for code, weight in weights.items())
