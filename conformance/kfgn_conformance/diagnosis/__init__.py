"""Diagnosis of wrong answers by a catalogue of known mistakes. Each mistake is a textbook with one wrong step.

* textbook:  every quantity by plain formulas
* catalogue: textbooks with a mistake, each of which overrides one step
* explain:   the mistakes that reproduce the given answers
* shape:     a description of an error that no mistake explains
"""

from . import catalogue  # noqa: F401  (fills MISTAKES)
from .explain import Answered, Diagnosis, diagnose, explains
from .mistake import MISTAKES, Mistake

__all__ = ["MISTAKES", "Answered", "Diagnosis", "Mistake", "diagnose", "explains"]
