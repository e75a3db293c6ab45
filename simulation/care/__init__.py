"""The staff of an invented system: they plan discharges, and tell of it over REST."""
