"""Diagnosis of wrong answers by a catalogue of known mistakes.

The textbook is a class with plain formulas of every quantity of the paper. A mistake is a subclass that overrides one
or more methods. Networks with shared weights have a separate textbook with separate mistakes.

* textbook:  plain formulas of every quantity
* mistake:   the record of a mistake, and the decorator that adds a mistake to the catalogue
* catalogue: the known mistakes
* answers:   the answer of a mistake to a question
* explain:   the search for mistakes that reproduce wrong answers; `explaining` compares a mistake with an answer
* constant:  a constant factor by which answers are wrong, on every problem or on the problems of some objectives
* pairs:     two mistakes at once
* shape:     the description of an error that no mistake explains
"""

from . import catalogue  # noqa: F401  (fills MISTAKES)
from .explain import Diagnosis, diagnose
from .explaining import Answered, explains
from .mistake import MISTAKES, Mistake, mistakes_of

__all__ = ["MISTAKES", "Answered", "Diagnosis", "Mistake", "diagnose", "explains", "mistakes_of"]
