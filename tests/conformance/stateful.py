"""Implementations with a state. Each is right at its first question, and one has a correct cache."""

from kfgn_conformance.adapters import Description, UnsupportedError
from kfgn_conformance.diagnosis.textbook import Textbook

OFFERED = frozenset({"gradient", "kflr", "kfra", "solve_exact"})


class CachesRightly:
    """A cache keyed by every array on which the answers depend."""

    def __init__(self, dtype):
        self.dtype, self.cache, self.questions, self.last = dtype, {}, [], None

    def describe(self):
        return Description(type(self).__name__, "1", self.dtype, OFFERED)

    def key(self, problem):
        return (problem.transfers, problem.objective, *((n, a.shape, a.tobytes()) for n, a in problem.arrays()))

    def compute(self, problem, quantity):
        key = (quantity, self.key(problem))
        if key not in self.cache:
            self.cache[key] = self.right(problem, quantity)
        return self.cache[key]

    def right(self, problem, quantity):
        return tuple(array.astype(self.dtype) for array in Textbook(problem).answer(quantity))


class KeyedByShape(CachesRightly):
    def key(self, problem):
        return tuple((name, array.shape) for name, array in problem.arrays())


class KeyedByWeights(CachesRightly):
    def key(self, problem):
        return tuple(W.tobytes() for W in problem.weights)


class KeyedByTheFirstWeights(CachesRightly):
    def key(self, problem):
        return (
            problem.X.tobytes(),
            problem.Y.tobytes(),
            problem.arguments.gamma.tobytes(),
            problem.weights[0].tobytes(),
        )


class KeyedByTheLastWeights(CachesRightly):
    def key(self, problem):
        return (
            problem.X.tobytes(),
            problem.Y.tobytes(),
            problem.arguments.gamma.tobytes(),
            problem.weights[-1].tobytes(),
        )


class KeyedByInputs(CachesRightly):
    def key(self, problem):
        return problem.X.tobytes()


class ForgetsTheLabels(CachesRightly):
    def key(self, problem):
        return (problem.X.tobytes(), problem.arguments.gamma.tobytes(), *(W.tobytes() for W in problem.weights))


class ForgetsTheDamping(CachesRightly):
    def key(self, problem):
        return (problem.X.tobytes(), problem.Y.tobytes(), *(W.tobytes() for W in problem.weights))


class SpoiltByAnother(CachesRightly):
    """The gradient reads a value that kflr has stored for the same problem."""

    def compute(self, problem, quantity):
        answer = self.right(problem, quantity)
        if quantity == "kflr":
            self.cache[problem.id] = 2
        return tuple(a * self.cache.get(problem.id, 1) for a in answer) if quantity == "gradient" else answer


class RightOnce(CachesRightly):
    def compute(self, problem, quantity):
        self.questions.append((problem.id, quantity))
        times = self.questions.count((problem.id, quantity))
        return tuple(a * (1 if times == 1 or quantity != "kfra" else 3) for a in self.right(problem, quantity))


class AnotherBetween(CachesRightly):
    """The second answer on a problem is wrong if a different problem came in between."""

    def compute(self, problem, quantity):
        self.questions.append((problem.id, quantity))
        again = quantity == "kfra" and self.questions[-1] in self.questions[:-1]
        between = again and self.questions[-2][0] != problem.id
        return tuple(a * (2 if between else 1) for a in self.right(problem, quantity))


class SpoilsTheInputs(CachesRightly):
    def compute(self, problem, quantity):
        answer = self.right(problem, quantity)
        if quantity == "kfra":
            problem.X[0] += 1
            problem.arguments.direction[1][0, 0] = 7
        return answer


class Doubles(CachesRightly):
    """A plain mistake, without a state."""

    def compute(self, problem, quantity):
        return tuple(a * (2 if quantity == "kfra" else 1) for a in self.right(problem, quantity))


class RaisesLater(CachesRightly):
    """A lookup that fails after a different quantity has emptied the cache."""

    def compute(self, problem, quantity):
        if quantity == "kflr":
            self.last = "emptied"
        if quantity == "gradient" and self.last == "emptied":
            raise KeyError("activations")
        return self.right(problem, quantity)


class RefusesLater(RightOnce):
    """Refuse a problem at its second question."""

    def compute(self, problem, quantity):
        self.questions.append((problem.id, quantity))
        if quantity == "kfra" and self.questions.count((problem.id, quantity)) > 1:
            raise UnsupportedError("already done")
        return self.right(problem, quantity)


class AveragesFactors(CachesRightly):
    """Average the factors over successive questions, as an optimiser does over steps."""

    def compute(self, problem, quantity):
        answer = self.right(problem, quantity)
        if quantity == "kflr":
            if self.last is not None and [a.shape for a in self.last] == [a.shape for a in answer]:
                answer = tuple(0.5 * a + 0.5 * b for a, b in zip(answer, self.last, strict=True))
            self.last = answer
        return answer
