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
