"""Reading rule sets and values from files, and telling a result. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from huddles.opel.rule_set import (
    BadRuleSet,
    Bounds,
    Cut,
    Parameter,
    Rounding,
    RuleSet,
    Worse,
    bounds_of,
)
from huddles.opel.scoring import BadValues, Reached, Result, RolledUp, Told, rolled_up, scored

FOLDER: Final = Path(__file__).parent / "rule_sets"
"""The rule sets that come with Flowboard."""
_KEYS: Final = frozenset({"rule_set", "at", "values", "providers"})
_OF_PROVIDER: Final = frozenset({"weight", "values"})
_OF_VALUE: Final = frozenset({"value", "as_at", "source"})
_OF_SET: Final = frozenset(
    {"code", "name", "version", "valid_from", "valid_until", "example", "source", "parameters",
     "bands", "rounding", "dates_confirmed", "published"}
)  # fmt: skip
_OF_PARAMETER: Final = frozenset(
    {"code", "name", "unit", "worse", "scores", "stale_after_minutes", "bounds", "confirmed"}
)


def named(name: str) -> RuleSet:
    """The rule set of this name: one that comes with Flowboard, or the path of a file. Raises
    BadRuleSet for an unknown one, naming those there are."""
    path = FOLDER / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
    elif name not in names():
        raise BadRuleSet(f"There is no rule set {name!r}; there are {', '.join(names())}.")
    return read_rule_set(path)


def names() -> list[str]:
    """The rule sets that come with Flowboard."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_rule_set(path: Path) -> RuleSet:
    """A rule set from its file. Raises BadRuleSet, with the place in the file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, OverflowError, yaml.YAMLError) as error:
        raise BadRuleSet(f"{path}: {error}") from error
    except RecursionError:
        raise BadRuleSet(f"{path}: it is nested too deeply.") from None
    try:
        _check_names(content)
        return rule_set_of(content)
    except BadRuleSet as error:
        raise BadRuleSet(f"{path}: {error}") from error


def _check_names(content: Any) -> None:
    """Refuse a name that nothing reads: a misspelt one would say nothing, unseen."""
    entry = _entry(content, "the file")
    _known(entry, _OF_SET, "the file", BadRuleSet)
    parameters = entry.get("parameters")
    for one in parameters if isinstance(parameters, list) else []:
        if isinstance(one, Mapping):
            _known(one, _OF_PARAMETER, str(one.get("code", "a parameter")), BadRuleSet)


def _known(
    said: Mapping[Any, Any], names: frozenset[str], what: str, error: type[ValueError]
) -> None:
    if strange := sorted(str(name) for name in said if name not in names):
        raise error(
            f"{what}: {strange[0][:60]} is not known; known are {', '.join(sorted(names))}."
        )


def rule_set_of(content: Any) -> RuleSet:
    """A rule set from the content of its file. Raises BadRuleSet."""
    entry = _entry(content, "the file")
    try:
        return RuleSet(
            code=str(entry["code"]),
            name=str(entry["name"]),
            version=str(entry["version"]),
            valid_from=_day(entry["valid_from"]),
            valid_until=_day(entry["valid_until"]) if entry.get("valid_until") else None,
            example=bool(entry.get("example", False)),
            source=str(entry.get("source", "")).strip(),
            parameters=tuple(_parameter(one) for one in entry["parameters"]),
            bands={int(level): _whole(low, "a band") for level, low in _table(entry.get("bands"))},
            rounding=Rounding(entry.get("rounding", Rounding.HALF_UP)),
            dates_confirmed=bool(entry.get("dates_confirmed", False)),
        )
    except KeyError as error:
        raise BadRuleSet(f"{error.args[0]} is missing.") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, BadRuleSet):
            raise
        raise BadRuleSet(f"it cannot be read: {error}") from error


def _parameter(content: Any) -> Parameter:
    entry = _entry(content, "a parameter")
    code, unit = str(entry.get("code", "?")), str(entry.get("unit", ""))
    try:
        return Parameter(
            code=str(entry["code"]),
            name=str(entry["name"]),
            unit=str(entry["unit"]),
            worse=Worse(entry["worse"]),
            cuts=tuple(
                Cut(float(value), _whole(score, f"{code}: a score"))
                for value, score in _table(entry.get("scores"))
            ),
            stale_after=timedelta(minutes=float(entry["stale_after_minutes"])),
            bounds=_bounds(entry.get("bounds"), code, unit),
            confirmed=bool(entry.get("confirmed", False)),
        )
    except KeyError as error:
        raise BadRuleSet(f"{code}: {error.args[0]} is missing.") from None
    except OverflowError:
        raise BadRuleSet(f"{code}: a number in it is too large.") from None


def _table(said: Any) -> list[tuple[Any, Any]]:
    return list((said or {}).items())


def _whole(said: Any, what: str) -> int:
    """A whole number, also one that stands in a text. Raises BadRuleSet."""
    if isinstance(said, str) and said.strip().isdecimal():
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int):
        raise BadRuleSet(f"{what} is a whole number: {str(said)[:40]}.")
    return said


def _bounds(said: Any, code: str, unit: str) -> Bounds:
    if said is None:
        return bounds_of(code, unit)
    if not isinstance(said, list) or len(said) != 2:
        raise BadRuleSet(f"{code}: bounds are two numbers, the least and the most it can be.")
    return float(said[0]), float(said[1])


def _entry(content: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise BadRuleSet(f"{what} is a table of names and values.")
    return content


def _day(said: Any) -> date:
    return said if isinstance(said, date) else date.fromisoformat(str(said))


def score_file(content: Any, rule_set: RuleSet, *, now: datetime) -> Reached:
    """Score what a file of values says: `values` by parameter for one provider, or `providers`,
    each with a `weight` and `values`. A value is a number, or has `value`, `as_at` and `source`;
    without `as_at` it is from the file's `at`, which is `now` where it is not said. Raises
    BadValues."""
    if not isinstance(content, Mapping):
        raise BadValues("The file holds a table with values or providers.")
    if unknown := sorted(set(content) - _KEYS):
        raise BadValues(f"{unknown[0]} is not known; known are {', '.join(sorted(_KEYS))}.")
    at = now if content.get("at") is None else _moment(content["at"], "at")
    if ("values" in content) == ("providers" in content):
        raise BadValues("Give either values of one provider, or providers.")
    if "values" in content:
        return scored(_values(content["values"], rule_set, at, "values"), rule_set, at=at)
    providers = content["providers"]
    if not isinstance(providers, Mapping):
        raise BadValues("providers is a table: the name of each with its weight and values.")
    found: dict[str, tuple[float, Result]] = {}
    for name, one in providers.items():
        if not isinstance(one, Mapping) or "weight" not in one or "values" not in one:
            raise BadValues(f"{name} has a weight and values.")
        _known(one, _OF_PROVIDER, str(name), BadValues)
        values = _values(one["values"], rule_set, at, str(name))
        found[str(name)] = (_number(one["weight"], f"the weight of {name}"),
                            scored(values, rule_set, at=at))  # fmt: skip
    return rolled_up(found, rule_set)


def _values(content: Any, rule_set: RuleSet, at: datetime, what: str) -> dict[str, Told]:
    if not isinstance(content, Mapping):
        raise BadValues(f"{what} is a table: each parameter with its value.")
    parameters = {one.code: one for one in rule_set.parameters}
    found = {}
    for code, one in content.items():
        said = one if isinstance(one, Mapping) else {"value": one}
        _known(said, _OF_VALUE, str(code), BadValues)
        if said and "value" not in said:
            raise BadValues(f"{code}: value is missing; where nobody has told one, it is null.")
        if said.get("value") is None:
            continue  # nobody has told it
        as_at = at if said.get("as_at") is None else _moment(said["as_at"], str(code))
        number = _number(said["value"], str(code))
        if (parameter := parameters.get(str(code))) and not parameter.can_be(number):
            low, high = parameter.bounds
            raise BadValues(f"{code} is from {low:g} to {high:g} {parameter.unit}: {number:g}.")
        found[str(code)] = Told(number, as_at, str(said.get("source", "")))
    return found


def _number(said: Any, what: str) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise BadValues(f"{what} is no number: {str(said)[:40]!r}.")
    try:
        return float(said)
    except OverflowError:
        raise BadValues(f"{what} is too large a number.") from None


def _moment(said: Any, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        raise BadValues(f"{what}: {said!r} is no time such as 2026-01-12T08:15:00Z.") from None
    if found.tzinfo is None:
        raise BadValues(f"{what}: {said!r} needs its zone, such as Z or +01:00.")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise BadValues(f"{what}: {said!r} is before or after all time.") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table of JSON in which every name stands once, for `json.loads`. Raises BadValues: of two
    values under one name nobody knows which was meant."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadValues(f"{name[:60]} stands there twice.")
        found[name] = value
    return found


def told(reached: Reached) -> dict[str, Any]:
    """A result as JSON holds it."""
    rule_set = reached.rule_set
    levels = reached.levels
    found: dict[str, Any] = {
        "rule_set": rule_set.code,
        "version": rule_set.version,
        "example": rule_set.example,
        "not_filled_in": list(rule_set.not_filled_in) + ([] if rule_set.bands else ["bands"]),
        "score": _plain(reached.score),
        "lowest": _plain(reached.lowest),
        "highest": _plain(reached.highest),
        "level": reached.level,
        "level_lowest": levels[0] if levels else None,
        "level_highest": levels[1] if levels else None,
    }
    if isinstance(reached, RolledUp):
        found["providers"] = {
            name: {"weight": weight, **told(one)}
            for name, (weight, one) in reached.providers.items()
        }
    if isinstance(reached, Result):
        found["as_at"] = reached.at.isoformat()
        found["parameters"] = [
            {
                "code": one.parameter.code,
                "name": one.parameter.name,
                "unit": one.parameter.unit,
                "value": one.told.value if one.told else None,
                "as_at": one.told.as_at.isoformat() if one.told else None,
                "source": one.told.source if one.told else None,
                "age_minutes": None if one.age is None else one.age.total_seconds() / 60,
                "stale": one.stale,
                "score": one.score,
                "most": one.parameter.most,
            }
            for one in reached.parameters
        ]
    return found


def _plain(number: float) -> float | int:
    near = round(number, 9)
    return int(near) if near == int(near) else near
