"""Appendix D, equations (46)-(62): the Fisher matrix, exponential families and the equalities that lead to KFAC.

Here log p(y | h_L) is that of torch.distributions, torch.func differentiates it, and every label is enumerated with
its probability; for the normal distribution that is Gauss-Hermite quadrature of three nodes, and the closed form
beside it. Between rationals the Jacobian is a difference quotient without error, and J^T J is the Fisher matrix.
"""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

torch = pytest.importorskip("torch")
func = torch.func

TINY = 1e-12
APART = 1e-2
NATURAL = ("squared_error", "bernoulli", "categorical")
CASES = (
    ("squared_error", ("tanh",), "raise"),
    ("bernoulli", ("softplus",), "raise"),
    ("categorical", ("relu", "logistic"), "raise"),
    ("mixture", ("tanh",), "project"),
    ("mixture", ("softplus",), "scalar"),
)
OUTPUTS = ((0.3, -1.2, 0.7), (0.0, 0.0, 0.0), (-4.0, 3.0, 5.0))  # values of h_L


def log_p(objective, h, Y):
    """log p(y | h_L = h) for each y of Y: (K,)."""
    d, y = torch.distributions, torch.tensor(np.asarray(Y))
    if objective == "squared_error":
        model = d.Independent(d.Normal(h, torch.ones_like(h), validate_args=False), 1, validate_args=False)
    elif objective == "bernoulli":  # of the labels, those of the data are between 0 and 1
        model = d.Independent(d.Bernoulli(logits=h, validate_args=False), 1, validate_args=False)
    elif objective == "categorical":
        model = d.Categorical(logits=h, validate_args=False)
    else:
        which = d.Categorical(logits=torch.stack([h[0], 0 * h[0]]), validate_args=False)
        model = d.MixtureSameFamily(which, d.Bernoulli(logits=h[1:], validate_args=False), validate_args=False)
        y = y.to(h.dtype)
    return model.log_prob(y)


def all_labels(objective, h):
    """Every y and p(y | h_L = h); for the normal distribution nodes and weights, exact to degree 5 in each y_i."""
    if objective == "squared_error":
        nodes, weights = np.polynomial.hermite_e.hermegauss(3)
        Y = [h + np.array(z) for z in itertools.product(nodes, repeat=len(h))]
        p = [np.prod(w) for w in itertools.product(weights / np.sum(weights), repeat=len(h))]
    elif objective == "bernoulli":
        p_1 = 1 / (1 + np.exp(-h))
        Y = [np.array(y, dtype=float) for y in itertools.product((0, 1), repeat=len(h))]
        p = [np.prod(np.where(y == 1, p_1, 1 - p_1)) for y in Y]
    elif objective == "categorical":
        Y, p = range(len(h)), np.exp(h) / np.sum(np.exp(h))
    else:
        s, A, C = 1 / (1 + np.exp(-h))
        Y, p = (0, 1), (s * (1 - A) + (1 - s) * (1 - C), s * A + (1 - s) * C)
    return np.array(Y), np.array(p)


class Datapoint:
    """What PyTorch makes of one x. `scores` has a row for each label of the model.

    h_L, x         arrays
    Y, p           the labels of the model and their probabilities
    J, J_l         dh_L/dtheta and dh_L/dh_l
    scores         grad log p with respect to theta, and by layer to h_l
    """

    def __init__(self, autodiff, net, x):
        self.objective, self.x, self.at, self.output = net.objective, x, autodiff.theta(net), autodiff.output(net, x)
        self.h = autodiff.preactivation(net, x)
        self.h_L = self.h[net.L].numpy()
        self.Y, self.p = all_labels(net.objective, self.h_L)
        self.J = autodiff.jacobian(self.output, self.at)
        self.J_l = {l: autodiff.jacobian(autodiff.onward(net, l), h) for l, h in self.h.items()}
        self.scores = autodiff.jacobian(lambda at: log_p(net.objective, self.output(at), self.Y), self.at)
        self.scores_l = {
            l: autodiff.jacobian(lambda h, l=l: log_p(net.objective, autodiff.onward(net, l)(h), self.Y), h)
            for l, h in self.h.items()
        }

    def over_labels(self, left, right):
        """sum_y p(y) left_y right_y^T."""
        return np.einsum("k,ki,kj->ij", self.p, left, right)

    def mean_log_p(self, h):
        """sum_y p(y) log p(y | h), the probabilities held fixed."""
        return torch.tensor(self.p) @ log_p(self.objective, h, self.Y)


class Case:
    """A problem, its datapoints, and the Fisher matrix of each: p(y) times the outer product, for every label."""

    def __init__(self, autodiff, problem):
        self.problem, self.net, self.natural = problem, problem.net, problem.net.objective in NATURAL
        self.datapoints = [Datapoint(autodiff, problem.net, x) for x in problem.X]
        self.fishers = [d.over_labels(d.scores, d.scores) for d in self.datapoints]

    def mean(self, f):
        return sum(f(d) for d in self.datapoints) / len(self.datapoints)

    def means(self, f):
        """{l: the mean of f(datapoint, l)}."""
        return {l: self.mean(lambda d, l=l: f(d, l)) for l in self.problem.layers}

    @property
    def fisher(self):
        return sum(self.fishers) / len(self.fishers)


@pytest.fixture(scope="module", params=CASES, ids=lambda p: "-".join([p[0], *p[1], p[2]]))
def case(request, make_problem, autodiff):
    return Case(autodiff, make_problem(*request.param, N=2))


class Exact:
    """A problem between rationals, squared error and piecewise linear, with the exact J of each datapoint."""

    def __init__(self, problem, difference_quotient):
        self.problem, self.net = problem, problem.net
        self.entries = [
            (l, a, b) for l, W in enumerate(self.net.weights, 1) for b in range(W.shape[1]) for a in range(len(W))
        ]
        self.J = [
            np.stack([difference_quotient(self.net, x, None, entry) for entry in self.entries], axis=1)
            for x in problem.X
        ]
        self.fisher = sum(J.T @ J for J in self.J) / len(self.J)

    def bias(self, l):
        """The columns of theta that are the bias of W_l: they shift h_l, so dh_L/dh_l stands there."""
        unit = self.net.weights[l - 1].shape[1] - 1
        return [i for i, (m, _, b) in enumerate(self.entries) if (m, b) == (l, unit)]

    @property
    def factors(self):
        """{l: E[script G_l]}, H_L = I."""
        return {l: self.fisher[np.ix_(self.bias(l), self.bias(l))] for l in self.problem.layers}


@pytest.fixture(scope="module")
def exact(make_rational_problem, difference_quotient):
    """One input and two outputs: the Hessians of all four labels are asked for."""
    net, X, Y = problem = make_rational_problem(("leaky_relu",), N=2)
    weights = (net.weights[0][:, [0, -1]], net.weights[1][:2])
    problem = problem._replace(net=net._replace(weights=weights), X=X[:, :1], Y=Y[:, :2])
    return Exact(problem, difference_quotient)


def blocks(net, M):
    """{(l, m): the block of M between vec(W_l) and vec(W_m)}."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    slices = {l: slice(i, j) for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}
    return {(l, m): M[slices[l], slices[m]] for l in slices for m in slices}


def smallest_eigenvalue(M):
    """Relative to the largest."""
    values = np.linalg.eigvalsh(M)
    return values[0] / values[-1]


def assert_exactly(ours, truth):
    """Equal as rationals, layer by layer or block by block."""
    assert ours.keys() == truth.keys()
    for key in truth:
        assert ours[key].shape == truth[key].shape
        assert ours[key].tolist() == truth[key].tolist()


# D.1, the Fisher matrix


def test_equation_46(case, autodiff, relative_error):
    """Each form by itself, and one against the other. By its first the matrix is positive semi-definite."""
    net, X, _ = case.problem
    second = -case.mean(lambda d: autodiff.hessian(lambda at: d.mean_log_p(d.output(at)), d.at))
    assert relative_error(second, case.fisher) < TINY
    ours = ref.fisher(net, X)
    assert relative_error(ours, case.fisher) < TINY
    assert relative_error(ref.fisher_from_hessians(net, X), second) < TINY
    assert smallest_eigenvalue(ours) > -TINY


def test_equation_46_with_the_labels_of_the_data(case, relative_error):
    """The outer products are the empirical Fisher, another matrix.

    The Hessian form is F plus the first term of (11): what the network curves, which has the mean 0 under the
    model's labels and not under these. For the mixture not even that.
    """
    net, X, Y = case.problem
    gradients = [ref.theta(ref.sample_gradient(net, x, y)) for x, y in case.problem.pairs]
    assert relative_error(sum(np.outer(g, g) for g in gradients) / len(X), case.fisher) > APART
    network_term = sum(ref.hessian_split(net, x, y)[0] for x, y in case.problem.pairs) / len(X)
    hessian = ref.hessian(net, X, Y)
    assert relative_error(hessian, case.fisher) > APART
    assert (relative_error(hessian - network_term, case.fisher) < TINY) == case.natural
    d = case.datapoints[0]
    Y, p = (d.Y[[0, -1]], (1 / 2, 1 / 2)) if net.objective == "squared_error" else (d.Y, d.p)  # h_L -+ sqrt 3
    terms = [ref.hessian_split(net, d.x, y)[0] for y in Y]
    size = np.max(np.abs(terms))
    assert size > APART
    assert np.max(np.abs(np.tensordot(p, terms, 1))) < TINY * size


@pytest.mark.parametrize("objective", NATURAL)
def test_equation_46_of_one_layer(objective, make_problem, relative_error):
    """h_L is linear in theta: the Hessian form is F at every label."""
    net, X, Y = make_problem(objective, ())
    F = ref.fisher(net, X)
    assert relative_error(ref.hessian(net, X, Y), F) < TINY
    assert relative_error(ref.fisher_from_hessians(net, X), F) < TINY


@pytest.mark.parametrize("objective", NATURAL)
def test_equation_46_of_piecewise_linear_networks(objective, make_problem, relative_error):
    """The network term has no diagonal block, as E[script H_l] = E[script G_l], and others: the Hessian is not F."""
    net, X, Y = make_problem(objective, ("leaky_relu", "relu"), N=2)
    F, H = blocks(net, ref.fisher(net, X)), blocks(net, ref.hessian(net, X, Y))
    assert all((relative_error(H[l, m], F[l, m]) < TINY) == (l == m) for l, m in F)


def through_probabilities(d):
    """F of one datapoint from E[(grad p / p)(grad p / p)^T], with the sums over labels done by hand.

    Normal: sum_i grad h_i grad h_i^T. Bernoulli and the mixture: sum_i grad p_i grad p_i^T / (p_i (1 - p_i)).
    Categorical: sum_i grad p_i grad p_i^T / p_i.
    """

    def probabilities(h):
        if d.objective == "mixture":
            return (torch.softmax(torch.stack([h[0], 0 * h[0]]), 0) @ torch.sigmoid(h[1:]))[None]
        return torch.softmax(h, 0) if d.objective == "categorical" else torch.sigmoid(h)

    if d.objective == "squared_error":
        return d.J.T @ d.J
    p = probabilities(torch.tensor(d.h_L)).numpy()
    slopes = func.jacrev(lambda at: probabilities(d.output(at)))(d.at).numpy()
    return np.einsum("ia,i,ib->ab", slopes, 1 / (p if d.objective == "categorical" else p * (1 - p)), slopes)


def test_equation_47(case, relative_error):
    """x is data: a batch that repeats an input counts it twice."""
    net, X, _ = case.problem
    each = [through_probabilities(d) for d in case.datapoints]
    assert relative_error(ref.fisher(net, X), (each[0] + each[1]) / 2) < TINY
    assert relative_error(ref.fisher(net, X[[0, 1, 0]]), (2 * each[0] + each[1]) / 3) < TINY


def test_equation_48(case, relative_error):
    """At two labels of the model and that of the data."""
    for d, y in zip(case.datapoints, case.problem.Y, strict=True):
        for label in (d.Y[0], d.Y[-1], y):
            g = func.grad(lambda h, d=d, y=label: log_p(d.objective, h, [y])[0])(torch.tensor(d.h_L)).numpy()
            truth = np.array([[g_i * g_j for g_j in g] for g_i in g])
            assert relative_error(ref.output_fisher(case.net, d.h_L, label), truth) < TINY


def test_equation_48_between_rationals(exact):
    h, y = np.array([Fraction(1, 3), Fraction(-2, 5)]), np.array([Fraction(2), Fraction(1, 7)])
    truth = [[(h[i] - y[i]) * (h[j] - y[j]) for j in range(2)] for i in range(2)]
    assert ref.output_fisher(exact.net, h, y).tolist() == truth


def test_equation_49(case, relative_error):
    """Its first line, label by label: grad_theta log p = J^T grad_h log p."""
    net, X, _ = case.problem
    scores = [d.scores_l[net.L] @ d.J for d in case.datapoints]
    truth = sum(d.over_labels(s, s) for d, s in zip(case.datapoints, scores, strict=True)) / len(X)
    assert relative_error(ref.fisher_from_outputs(net, X), truth) < TINY
    assert relative_error(truth, case.fisher) < TINY


def test_equations_46_to_51_between_rationals(exact):
    """J^T J, H_L = I, by every function, and not by the Hessians at other labels."""
    net, X, Y = exact.problem
    truth = exact.fisher.tolist()
    assert ref.fisher(net, X).tolist() == truth
    assert ref.fisher_from_hessians(net, X).tolist() == truth
    assert ref.fisher_from_outputs(net, X).tolist() == truth
    assert ref.fisher_from_output_hessians(net, X).tolist() == truth
    assert ref.gauss_newton(net, X, Y).tolist() == truth
    assert ref.hessian(net, X, Y).tolist() != truth


# D.2, equivalence between the Gauss-Newton and the Fisher matrices


def test_equation_50(case, autodiff, relative_error):
    """The inner mean is over p(y | x): here the first input has three labels, the second one.

    It is the Fisher matrix for natural parameters, whatever the labels.
    """
    net, X, _ = case.problem
    rng = np.random.default_rng(3)
    Y = {
        "squared_error": rng.normal(size=(4, 3)),
        "bernoulli": rng.uniform(size=(4, 3)),
        "categorical": np.array([0, 2, 1, 0]),
        "mixture": np.array([1, 1, 0, 1]),
    }[net.objective]
    which = [0, 1, 0, 0]

    def inner(n):
        h = case.datapoints[n].h[net.L]
        G_L = [autodiff.output_gauss_newton(net, h, y) for y, i in zip(Y, which, strict=True) if i == n]
        return sum(G_L) / len(G_L)

    truth = sum(
        p_x * d.J.T @ inner(n) @ d.J for n, (d, p_x) in enumerate(zip(case.datapoints, (3 / 4, 1 / 4), strict=True))
    )
    ours = ref.gauss_newton(net, X[which], Y)
    assert relative_error(ours, truth) < TINY
    fisher = 3 / 4 * case.fishers[0] + 1 / 4 * case.fishers[1]
    if case.natural:
        assert relative_error(ours, fisher) < TINY
    else:
        assert relative_error(ours, fisher) > APART


def test_equation_51(case, autodiff, relative_error):
    """Its last line, E[script H_L] with the true H_L, is its middle one, E[script F_L], even for the mixture.

    There it is not (50), whatever stands for H_L.
    """
    net, X, Y = case.problem

    def inner(d):
        return -autodiff.hessian(d.mean_log_p, d.h[net.L])

    for d in case.datapoints:
        assert relative_error(inner(d), d.over_labels(d.scores_l[net.L], d.scores_l[net.L])) < TINY
    ours = ref.fisher_from_output_hessians(net, X)
    assert relative_error(ours, case.mean(lambda d: d.J.T @ inner(d) @ d.J)) < TINY
    assert relative_error(ours, case.fisher) < TINY
    assert (relative_error(ref.gauss_newton(net, X, Y), ours) < TINY) == case.natural
    if not case.natural:
        for psd in ("project", "scalar"):
            for labels in ([0, 0], [0, 1], [1, 0], [1, 1]):
                assert relative_error(ref.gauss_newton(net._replace(psd=psd), X, np.array(labels)), ours) > APART


def statistics(objective, D):
    """T(y) and log h(y), for all y, or for a grid of them: at a step of 1/4 its sums are the integrals, to 1e-100."""
    if objective == "squared_error":
        grid = np.arange(-25, 25, 1 / 4)
        return grid, -(grid**2) / 2 + np.log(1 / 4) - np.log(2 * np.pi) / 2
    if objective == "bernoulli":
        return np.array(list(itertools.product((0.0, 1.0), repeat=D))), np.zeros(2**D)
    return np.eye(D), np.zeros(D)


def log_partition(objective, h):
    """log Z(h_L) from the definition: the log of the sum, or integral, of h(y) e^(T(y)^T h_L)."""
    T, log_base = map(torch.tensor, statistics(objective, len(h)))
    if objective == "squared_error":  # h_1, ..., h_D each by itself
        return torch.sum(torch.logsumexp(log_base[:, None] + T[:, None] * h, 0))
    return torch.logsumexp(log_base + T @ h, 0)


def some_labels(objective):
    if objective == "squared_error":
        return np.array([[0.5, -2.0, 1.5], [0.0, 3.0, -1.0]])
    return np.array([[0.0, 1.0, 1.0], [0.25, 0.5, 1.0]]) if objective == "bernoulli" else np.array([0, 2])


def statistic(objective, y):
    return np.arange(3) == y if objective == "categorical" else y


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_52(objective, h, relative_error):
    """log p of torch.distributions; log h(y) + T(y)^T h_L - log Z by the definition of Z; -E; and probabilities.

    The factor (2 pi)^(-D/2) of the normal distribution is left out of log h(y), as it is of E.
    """
    h = np.array(h)
    left_out = 3 / 2 * np.log(2 * np.pi) if objective == "squared_error" else 0
    for y in some_labels(objective):
        ours = ref.log_likelihood(objective, h, y)
        assert relative_error(ours, log_p(objective, torch.tensor(h), [y])[0].numpy() + left_out) < TINY
        log_base = -(y @ y) / 2 if objective == "squared_error" else 0
        truth = log_base + statistic(objective, y) @ h - log_partition(objective, torch.tensor(h)).numpy()
        assert relative_error(ours, truth) < TINY
        assert relative_error(ours, -ref.OBJECTIVES[objective].value(h, y)) < TINY
    if objective == "squared_error":
        grid = np.arange(-25, 25, 1 / 4)
        masses = [np.exp(ref.log_likelihood(objective, h[:1], np.array([y]))) / 4 for y in grid]
        assert abs(sum(masses) - np.sqrt(2 * np.pi)) < TINY
    else:
        labels = np.array(list(itertools.product((0.0, 1.0), repeat=3))) if objective == "bernoulli" else range(3)
        assert abs(sum(np.exp(ref.log_likelihood(objective, h, y)) for y in labels) - 1) < TINY


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_53(objective, h, relative_error):
    """By autodiff of log p, by autodiff of log Z, and with the mean 0 over the labels of the model."""
    h = np.array(h)
    for y in some_labels(objective):
        ours = ref.log_likelihood_gradient(objective, h, y)
        by_log_p = func.grad(lambda v, y=y: log_p(objective, v, [y])[0])(torch.tensor(h)).numpy()
        assert relative_error(ours, by_log_p) < TINY
        by_log_z = func.grad(lambda v: log_partition(objective, v))(torch.tensor(h)).numpy()
        assert relative_error(ours, statistic(objective, y) - by_log_z) < TINY
        assert relative_error(ours, -ref.OBJECTIVES[objective].gradient(h, y)) < TINY
    Y, p = all_labels(objective, h)
    assert (
        np.max(np.abs(sum(p_y * ref.log_likelihood_gradient(objective, h, y) for y, p_y in zip(Y, p, strict=True))))
        < TINY
    )


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_54(objective, h, relative_error):
    """By autodiff of log Z, as -grad grad log p at two labels, and as the covariance of T(y)."""
    h = np.array(h)
    ours = ref.log_partition_hessian(objective, h)
    by_log_z = func.jacrev(func.grad(lambda v: log_partition(objective, v)))(torch.tensor(h)).numpy()
    assert relative_error(ours, by_log_z) < TINY
    for y in some_labels(objective):
        by_log_p = -func.jacrev(func.grad(lambda v, y=y: log_p(objective, v, [y])[0]))(torch.tensor(h)).numpy()
        assert relative_error(ours, by_log_p) < TINY
        assert relative_error(ours, ref.OBJECTIVES[objective].hessian(h, y)) < TINY
    Y, p = all_labels(objective, h)
    T = np.array([statistic(objective, y) for y in Y], dtype=float)
    centred = T - p @ T
    assert relative_error(ours, np.einsum("k,ki,kj->ij", p, centred, centred)) < TINY


def test_equations_52_to_54_between_rationals():
    h = np.array([Fraction(1, 3), Fraction(-2, 5), Fraction(4)])
    y = np.array([Fraction(2), Fraction(1, 7), Fraction(0)])
    assert ref.log_likelihood("squared_error", h, y) == -sum((y[i] - h[i]) ** 2 for i in range(3)) / 2
    assert ref.log_likelihood_gradient("squared_error", h, y).tolist() == [y[i] - h[i] for i in range(3)]
    assert ref.log_partition_hessian("squared_error", h).tolist() == [[int(i == j) for j in range(3)] for i in range(3)]


def test_the_mixture_is_no_exponential_family():
    """In natural parameters log p(1) - log p(0) would be linear in h_L, and H_L the same for both labels."""

    def log_odds(*h):
        return np.log(ref.mixture_probability(np.array(h), 1)) - np.log(ref.mixture_probability(np.array(h), 0))

    assert abs(log_odds(0.0, 0.0, 0.0)) < TINY
    assert abs(log_odds(1.0, 2.0, -1.0) - log_odds(1.0, 0.0, 0.0) - log_odds(0.0, 2.0, -1.0)) > APART
    H = [ref.OBJECTIVES["mixture"].hessian(np.array([1.0, 2.0, -1.0]), y) for y in (0, 1)]
    assert np.max(np.abs(H[0] - H[1])) > APART
    for of_family in (ref.log_likelihood, ref.log_likelihood_gradient):
        with pytest.raises(KeyError):
            of_family("mixture", np.zeros(3), 1)
    with pytest.raises(KeyError):
        ref.log_partition_hessian("mixture", np.zeros(3))


# D.3, the Fisher approximation to E[script G_l], and KFAC


def gauss_newton_factors(case, autodiff):
    """{l: E[J_l^T script H_L J_l]} of the problem's labels."""
    net, pairs = case.net, list(zip(case.datapoints, case.problem.Y, strict=True))
    G_L = [autodiff.output_gauss_newton(net, d.h[net.L], y) for d, y in pairs]
    return {
        l: np.einsum("nia,nij,njb->ab", [d.J_l[l] for d, _ in pairs], G_L, [d.J_l[l] for d, _ in pairs]) / len(pairs)
        for l in case.problem.layers
    }


def fisher_factors(case):
    """{l: E[grad log p grad log p^T]}, grad with respect to h_l, by autodiff of log p as a function of h_l."""
    return case.means(lambda d, l: d.over_labels(d.scores_l[l], d.scores_l[l]))


def test_equation_55(case, autodiff, relative_error):
    """Equal to what follows for natural parameters, at every layer; for the mixture at none."""
    ours, truth = ref.mean_from_jacobians(*case.problem), gauss_newton_factors(case, autodiff)
    assert relative_error(ours, truth) < TINY
    for l, F in fisher_factors(case).items():
        if case.natural:
            assert relative_error(ours[l], F) < TINY
        else:
            assert relative_error(ours[l], F) > APART


def test_equation_55_is_the_left_side(case, relative_error):
    """E[script G_l], by the recursion (22) and by KFLR."""
    ours = ref.mean_from_jacobians(*case.problem)
    samples = [ref.sample_preactivation_gauss_newton(case.net, x, y) for x, y in case.problem.pairs]
    assert relative_error(ours, {l: sum(G[l] for G in samples) / len(samples) for l in ours}) < TINY
    assert relative_error(ours, ref.kflr(*case.problem)) < TINY


def test_equation_56(case, relative_error):
    """The inner mean first."""
    net, X, _ = case.problem

    def sample(d, l):
        F_L = d.over_labels(d.scores_l[net.L], d.scores_l[net.L])
        return np.einsum("ia,ij,jb->ab", d.J_l[l], F_L, d.J_l[l])

    ours = ref.mean_from_expected_fisher(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_57(case, relative_error):
    """One mean over x and y: the joint probability is p(y) / N."""
    net, X, _ = case.problem

    def sample(d, l):
        each = [d.J_l[l].T @ np.outer(g, g) @ d.J_l[l] for g in d.scores_l[net.L]]
        return sum(p * F for p, F in zip(d.p, each, strict=True))

    ours = ref.mean_from_fisher(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_58(case, relative_error):
    net, X, _ = case.problem

    def sample(d, l):
        scores = np.einsum("ia,ki->ka", d.J_l[l], d.scores_l[net.L])
        return d.over_labels(scores, scores)

    ours = ref.mean_from_output_gradients(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_59(case, relative_error):
    """Exact over the labels, and `kfac` at any labels (N, S): the mean over N S of outer products."""
    net, X, _ = case.problem
    ours = ref.mean_from_gradients(net, X)
    assert relative_error(ours, fisher_factors(case)) < TINY

    S, rng = 5, np.random.default_rng(7)
    drawn = [rng.choice(len(d.Y), size=S, p=d.p) for d in case.datapoints]
    labels = [[d.Y[k] for k in ks] for d, ks in zip(case.datapoints, drawn, strict=True)]
    truth = {
        l: sum(
            np.outer(d.scores_l[l][k], d.scores_l[l][k])
            for d, ks in zip(case.datapoints, drawn, strict=True)
            for k in ks
        )
        / (S * len(X))
        for l in case.problem.layers
    }
    sampled = ref.kfac(net, X, labels)
    assert relative_error(sampled, truth) < TINY
    assert relative_error(sampled, ours) > APART
    one = ref.kfac(net, X, [[row[0]] for row in labels])
    assert relative_error(ref.kfac(net, X, [[row[0]] * 9 for row in labels]), one) < TINY


# h_L, and every label of it as often as its probability, a multiple of 1 / S, says
WHOLE = {
    "squared_error": ((0.5, -2.0, 1.0), [*(2 * np.eye(3)), *(-2 * np.eye(3)), np.zeros(3), np.zeros(3)]),  # y - h_L
    "bernoulli": (
        (np.log(3), 0.0, -np.log(3)),  # p = 3/4, 1/2, 1/4
        list(itertools.product((0.0, 1.0, 1.0, 1.0), (0.0, 1.0), (0.0, 0.0, 0.0, 1.0))),
    ),
    "categorical": ((0.0, np.log(2), np.log(5)), [0, 1, 1, 2, 2, 2, 2, 2]),
    "mixture": ((np.log(3), np.log(3), -np.log(3)), [1, 1, 1, 1, 1, 0, 0, 0]),  # 3/4 3/4 + 1/4 1/4 = 5/8
}


@pytest.mark.parametrize("objective", WHOLE)
def test_equation_59_with_all_labels_by_their_multiplicity(objective, make_problem, relative_error):
    """KFAC is then no estimate. The last layer is made for it: W_L (a_n, 1) = h_L for each of the N inputs."""
    problem = make_problem(objective, ("tanh",))
    h, labels = WHOLE[objective]
    A = np.array([np.append(ref.forward(problem.net, x)[0][1], 1) for x in problem.X])
    across = np.eye(A.shape[1]) - np.linalg.pinv(A) @ A  # onto what no a_n sees
    W = np.random.default_rng(2).normal(size=(3, len(across))) @ across + np.outer(h, np.eye(len(across))[-1])
    net = problem.net._replace(weights=(problem.net.weights[0], W))
    labels = np.array(labels) + (np.array(h) if objective == "squared_error" else 0)
    ours = ref.kfac(net, problem.X, [list(labels)] * len(problem.X))
    truth = ref.mean_from_gradients(net, problem.X)
    assert relative_error(ours, truth) < TINY
    if objective in NATURAL:
        assert relative_error(ours, ref.kflr(net, problem.X, problem.Y)) < TINY


def test_equations_55_to_59_between_rationals(exact):
    """Five times J_l^T J_l, and KFAC with eight labels of mean h_L and covariance I."""
    net, X, Y = exact.problem
    truth = exact.factors
    assert_exactly(ref.mean_from_jacobians(net, X, Y), truth)
    assert_exactly(ref.mean_from_expected_fisher(net, X), truth)
    assert_exactly(ref.mean_from_fisher(net, X), truth)
    assert_exactly(ref.mean_from_output_gradients(net, X), truth)
    assert_exactly(ref.mean_from_gradients(net, X), truth)
    moves = np.array([[2, 0], [-2, 0], [0, 2], [0, -2], *[[0, 0]] * 4])
    labels = [[ref.forward(net, x)[1][net.L] + move for move in moves] for x in X]
    assert_exactly(ref.kfac(net, X, labels), truth)


def assert_fisher_blocks(ours, case, relative_error):
    """Between every two layers: vec(W_l) has the rows and vec(W_m) the columns."""
    truth = blocks(case.net, case.fisher)
    assert relative_error(ours, truth) < TINY
    for l, m in truth:
        assert ours[l, m].shape == (case.net.weights[l - 1].size, case.net.weights[m - 1].size)
    assert relative_error(ours[1, 2], ours[2, 1].T) < TINY


def test_equation_60(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_weight_gradients(case.net, case.problem.X), case, relative_error)


def test_equation_61(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_kronecker_vectors(case.net, case.problem.X), case, relative_error)


def test_equation_62(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_kronecker_products(case.net, case.problem.X), case, relative_error)


def test_equations_60_to_62_between_rationals(exact):
    """Equal to each other, to the blocks of J^T J, and so to (16)."""
    net, X, Y = exact.problem
    truth = blocks(net, exact.fisher)
    assert_exactly(ref.fisher_from_weight_gradients(net, X), truth)
    assert_exactly(ref.fisher_from_kronecker_vectors(net, X), truth)
    assert_exactly(ref.fisher_from_kronecker_products(net, X), truth)
    assert_exactly(ref.factored_between(net, X, Y), truth)
