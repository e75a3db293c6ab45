"""Deletes all data of a demo: `python -m flowboard.forget`, in short `make forget`."""

from __future__ import annotations

import sys

from flowboard import embedded, start


def main() -> None:
    """Ends the program with the reason when the data are in use."""
    home = start.prepare(servers=False).home
    if not home.exists():
        print(f"There are no data in {home}.")
        return
    try:
        embedded.forget(home)
    except embedded.InUse as refused:
        sys.exit(str(refused))
    print(f"Deleted the data in {home}.")


if __name__ == "__main__":
    main()
