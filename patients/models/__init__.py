"""People, their stays, and what they wait for."""

from patients.models.codes import Code, CodeMap, CodeSet
from patients.models.cohorts import Cohort, HomeArea, Neighbourhood
from patients.models.needs import CareNeeds
from patients.models.people import (
    Episode,
    Patient,
    PatientIdentifier,
    PatientLink,
    Visit,
)
from patients.models.waits import Barrier, BarrierStep, EscalationStep, Readiness, Review

__all__ = [
    "Barrier",
    "BarrierStep",
    "CareNeeds",
    "Code",
    "CodeMap",
    "CodeSet",
    "Cohort",
    "Episode",
    "EscalationStep",
    "HomeArea",
    "Neighbourhood",
    "Patient",
    "PatientIdentifier",
    "PatientLink",
    "Readiness",
    "Review",
    "Visit",
]
