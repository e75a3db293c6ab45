"""Escalation (OPEL): values, the computed level, what people declare, and what follows from it."""
