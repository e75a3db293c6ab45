"""Wall screens: paired once, shown what they were given, without a login and without names."""
