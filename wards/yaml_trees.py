"""YAML as a tree of nodes, each of which knows its line.

Never built into Python objects: no tag can call anything, `07` stays a label, and `no` a word.
"""

from __future__ import annotations

from typing import Any, Final

import yaml
from yaml.nodes import Node

from wards import place_values as values
from wards.place_entries import Notes

DEEPEST: Final = 20
MOST_PARTS: Final = 400_000
# The parser in C where the wheel has it: ten times as fast.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str, notes: Notes, *, empty: str) -> Node | None:
    """The tree of the text; None where there is none, which is noted (`empty` where the text
    says nothing at all)."""
    root: Node | None
    try:
        if _refuse_tricks(text, notes):
            return None
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        _note_yaml_error(error, notes)
        return None
    if root is None:
        notes.wrong(0, "", empty)
    return root


def _refuse_tricks(text: str, notes: Notes) -> bool:
    """Note what such a file has no use for and an attacker has; whether there is any."""
    depth = documents = 0
    event: Any  # of many classes, told apart by what they have
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        trick = ""
        if count > MOST_PARTS:
            trick = "the file has too many parts; split it by site."
        elif depth > DEEPEST:
            trick = "brackets are nested too deep here."
        elif documents > 1:
            trick = "a second document starts here; remove the line ---."
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            trick = "anchors and aliases (& and *) are not read; write the value out."
        elif getattr(event, "tag", None):
            trick = f"tags are not read; remove {values.shown(event.tag)}."
        if trick:
            notes.wrong(line, "", trick)
            return True
    return False


def _note_yaml_error(error: yaml.YAMLError, notes: Notes) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    notes.wrong(
        mark.line + 1 if mark else 0,
        "",
        f"this is not YAML ({problem}); check indentation, brackets and quotes near here.",
    )
