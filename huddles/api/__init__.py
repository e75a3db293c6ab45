"""The REST interface of huddles."""
