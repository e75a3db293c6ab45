"""Takes the names of patients out of what people typed, before it is shown where no name may be.

Pure. A word is hidden where it is a part of a name given, however it is written: with another
accent, broken in two or run together, with letters spaced out, with a title or digits glued to it.
Numbers, dates of birth, addresses are hidden by their pattern (`huddles.numbers`), whoever's they
are. So is whatever follows "Mrs" or "Mr".

Words that are names and ordinary words too ("May") are hidden as well: a line with a gap is better
than a name. There are two exceptions, without which no line could be read. `ORDINARY` words stay,
but after a title, and where they stand as a name does beside another part of one ("Anne Ward").
The name of a ward or a team of the hospital stays where it is written out ("Hazel Ward"), unless
somebody is called just that; a single word of it does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from huddles.letters import APOSTROPHES, HYPHENS, all_spellings, spellings, visible
from huddles.numbers import without_numbers

HIDDEN: Final = "…"

_JOINS = re.escape(APOSTROPHES + HYPHENS)
_WORD = re.compile(rf"[^\W_]+(?:[{_JOINS}][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_]{1,3}[^\W\d_](?![^\W_])){2,}")
_NEAR = re.compile(rf"[\s.,/_{_JOINS}]{{1,3}}")
_SHORTEST: Final = 2
_SHORTEST_GLUED: Final = 3
_LONGEST: Final = 40
_LEAST_JOINED: Final = 4
_MOST_JOINED: Final = 4
"""Words that may be one name broken up."""


def _all(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES: Final = _all("mr mrs ms miss mx master mstr dr sir lady lord dame prof rev")
_OF_PATIENTS: Final = _all("mr mrs ms mx mstr")
"""Titles after which a name comes for certain; staff are called Dr."""
_GLUED: Final = ("mstr", "mrs", "miss", "mr", "ms", "mx", "dr", "pt")
_PARTICLES: Final = _all(
    "de la le du da do dos das di del della den der van von ter ten st san al el bin ibn abu ap "
    "ab mc mac o y e d l"
)

ORDINARY: Final = _all(
    # What every sentence has.
    "a about after all also an and any are as at be been before but by can could did do does "
    "done down due for from get go had has have he her him his if in into is it its must need "
    "needs new no not now of off on one or our out over re said see seen she should so soon "
    "still than that the their them then there they this to too two up via was we were what "
    "when where which who why will with yes you your "
    # What is spoken of.
    "acute admission agree arrange ask assessment barrier bay bays bed beds bleep blood bloods "
    "book call care carer chair chase check clean cleaned cleaner cleaning clinic close closed "
    "closure confirm consultant contact corridor day days discharge discharged discharges "
    "doctor doctors domestic drug drugs emergency escalate fall family fell find fit flow free "
    "give harm hazard help home hospital hour hours huddle infection keep lead lift list lounge "
    "manager matron meal medical medicine meds min minutes morning move moved moves night noon "
    "nothing nurse nurses nursing open opened order pathway patient patients pharmacist "
    "pharmacy phone physio place plan porter porters ready refer referral relatives request "
    "review ring room rooms round safety scan send side sister site social staff step stroke "
    "surgery surgical take team teams tell test therapies therapist therapists therapy today "
    "tomorrow transfer transport tto ttos unit until visit wait waits ward wards wheelchair "
    "worker write"
)
"""Words of the trade and of every sentence, which stay though somebody may be called so."""


class Words(frozenset[str]):
    """The words to hide, and `phrases`, which stay: names of wards and teams by their first word,
    in the spelling of `huddles.letters`."""

    phrases: dict[str, list[tuple[str, ...]]]

    def __new__(cls, words: Iterable[str] = (), *, kept: Iterable[str] = ()) -> Words:
        made = super().__new__(cls, words)
        made.phrases = phrases_of(tuple(kept))
        return made


@lru_cache(maxsize=4)
def phrases_of(kept: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    """The names of places and teams that may be read, by their first word. One of a single word is
    read only beside what it is: "Hazel ward"."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name in kept:
        words = tuple(min(spellings(match[0])) for match in _WORD.finditer(name))
        ways = [words] if len(words) > 1 else [(*words, "ward"), ("ward", *words)] if words else []
        for way in ways:
            found.setdefault(way[0], []).append(way)
    return found


def words_of(names: Iterable[str]) -> frozenset[str]:
    """The words to hide for these names and numbers: each part of each, and parts that follow each
    other written as one."""
    found: set[str] = set()
    for name in names:
        for spelled in all_spellings(visible(name)):
            found |= _words_of(spelled)
    return frozenset(found)


def joined(*names: str) -> frozenset[str]:
    """Several names of one person written as one word, as in "annesmith"."""
    firsts = [all_spellings("".join(_PART.findall(name)[:1])) for name in names if name]
    wholes = [all_spellings("".join(_PART.findall(name))) for name in names if name]
    found = set()
    for ways in (firsts, wholes):
        for one, other in pairwise(ways):
            found |= {a + b for a in one for b in other} | {b + a for a in one for b in other}
    return frozenset(found)


def _words_of(name: str) -> set[str]:
    parts = _PART.findall(name)
    found = {word for word in parts if len(parts) == 1 or word not in _PARTICLES}
    for start in range(len(parts)):
        for end in range(start + 2, min(len(parts), start + 5) + 1):
            found.add("".join(parts[start:end]))
    # A short number is a bed's or a day's, too.
    return {
        word
        for word in found
        if len(word) >= (_LEAST_JOINED if word.isdigit() else _SHORTEST) and word not in TITLES
    }


@dataclass(slots=True)
class _Token:
    """A word of a text: where it stands, how it may be spelled, and whether it is hidden."""

    start: int
    end: int
    typed: str
    ways: frozenset[str]
    gone: bool = False

    @property
    def ordinary(self) -> bool:
        return not self.ways.isdisjoint(ORDINARY)


def masked(text: str, words: Collection[str]) -> str:
    """`text` with every word of `words` (as `words_of` or `huddles.names` give them) hidden, and
    everything that could be a number of somebody, a date of birth, or an address. Without any
    words, for who may read the names, it is `text` as it was; `Words` hide numbers even when empty.
    """
    if not words and not isinstance(words, Words):
        return text
    hidden = words if isinstance(words, frozenset) else frozenset(words)
    text = without_numbers(visible(text), HIDDEN)
    text = _SPACED.sub(lambda run: HIDDEN if _spells(run[0], hidden) else run[0], text)
    tokens = [
        _Token(found.start(), found.end(), found[0], spellings(found[0]))
        for found in _WORD.finditer(text)
    ]
    for token in tokens:
        token.gone = not token.ordinary and _is_hidden(token, hidden)
    if isinstance(words, Words):
        _keep(tokens, words)
    _join(text, tokens, hidden)
    _beside(text, tokens, hidden)
    left, end = "", 0
    for token in tokens:
        if token.gone:
            left, end = left + text[end : token.start] + HIDDEN, token.end
    return left + text[end:]


def _is_hidden(token: _Token, hidden: frozenset[str]) -> bool:
    ways: set[str] = set()
    for word in token.ways:
        ways |= _ways(word)
    for hump in _HUMP.split(token.typed):
        for word in spellings(hump):
            ways |= _ways(word)
    return any(
        not hidden.isdisjoint((way, way.removesuffix("s") if len(way) > _SHORTEST else way))
        for way in ways
        if way not in ORDINARY
    )


def _ways(word: str) -> set[str]:
    """The word, its parts and what it is without a title or digits glued to it."""
    parts = _PART.findall(word)
    glued: set[str] = set()
    for part in (*parts, "".join(parts)):
        pieces = _PIECE.findall(part)
        if len(pieces) > 1:
            glued |= {one for one in pieces if len(one) >= _SHORTEST_GLUED and one.isalpha()}
        for piece in pieces:
            glued |= {
                piece.removeprefix(title)
                for title in _GLUED
                if piece.startswith(title) and len(piece) - len(title) >= _SHORTEST_GLUED
            }
    kept = {part for part in parts if len(parts) == 1 or part not in _PARTICLES}
    return {word, "".join(parts)} | kept | glued


def _spells(run: str, hidden: frozenset[str]) -> bool:
    """Whether letters spaced out have a name in them."""
    for letters in spellings("".join(_PART.findall(run))):
        for start in range(len(letters) - _SHORTEST):
            ends = range(start + _SHORTEST_GLUED, min(len(letters), start + _LONGEST) + 1)
            if any(letters[start:end] in hidden for end in ends):
                return True
    return False


def _keep(tokens: list[_Token], words: Words) -> None:
    """Leave the names of wards and teams, unless somebody is called just so."""
    for place, token in enumerate(tokens):
        for way in token.ways:
            for phrase in words.phrases.get(way, ()):
                run = tokens[place : place + len(phrase)]
                same = len(run) == len(phrase) and all(
                    word in one.ways for word, one in zip(phrase, run, strict=True)
                )
                if same and "".join("".join(phrase).split("'")) not in words:
                    for one in run:
                        one.gone = False


def _join(text: str, tokens: list[_Token], hidden: frozenset[str]) -> None:
    """Hide words that follow each other and are a name together."""
    for start in range(len(tokens)):
        spelled = set(_bare(tokens[start]))
        for end in range(start + 1, min(len(tokens), start + _MOST_JOINED)):
            between = text[tokens[end - 1].end : tokens[end].start]
            if not _NEAR.fullmatch(between):
                break
            spelled = {one + other for one in spelled for other in _bare(tokens[end])}
            run = tokens[start : end + 1]
            if all(one.ordinary for one in run):
                continue
            ways = {way for one in spelled for way in (one, one.removesuffix("s"))}
            if any(len(way) >= _LEAST_JOINED and way in hidden for way in ways):
                for one in run:
                    one.gone = True


def _bare(token: _Token) -> set[str]:
    return {"".join(_PART.findall(way)) for way in token.ways}


def _beside(text: str, tokens: list[_Token], hidden: frozenset[str]) -> None:
    """Hide what stands where a name does: after a title; and an ordinary word that is a name, or
    a small word of one ("de la"), beside another part of one."""
    for place, (one, other) in enumerate(pairwise(tokens)):
        near = text[one.end : other.start].strip(".") in ("", " ", "  ")
        if near and _is_title(one):
            _hide_named(text, tokens[place + 1 :])
        elif near and one.gone and not other.gone and _is_name_here(text, other, hidden):
            other.gone = True
    for one, other in reversed(list(pairwise(tokens))):
        near = text[one.end : other.start].isspace()
        if near and other.gone and not one.gone and _is_name_here(text, one, hidden):
            one.gone = True


def _is_title(token: _Token) -> bool:
    if token.typed == "Miss" or not token.ways.isdisjoint(_OF_PATIENTS):
        return True
    return token.typed in ("Master", "Sir", "Lady", "Lord", "Dame")


def _hide_named(text: str, after: list[_Token]) -> None:
    """Hide the word after a title, with the small words before it."""
    for token in after:
        token.gone = True
        if token.ways.isdisjoint(_PARTICLES):
            return


def _is_name_here(text: str, token: _Token, hidden: frozenset[str]) -> bool:
    if not token.ways.isdisjoint(_PARTICLES - ORDINARY - {"e", "y"}):
        return True
    # In this order: of the words, which are many, none is looked at in vain.
    if hidden.isdisjoint(token.ways) or not token.typed[0].isupper():
        return False
    # "Smith Ward 7": that is the ward.
    return re.match(r"\s*[A-Za-z]?-?\d", text[token.end :]) is None
