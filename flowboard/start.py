"""How any of Flowboard's programs begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flowboard import embedded, environment

BASE = Path(__file__).resolve().parent.parent


def prepare(*, servers: bool = True) -> environment.Environment:
    """Check the environment and, unless it names servers, use the embedded ones till the end.

    Ends the program with the mistakes in plain words if there are any.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowboard.settings")
    try:
        found = environment.read(os.environ, base=BASE)
        if found.embedded and servers:
            embedded.join(found.home)
    except (environment.Misconfigured, embedded.CannotStart) as error:
        sys.exit(str(error))
    return found
