"""From a wrong answer to the mistake: a catalogue of what others got wrong, each a textbook with one wrong step.

* textbook:  every quantity by plain formulas; catalogue: what overrides one of its steps
* explain:   which mistakes have the answers that were given
* shape:     what an error looks like that none explains
"""

from . import catalogue  # noqa: F401  (fills MISTAKES)
from .explain import Answered, Diagnosis, diagnose, explains, mistaken
from .mistake import MISTAKES, Mistake

__all__ = ["MISTAKES", "Answered", "Diagnosis", "Mistake", "diagnose", "explains", "mistaken"]
