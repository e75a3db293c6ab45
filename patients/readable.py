"""Files that people write and read: YAML, checked as a whole before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from rest_framework import serializers as s

from accounts.refusals import Refused


def read_entry(file: Path, kind: type[s.Serializer[Any]]) -> Mapping[str, Any]:
    """What the file says, checked by `kind`. Raises Refused with every mistake and its place."""
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not text in UTF-8. Save it as UTF-8 and load it again.") from None
    except yaml.YAMLError as error:
        raise Refused(f"{file} is not YAML: {' '.join(str(error).split())}.") from None
    entry = kind(data=said)
    if not entry.is_valid():
        raise Refused(f"{file}: {'; '.join(_mistakes('', entry.errors))} Nothing was loaded.")
    said = entry.validated_data
    assert isinstance(said, Mapping)
    return said


def _mistakes(where: str, errors: Any) -> Iterable[str]:
    """The mistakes that a serializer found, each with its place; lists are counted from 1."""
    if not isinstance(errors, Mapping):
        yield from (f"{where}: {error}" if where else str(error) for error in errors)
        return
    for name, below in errors.items():
        if isinstance(name, int):
            place = f"{where}[{name + 1}]"
        elif name == "non_field_errors":
            place = where
        else:
            place = f"{where}.{name}" if where else str(name)
        yield from _mistakes(place, below)
