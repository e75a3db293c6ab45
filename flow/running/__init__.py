"""Running a ward: its nurses, its limits, and its beds closed or opened together."""
