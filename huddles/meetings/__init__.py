"""Meetings: what wards say before, what is spoken of during, what is kept after."""
