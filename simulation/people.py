"""Invented people: names, dates of birth, addresses and numbers that belong to nobody.

Family names are put together from parts of invented villages. NHS numbers lie in the range
999 000 0000 to 999 999 9999, which is kept for tests and never issued.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from simulation.clock import DAY, moment_of


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STARTS: Final = _words("""
    Alder Ams Ash Bar Bram Brind Burl Cald Carle Chil Cole Cran Dal Dun Ecc Elm Fen Ferns Gar Glen
    Green Hal Hart Hazel Holl Hurst Ince Kel Kings Lang Lind Lox Mar Mere Mill Nether North Oak Orm
    Pen Pick Quern Rad Raven Rush Sal Shel Stan Sut Tam Thorn Ulver Wal Wend Whit Wood Yarn
""")
_ENDS: Final = _words("""
    acre bourne bridge brook bury by combe cote croft dale den field ford gate ham holm holt hurst
    ley low mere more ridge shaw stead stone stow thorpe ton wall well wick worth
""")
_FAMILIES: Final = (
    "O'Fearnley", "McAldern", "Ødegren", "Łukowicz", "Dvořanský", "Nuñalba", "Brèsange",
    "Al-Qamari", "Chaudhrani", "Patelwala", "Singhara", "Okonjola", "Adebawo", "Mwangiri", "Tranh",
    "Ngoyen", "Kowalbek", "Zhangley", "De la Mere", "St Orme", "ap Hywelon", "Smith-Arden",
    "Müllerby",
)  # fmt: skip
_FEMALE: Final = _words("""
    Abigail Ada Agnes Aisha Alice Amara Amelia Anita Anna Audrey Beatrice Beryl Bethan Brenda
    Bridget Carol Catherine Charlotte Chloe Claire Daphne Deborah Doreen Dorothy Edith Eileen
    Elaine Elizabeth Ellen Elsie Emily Esther Eve Farida Fatima Fiona Florence Frances Freya
    Gillian Grace Gwen Hannah Harriet Hazel Helen Hilda Imogen Irene Iris Isla Jane Janet Jean
    Joan Josephine Joyce Julia June Karen Kathleen Laila Laura Leah Lilian Linda Lucy Mabel
    Margaret Maria Marjorie Mary Maureen Mavis Megan Miriam Molly Muriel Nadia Nancy Nora Norma
    Olive Olivia Pamela Patricia Pauline Peggy Phyllis Priya Rachel Rita Rose Ruby Ruth Sally
    Sandra Sarah Seren Sheila Shirley Siân Sofia Stella Susan Sylvia Tessa Una Valerie Vera Wendy
    Winifred Yasmin Yvonne Zainab Zoë
""")
_MALE: Final = _words("""
    Aaron Abdul Adam Alan Albert Alexander Alfred Andrew Anthony Archie Arjun Arthur Barry Basil
    Benjamin Bernard Brian Bruce Callum Cecil Charles Clifford Colin Cyril Daniel David Dennis
    Derek Desmond Donald Douglas Duncan Edgar Edmund Edward Eric Ernest Ewan Farid Francis Frank
    Frederick Geoffrey George Gerald Gordon Graham Gwyn Harold Harry Hassan Henry Herbert Hugh
    Ibrahim Imran Isaac Ivan Jack James Jamal Jeremy John Joseph Keith Kenneth Kwame Leonard
    Leslie Lewis Malcolm Marcus Martin Maurice Michael Mohammed Nathan Neil Nigel Norman Oliver
    Omar Oscar Owen Patrick Paul Percy Peter Philip Rafiq Ralph Raymond Reginald Richard Robert
    Roger Ronald Rupert Samuel Sean Sidney Simon Stanley Stephen Stuart Terence Thomas Timothy
    Trevor Victor Vikram Walter Wilfred William Yusuf Zac
""")
_STREETS: Final = _words("""
    Beacon Birchwood Chapel Church Station Mill Orchard Priory Quarry Riverside School Sheepfold
    Tannery Victoria Weaver Windmill Lapwing Kiln Granary Foundry Harbour Moorland
""")
_WAYS: Final = ("Road", "Lane", "Street", "Close", "Avenue", "Rise", "Court", "Gardens")
# QZ is no postcode area in use.
_TOWNS: Final = (
    ("Northmoor", "QZ1"), ("Eastvale", "QZ4"), ("Aldermere", "QZ7"), ("Westbeck", "QZ9"),
    ("Over Wendale", "QZ2"), ("Saltholm", "QZ5"), ("Fernsbury", "QZ3"),
)  # fmt: skip
_PRACTICES: Final = tuple(range(101, 141))
_PRACTICES_OF_A_TOWN: Final = 5
_TITLES: Final = {
    "F": ("Mrs", "Mrs", "Mrs", "Mrs", "Miss", "Miss", "Ms", "Ms", "Ms", "Dr"),
    "M": ("Mr",) * 14 + ("Dr",),
}


@dataclass
class Person:
    """One invented person. `mrn` holds their hospital number with each organisation.

    `misheard` holds details as they were first written down wrongly, until somebody corrects
    them; `open_visits` counts the visits that have not ended.
    """

    key: int
    family: str
    given: str
    title: str
    sex: str
    born: str
    nhs_number: str
    address: str
    town: str
    postcode: str
    practice: str
    mrn: dict[str, str] = field(default_factory=dict)
    misheard: dict[str, str] = field(default_factory=dict)
    open_visits: int = 0
    is_regular: bool = False
    died: int = 0

    @property
    def sex_word(self) -> str:
        """The sex as bays are marked with it."""
        return "female" if self.sex == "F" else "male"

    def said(self, detail: str) -> str:
        """A detail as the hospital has it now."""
        return self.misheard.get(detail) or str(getattr(self, detail))

    def age(self, minute: int) -> int:
        """Whole years at a moment."""
        today, born = moment_of(minute).date(), date.fromisoformat(self.born)
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def nhs_number(serial: int) -> str:
    """The first valid number at or after 999 000 000 + serial, check digit appended.

    Modulus 11 with weights 10 to 2 (NHS Data Dictionary, NHS NUMBER); where the check would be
    10 no number exists, and the serial that follows is taken.
    """
    nine = 999_000_000 + serial % 1_000_000
    while True:
        total = sum(int(d) * w for d, w in zip(str(nine), range(10, 1, -1), strict=True))
        digit = (11 - total % 11) % 11
        if digit != 10:
            return f"{nine}{digit}"
        nine += 1


def invent(rng: Random, *, key: int, at: int, sex: str, age: float) -> Person:
    """A new person of about the given age, told apart by `key`, which also gives the numbers."""
    town, area = rng.choice(_TOWNS)
    family = (
        rng.choice(_FAMILIES) if rng.random() < 0.12 else rng.choice(_STARTS) + rng.choice(_ENDS)
    )
    born = moment_of(at - int(max(age, 0.05) * 365.25) * DAY).date() - timedelta(
        days=rng.randrange(365)
    )
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return Person(
        key=key,
        family=family,
        given=rng.choice(_FEMALE if sex == "F" else _MALE),
        title=rng.choice(_TITLES[sex]) if age >= 18 else ("Miss" if sex == "F" else "Master"),
        sex=sex,
        born=born.isoformat(),
        # Two serials a person, because a serial without a valid number borrows the next one.
        nhs_number=nhs_number(2 * key),
        address=f"{rng.randrange(1, 140)} {rng.choice(_STREETS)} {rng.choice(_WAYS)}",
        town=town,
        postcode=f"{area} {rng.randrange(1, 10)}{rng.choice(letters)}{rng.choice(letters)}",
        practice=_practice(town, rng.choice(_PRACTICES)),
    )


def _practice(town: str, drawn: int) -> str:
    """The code of one of the practices of a town."""
    place = [name for name, _area in _TOWNS].index(town)
    return f"QZ{101 + place * _PRACTICES_OF_A_TOWN + drawn % _PRACTICES_OF_A_TOWN:04d}"


def mishear(rng: Random, person: Person) -> dict[str, str]:
    """A detail as a clerk might get it wrong at the first registration."""
    born = date.fromisoformat(person.born)
    wrong = (
        ("born", born.replace(day=1 + born.day % 28).isoformat()),
        ("given", person.given[:-1] if len(person.given) > 4 else person.given + "a"),
        ("postcode", person.postcode[:-1] + ("A" if person.postcode[-1] != "A" else "B")),
        ("family", f"{person.family[:-1]}s" if person.family[-1] != "s" else person.family[:-1]),
    )
    return dict([rng.choice(wrong)])
