"""What a page says of itself, without what chance wrote into it."""

import re

_CHANCE = re.compile(
    r"""<input[^>]*csrfmiddlewaretoken[^>]*>   # a token may spell any short word
    |data-etag="[^"]*"                         # so may the digest of what is shown
    |<use[^>]*>                                # nor is the name of an icon a figure
    |\d{4}-\d\d-\d\dT[\d:.+]+                  # a moment to the microsecond, any number""",
    re.VERBOSE,
)


def steady(page: str) -> str:
    """`page` without tokens, digests, icons and moments: chance may write "999" into those."""
    return _CHANCE.sub("", page)


_PERSONAL = re.compile(
    r"""(?<!\d)999[ -]?\d{3}[ -]?\d{4}(?!\d)      # the NHS number of a person in a test
    |1947-03-31                                  # the day all of them were born, in a field
    |(?:31[ ]Mar(?:ch)?[ ]|31/0?3/)1947          # or in writing
    |(?<![\w"'/=.:-])1947(?![\w"'/:-])  # or the year: never the key of a row in a link""",
    re.VERBOSE,
)


def of_persons(page: str) -> list[str]:
    """What `page` tells of the people of tests/screens/hospital.py beside their names: NHS numbers
    and when they were born. A row's key may be 20999 or 1947 by chance, so neither is looked for as
    bare digits."""
    return _PERSONAL.findall(steady(page))
