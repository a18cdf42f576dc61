"""Losses of outputs, for any number of leading axes: the values, the first and second derivatives and samples."""

import numpy as np

from .elementary import Elementary


class Objectives(Elementary):
    """Outputs h are (..., D); labels are (..., D), or (...) classes."""

    def losses(self, problem, h, y):
        """E of each datapoint."""
        if problem.objective == "squared_error":
            return ((h - y) ** 2).sum(axis=-1) / 2
        if problem.objective == "bernoulli":
            return self.bernoulli_losses(h, y).sum(axis=-1)
        if problem.objective == "categorical":
            return self.categorical_losses(h, y)
        return self.mixture_losses(h, y)

    def bernoulli_losses(self, h, y):
        """softplus(h) - y h, as a sum of terms that are never negative."""
        return np.where(h > 0, 1 - y, y) * abs(h) + np.log1p(np.exp(-abs(h)))

    def categorical_losses(self, h, y):
        """log sum exp h - h_y: the largest output less h_y, and the log of 1 and the other exponentials."""
        best = h.argmax(axis=-1)
        others = np.where(self.one_hot(best, h), 0, self.exponentials(h)).sum(axis=-1)
        return h.max(axis=-1) - self.at(h, y) + np.log1p(others)

    def mixture_losses(self, h, y):
        """-log p, from the other label's probability where that is small."""
        t = 2 * y.astype(h.dtype) - 1
        first = self.softplus(-h[..., 0]) + self.softplus(-t * h[..., 1])
        second = self.softplus(h[..., 0]) + self.softplus(-t * h[..., 2])
        direct = np.minimum(first, second) - np.log1p(np.exp(-abs(first - second)))
        other = self.mixture_probability(h, -t)
        return np.where(other < 0.5, -np.log1p(-np.minimum(other, 0.5)), direct)

    def mixture_probability(self, h, t):
        """Equation (27): the probability of the label whose sign is t."""
        s = self.logistic
        return s(h[..., 0]) * s(t * h[..., 1]) + s(-h[..., 0]) * s(t * h[..., 2])

    def one_hot(self, y, h):
        return np.arange(h.shape[-1]) == y[..., None]

    def at(self, h, y):
        """h_y."""
        return np.take_along_axis(h, y[..., None], axis=-1)[..., 0]

    def others(self, p):
        """1 - p_i as the sum of the other probabilities."""
        D = p.shape[-1]
        return p @ (1 - np.eye(D, dtype=p.dtype))

    def output_gradient(self, problem, h, y):
        """dE/dh, shaped like h."""
        if problem.objective == "squared_error":
            return h - y
        if problem.objective == "bernoulli":
            return (1 - y) * self.logistic(h) - y * self.logistic(-h)
        if problem.objective == "categorical":
            p = self.softmax(h)
            return np.where(self.one_hot(y, h), -self.others(p), p)
        _, _, difference, not_r, r, not_A, not_C, t = self.mixture_parts(h, y)
        return np.stack([difference, -t * r * not_A, -t * not_r * not_C], axis=-1)

    def mixture_parts(self, h, y):
        """s, 1 - s, s - r, 1 - r, r, 1 - A, 1 - C and the sign of y; r is the probability that A spoke."""
        t, g = 2 * y.astype(h.dtype) - 1, h[..., 0]
        w = self.softplus(-t * h[..., 2]) - self.softplus(-t * h[..., 1])
        s, r = self.logistic, self.logistic(g + w)
        gap = np.expm1(-abs(w))
        difference = np.where(w > 0, s(-g) * r, -s(g) * s(-g - w)) * gap
        return s(g), s(-g), difference, s(-g - w), r, s(-t * h[..., 1]), s(-t * h[..., 2]), t

    def output_hessian(self, problem, h, y):
        """The true H_L, (..., D, D)."""
        D = h.shape[-1]
        eye = np.eye(D, dtype=h.dtype)
        if problem.objective == "squared_error":
            return eye + np.zeros_like(h)[..., None]
        if problem.objective == "bernoulli":
            return (self.logistic(h) * self.logistic(-h))[..., None] * eye
        if problem.objective == "categorical":
            p = self.softmax(h)
            outer = p[..., :, None] * p[..., None, :]
            return np.where(eye > 0, (p * self.others(p))[..., None], -outer)
        s, not_s, difference, not_r, r, not_A, not_C, t = self.mixture_parts(h, y)
        A, C = self.logistic(t * h[..., 1]), self.logistic(t * h[..., 2])
        d = np.stack([np.ones_like(s), t * not_A, -t * not_C], axis=-1)
        off = (r * not_r)[..., None, None] * d[..., :, None] * d[..., None, :]
        first = difference * np.where(r > 0.5, not_r - s, not_s - r)
        on = [first, r * not_A * (A - not_r * not_A), not_r * not_C * (C - r * not_C)]
        return np.where(eye > 0, np.stack(on, axis=-1)[..., None], -off)

    def output_root(self, problem, h, y):
        """A root of the positive semi-definite matrix that stands at the outputs, (..., D, K)."""
        D = h.shape[-1]
        eye = np.eye(D, dtype=h.dtype)
        if problem.objective == "squared_error":
            return eye + np.zeros_like(h)[..., None]
        if problem.objective == "bernoulli":
            return np.sqrt(self.logistic(h) * self.logistic(-h))[..., None] * eye
        if problem.objective == "categorical":
            p = self.softmax(h)
            q = np.sqrt(p)
            return np.where(eye > 0, (q * self.others(p))[..., None], -p[..., :, None] * q[..., None, :])
        if problem.psd == "scalar":
            return self.output_gradient(problem, h, y)[..., None]
        values, vectors = np.linalg.eigh(self.output_hessian(problem, h, y))
        return vectors * np.sqrt(np.maximum(values, 0))[..., None, :]

    def output_curvature(self, problem, h, y):
        """The positive semi-definite matrix itself."""
        if problem.objective == "mixture":
            C = self.output_root(problem, h, y)
            return C @ C.swapaxes(-1, -2)
        return self.output_hessian(problem, h, y)

    def sampled(self, problem, h, z):
        """Labels from the model at outputs h, by normals or uniforms z that have S in their second axis."""
        h = h[:, None]
        if problem.objective == "squared_error":
            return h + z
        if problem.objective == "bernoulli":
            return (z < self.logistic(h)).astype(h.dtype)
        if problem.objective == "categorical":
            below = np.cumsum(self.softmax(h), axis=-1)[..., :-1] <= z[..., None]
            return below.sum(axis=-1)
        return (z < self.mixture_probability(h, np.ones_like(z))).astype(np.int64)
