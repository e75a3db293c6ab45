"""No word of a name is left, however it was typed; and what is no name can be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huddles.masking import HIDDEN, ORDINARY, Words, joined, masked, words_of

PEOPLE = (
    ("Anne-Marie", "O’Brien"), ("Jürgen", "Müller"), ("Jo", "Smith"), ("Jan", "Łukowicz"),
    ("Åse", "Ødegren"), ("Célia", "De la Mere"), ("Mary Jane", "St Orme"), ("Liam", "McDonald"),
    ("Rose", "O'Neill"), ("Anne", "Ward"), ("Hazel", "Lee"), ("Ali", "Hasan"), ("Uwe", "Gauß"),
    ("Björk", "Þórsdóttir"), ("Ivy", "Lark-Hill"), ("Bea", "Bay"), ("Lê", "An"),
    ("Sue", "Groening"),
)  # fmt: skip
WORDS = Words(
    words_of([*(name for each in PEOPLE for name in each), "MRN 004711"]).union(
        *(joined(*each) for each in PEOPLE)
    ),
    kept=["Hazel Ward", "Ward 7 Respiratory", "Therapies", "Ivy"],
)

_GONE = """
SMITH smith Smith's Smith’s Smiths Smith, (Smith) Smith? *Smith*
o'brien OBrien O‘Brien Brien Annemarie anne-marie Marie Anne‑Marie
Müller muller Mueller MUELLER Mu\u0308ller Jurgen Juergen Groening Gröning Groning
Łukowicz Lukowicz LUKOWICZ Ødegren Odegren Oedegren Åse Ase Aase Gauß Gauss GAUSS
Þórsdóttir Thorsdottir Torsdottir
Delamere DeLaMere Dela-Mere de-la-mere StOrme St-Orme Storme ONeill O`Neill O´Neill
Mc-Donald MCDONALD mc'donald Lark Hill LarkHill larkhill Lark/Hill Hill-Lark
MrsSmith JSmith MRSmith mrssmith MrSmith DrSmith ptSmith Smith12 12Smith smith12a bed12Smith
JoSmith josmith
SmithJo smith_jones Smith\u00ads Smi\u200bth S\u0336m\u0336i\u0336t\u0336h\u0336 Ｓｍｉｔｈ
9990000018 999-000-0018 999.000.0018 999/000/0018 999–000–0018 99-90-00-00-18 999_000_0018
999:000:0018 004711 MRN004711 RXA12345 rxa.1234 RXA-1234 W/12345 R12X345 12345
07700900123 +447700900123 01632-960-123 jo.smith@nhs.net x@example.org SW1A1AA m11ae
12/03/1941 12.3.41 12-3-41 1941-03-12 12/3/41 12Mar41 12-Mar-1941 12031941
"""
GONE = _GONE.split()

GONE_WHOLE = [
    "O Brien", "o' brien", "Mc Donald", "De la Mere", "de La mere", "Dela Mere", "St. Orme",
    "St Orme", "Anne Ward", "Ward, Anne", "Hazel Lee", "Lark Hill", "Mu ller", "S m i t h",
    "S.m.i.t.h", "S-M-I-T-H", "s  m  i  t  h", "M r s S m i t h", "d e l a m e r e", "Lê An",
    "999 000 0018", "999 – 000 – 0018", "999. 000. 0018", "(999) 000 0018", "999 : 000 : 0018",
    "07700 900 123", "+44 (0)7700 900123", "01632 960123", "SW1A 1AA", "m1 1ae",
    "12 March 1941", "12th of March 1941", "March 12th, 1941", "12 Mar 41", "12. 3. 1941",
    "12 03 1941", "1 Jan '41", "12 / 03 / 1941",
]  # fmt: skip

STAYS = [
    "bed 12 by 11:30", "bay B, bed A-12, W12, ward 7", "24/11", "25 Nov", "25 Nov 14:00",
    "24/11 25/11 at 1430", "25 Nov 2pm", "by 25 Nov, 25 beds", "09:00 10:30 12:15 17:00",
    "smithy stays; blacksmith stays", "therapy to see bed 12", "Ward round at 9", "Bay 3 closed",
    "close beds 1-6", "beds 12, 13, 14", "he has an infection", "to Hazel Ward by 11",
    "ask Ward 7 Respiratory", "Therapies before noon", "an ambulance", "2 of 14 nurses short, 1:4",
    "A1 2nd floor", "ED at 95%", "4 hours", "O2 low", "TTOs by 2", "Ivy ward is full", "lift 3",
    "move 3 to the discharge lounge", "bed 3-4 side room 2", "24.11 at 10.30", "3/4 done",
]  # fmt: skip


@pytest.mark.parametrize("typed", GONE + GONE_WHOLE)
def test_no_shape_of_a_name_or_a_number_is_left(typed: str) -> None:
    for text in (f"chase {typed} by 11", f"chase {typed}", f"{typed} to go home"):
        left = masked(text, WORDS)
        rest = left.replace("chase", "").replace("by 11", "").replace("to go home", "")
        assert HIDDEN in left
        assert re.sub(r"[\W_]", "", rest) in ("", "jones"), left
        assert text.startswith("chase") == left.startswith("chase")


@pytest.mark.parametrize("typed", STAYS)
def test_what_is_no_name_can_be_read(typed: str) -> None:
    assert masked(typed, WORDS) == typed


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        # A word of the trade is a name after a title, or written as one beside another part of it.
        ("Mrs Ward to Ward 7", "Mrs … to Ward 7"),
        ("Smith Ward 7", "… Ward 7"),
        ("Smith to bay 3", "… to bay 3"),
        ("Mr Bay, Miss An, miss the bus", "Mr …, Miss …, miss the bus"),
        # The name of a ward stays as it is written out; somebody may be called by a part of it.
        ("Hazel from Hazel Ward", "… from Hazel Ward"),
        ("Mrs Hazel Ward", "Mrs … …"),
        ("ask Ivy", "ask …"),
        # Whoever follows "Mrs" is hidden, known or not.
        ("Mrs Nobody-Knows and Mr de Somebody", "Mrs … and Mr … …"),
        ("Dr Quill to see bed 12", "Dr Quill to see bed 12"),
        ("9990000018 999:000:0018", "… …"),
    ],
)
def test_what_is_a_name_and_a_word_too(typed: str, shown: str) -> None:
    assert masked(typed, WORDS) == shown


def test_without_anybody_in_care_numbers_are_hidden_still_but_not_from_who_may_read_them() -> None:
    said = "ring 999 000 0018"
    assert masked(said, Words()) == "ring …"
    assert masked(said, frozenset()) == said


def test_a_ward_that_is_called_as_somebody_is_hides_with_them() -> None:
    called = joined("Hazel", "Ward") | words_of(["Hazel", "Ward"])
    assert masked("see Hazel Ward", Words(called, kept=["Hazel Ward"])) == "see … …"


@given(
    some.lists(some.text("abcdefgéø'- ", min_size=2, max_size=12), max_size=4),
    some.text(max_size=60),
    some.text(max_size=60),
)
def test_no_part_of_a_name_is_left(names: list[str], before: str, after: str) -> None:
    words = words_of(names)
    for name in names:
        left = masked(f"{before} {name} {after}", words)
        found = set(re.findall(r"[^\W_]+", left.lower()))
        assert found.isdisjoint((words_of([name]) & words) - ORDINARY)


@given(some.text(max_size=200))
def test_any_text_is_read_in_time(text: str) -> None:
    masked(text, WORDS)


@pytest.mark.parametrize(
    "text", ["1 " * 5000, "a " * 5000, "a-" * 5000, "x@" * 5000, "1/1/" * 5000, "12 mar " * 3000]
)
def test_long_texts_cost_no_more_than_their_length(text: str) -> None:
    masked(text[:2000], WORDS)
