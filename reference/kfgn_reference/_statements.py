"""The 71 numbered equations of the paper: the kind, the text and the misprint of each.

Greek indices count layers, and Latin indices count units. The index of a block of a matrix is the layer of the block.
The equations are as printed. The field `misprint` describes the errors and omissions of an equation, and the field
`text` keeps them. Some wrong hats, bars and tildes may come from the transcription.

>>> from kfgn_reference import STATEMENTS
>>> STATEMENTS[24].kind, STATEMENTS[24].text
('definition', 'C^k_λ = B_λ W_{λ+1}ᵀ C^k_{λ+1}')
"""

from typing import Literal, NamedTuple

Kind = Literal["definition", "identity", "approximation", "bound", "statement"]
"""The kind of claim that an equation makes.

    definition      the equation introduces a quantity or a rule, and is therefore not compared with another quantity
    identity        two quantities that can be computed separately are equal
    approximation   two quantities are close, without a bound on their difference
    bound           one quantity is at most, or at least, another
    statement       the equation is an implication between two claims; (69) is the only equation of this kind
"""


class Statement(NamedTuple):
    """One numbered equation.

    section:  the section of the paper, such as "2.2.1" or "Appendix C.1"
    kind:     the kind of claim that the equation makes, one of `Kind`
    title:    a name in a few words
    text:     the equation as printed, in lines of at most 78 columns. A left side that the paper carries over from
              the previous equation is repeated
    misprint: the errors and omissions of the equation with their corrections, or an empty string
    """

    section: str
    kind: Kind
    title: str
    text: str
    misprint: str = ""


STATEMENTS: dict[int, Statement] = {
    1: Statement(
        "2.1",
        "definition",
        "the forward pass",
        "h_λ = W_λ a_{λ-1};   a_λ = f_λ(h_λ)   1 ≤ λ < L",
        "The output is h_L = W_L a_{L-1}. Algorithm 1 applies an f_L, which does not exist. A unit (the number 1) "
        "is appended to every a_{λ-1}, λ = 1, ..., L, and multiplies the bias column of W_λ.",
    ),
    2: Statement(
        "2.2",
        "definition",
        "the parameter Hessian",
        "[H]_{ij} = ∂²/(∂θ_i ∂θ_j) E(θ)",
    ),
    3: Statement(
        "2.2.1",
        "identity",
        "the gradient of one layer",
        "∂E/∂W^λ_{a,b} = Σ_i (∂h^λ_i/∂W^λ_{a,b}) (∂E/∂h^λ_i) = a^{λ-1}_b ∂E/∂h^λ_a",
    ),
    4: Statement(
        "2.2.1",
        "definition",
        "the sample Hessian of one layer",
        "[H_λ]_{(a,b),(c,d)} ≡ ∂²E/(∂W^λ_{a,b} ∂W^λ_{c,d})",
    ),
    5: Statement(
        "2.2.1",
        "identity",
        "the elements of the sample Hessian of one layer",
        "[H_λ]_{(a,b),(c,d)} = a^{λ-1}_b a^{λ-1}_d [𝓗_λ]_{a,c}",
    ),
    6: Statement(
        "2.2.1",
        "definition",
        "the pre-activation Hessian",
        "[𝓗_λ]_{a,b} = ∂²E/(∂h^λ_a ∂h^λ_b)",
        "For the squared loss, Section 2.1 and footnote 5 differ by a factor of 2 in 𝓗_L. The factor one half of "
        "footnote 5 is meant, which gives 𝓗_L = I.",
    ),
    7: Statement(
        "2.2.1",
        "identity",
        "the sample Hessian of one layer as a Kronecker product",
        "H_λ = ∂²E/(∂vec(W_λ) ∂vec(W_λ)) = (a_{λ-1} a_{λ-1}ᵀ) ⊗ 𝓗_λ",
        "The paper does not define vec. The equation holds if vec stacks columns, so that (A ⊗ B) vec(V) = vec(BVAᵀ). "
        "The inverse that Appendix C.1 prints belongs to a vec that stacks rows.",
    ),
    8: Statement(
        "2.2.2",
        "identity",
        "the pre-activation Hessian recursion",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ",
        "W_{λ+1} is without its bias column: the appended unit has zero derivative.",
    ),
    9: Statement(
        "2.2.2",
        "definition",
        "the diagonal matrix of first derivatives",
        "B_λ = diag(f'_λ(h_λ))",
        "The paper does not define f' at a kink. This package takes 0 for the ReLU, and the slope of the left "
        "branch for the leaky ReLU.",
    ),
    10: Statement(
        "2.2.2",
        "definition",
        "the diagonal matrix of second derivatives",
        "D_λ = diag(f''_λ(h_λ) ∂E/∂a_λ)",
        "The product is elementwise, and ∂E/∂a_λ has no element for the appended unit: ∂E/∂a_λ = W_{λ+1}ᵀ "
        "∂E/∂h_{λ+1}, where W_{λ+1} is without its bias column. The paper also writes D_λ for the width of a layer.",
    ),
    11: Statement(
        "3",
        "identity",
        "the two terms of the Hessian",
        "∂²E/(∂θ_i ∂θ_j) = Σ_k (∂E/∂h^L_k) ∂²h^L_k/(∂θ_i ∂θ_j)\n"
        "                 + Σ_{k,l} (∂h^L_k/∂θ_i) ∂²E/(∂h^L_k ∂h^L_l) (∂h^L_l/∂θ_j)",
    ),
    12: Statement(
        "3",
        "definition",
        "the sample Gauss-Newton matrix",
        "G ≡ J_θ^{h^L}ᵀ 𝓗_L J_θ^{h^L}",
        "The paper assumes that 𝓗_L is PSD, but the 𝓗_L of (27) never is. By default, this package sets the "
        "negative eigenvalues of 𝓗_L to zero, for each datapoint and before any mean.",
    ),
    13: Statement(
        "3",
        "definition",
        "the expected Gauss-Newton matrix",
        "Ḡ ≡ 𝔼[J_θ^{h^L}ᵀ 𝓗_L J_θ^{h^L}]_{p(x,y)}",
    ),
    14: Statement(
        "3.1",
        "identity",
        "the blocks of the Gauss-Newton matrix by the chain rule",
        "Ḡ_{λ,β} = 𝔼[J_{W_λ}^{h_λ}ᵀ J_{h_λ}^{h^L}ᵀ 𝓗_L J_{h_β}^{h^L} J_{W_β}^{h_β}]",
        "The text below the equation defines the transposed Jacobian, but [J_{h_λ}^{h^L}]_{k,i} = ∂h^L_k/∂h^λ_i "
        "is needed.",
    ),
    15: Statement(
        "3.1",
        "definition",
        "the pre-activation Gauss-Newton matrix",
        "𝓖_{λ,β} = J_{h_λ}^{h_L}ᵀ 𝓗_L J_{h_β}^{h_L}",
        "The elements of the Jacobians are [J_{h_λ}^{h_L}]_{k,i} = ∂h^L_k/∂h^λ_i. The text under (14) defines the "
        "transpose.",
    ),
    16: Statement(
        "3.1",
        "identity",
        "the blocks of the Gauss-Newton matrix as Kronecker products",
        "𝓖̄_{λ,β} = 𝔼[(a_{λ-1} a_{β-1}ᵀ) ⊗ 𝓖_{λ,β}]",
        "The left side should be the parameter block Ḡ_{λ,β} of (14), which is not a script letter.",
    ),
    17: Statement(
        "3.1",
        "identity",
        "the Gauss-Newton matrix as a Khatri-Rao product",
        "Ḡ = 𝔼[𝓠 ⋆ 𝓖]",
        "The text says that (16) defines the blocks of 𝓖, but (15) is meant.",
    ),
    18: Statement(
        "3.1",
        "definition",
        "the outer product of the activations",
        "𝓠_{λ,β} ≡ a_{λ-1} a_{β-1}ᵀ",
        "Unlike W in (22), 𝓠 includes the appended unit: the block 𝓠_{λ,λ} has D_{λ-1} + 1 rows.",
    ),
    19: Statement(
        "3.2",
        "identity",
        "the sample Gauss-Newton matrix of one layer",
        "G_λ = 𝓠_λ ⊗ 𝓖_λ",
    ),
    20: Statement(
        "3.2",
        "approximation",
        "the factorised approximation",
        "𝔼[G_λ] ≈ 𝔼[𝓠_λ] ⊗ 𝔼[𝓖_λ]",
    ),
    21: Statement(
        "3.2",
        "identity",
        "the first factor as an uncentred covariance",
        "𝔼[𝓠_λ] = (1/N) A_{λ-1} A_{λ-1}ᵀ",
        'The "d × n" matrix A_{λ-1} has N columns and D_{λ-1} + 1 rows. One of these rows consists of ones. '
        "In Algorithm 1 the letter A means f'(h).",
    ),
    22: Statement(
        "3.3",
        "identity",
        "the pre-activation Gauss-Newton recursion",
        "𝓖_λ = B_λ W_{λ+1}ᵀ 𝓖_{λ+1} W_{λ+1} B_λ",
        "W_{λ+1} is without its bias column. The recursion starts at 𝓖_L = 𝓗_L.",
    ),
    23: Statement(
        "3.4",
        "definition",
        "the square root of the pre-activation Gauss-Newton matrix",
        "𝓖_λ = Σ_{k=1}^K C^k_λ C^k_λᵀ",
        "The paper gives no root of 𝓖_L. Every root can be used: I for the squared loss, diag(√(p(1-p))) for "
        "Bernoulli, and diag(√p) - p (√p)ᵀ for softmax. For (27), no root exists until a PSD matrix replaces 𝓗_L.",
    ),
    24: Statement(
        "3.4",
        "definition",
        "the recursion for the square root",
        "C^k_λ = B_λ W_{λ+1}ᵀ C^k_{λ+1}",
        "W_{λ+1} is without its bias column.",
    ),
    25: Statement(
        "3.4",
        "identity",
        "KFLR, the exact second factor",
        "𝔼[𝓖_λ] = 𝔼[Σ_k C^k_λ C^k_λᵀ] = (1/N) Σ_k C̃^k_λ (C̃^k_λ)ᵀ",
        "C and C̃ are roots here and in (23) and (24), but curvature matrices in Appendix C.",
    ),
    26: Statement(
        "3.5",
        "approximation",
        "KFRA, the recursive approximation of the second factor",
        "𝔼[𝓖_λ] ≈ 𝔼[B_λ W_{λ+1}ᵀ 𝔼[𝓖_{λ+1}] W_{λ+1} B_λ]",
        "The outer expectation applies to f' alone: the right side is (W_{λ+1}ᵀ 𝔼[𝓖_{λ+1}] W_{λ+1}) ⊙ 𝔼[f'_λ "
        "f'_λᵀ], with W_{λ+1} without its bias column. The paper does not give the start 𝔼[𝓗_L] for each loss: "
        "for softmax the start is diag(𝔼[p]) - 𝔼[p pᵀ].",
    ),
    27: Statement(
        "5.2",
        "definition",
        "the mixture of two binary classifiers",
        "p(y|h_L) = σ(h^L_1) σ(h^L_2)^y σ(-h^L_2)^{1-y}\n         + (1 - σ(h^L_1)) σ(h^L_3)^y σ(-h^L_3)^{1-y}",
        "The 𝓗_L of the mixture is indefinite at every h_L and for both labels, so (23) has no root and (12) need "
        "not be PSD. By default, this package sets the negative eigenvalues of 𝓗_L to zero, for each datapoint and "
        "before any mean.",
    ),
    28: Statement(
        "Appendix B",
        "identity",
        "the derivation of the pre-activation Hessian recursion",
        "𝓗_λ = ∂/∂h^λ_b (∂E/∂h^λ_a)\n"
        "    = ∂/∂h^λ_b Σ_i (∂E/∂h^{λ+1}_i) (∂h^{λ+1}_i/∂h^λ_a)\n"
        "    = Σ_i ∂/∂h^λ_b ((∂E/∂h^{λ+1}_i) (∂h^{λ+1}_i/∂a^λ_a) (∂a^λ_a/∂h^λ_a))\n"
        "    = Σ_i W^{λ+1}_{i,a} ∂/∂h^λ_b ((∂E/∂h^{λ+1}_i) (∂a^λ_a/∂h^λ_a))\n"
        "    = Σ_i W^{λ+1}_{i,a} ((∂a^λ_a/∂h^λ_a) ∂²E/(∂h^λ_b ∂h^{λ+1}_i)\n"
        "                         + (∂E/∂h^{λ+1}_i) ∂²a^λ_a/(∂h^λ_a ∂h^λ_b))\n"
        "    = Σ_i W^{λ+1}_{i,a} ((∂a^λ_a/∂h^λ_a)\n"
        "                         Σ_j ∂²E/(∂h^{λ+1}_j ∂h^{λ+1}_i) (∂h^{λ+1}_j/∂h^λ_b)\n"
        "                         + (∂E/∂h^{λ+1}_i) δ_{a,b} ∂²a^λ_a/∂(h^λ_a)²)\n"
        "    = δ_{a,b} ∂²a^λ_a/∂(h^λ_a)² (Σ_i W^{λ+1}_{i,a} ∂E/∂h^{λ+1}_i)\n"
        "      + Σ_{i,j} W^{λ+1}_{i,a} (∂a^λ_a/∂h^λ_a) ∂²E/(∂h^{λ+1}_j ∂h^{λ+1}_i)\n"
        "                W^{λ+1}_{j,b} (∂a^λ_b/∂h^λ_b)\n"
        "    = δ_{a,b} ∂²a^λ_a/∂(h^λ_a)² (∂E/∂a^λ_a)\n"
        "      + Σ_{i,j} W^{λ+1}_{i,a} (∂a^λ_a/∂h^λ_a) ∂²E/(∂h^{λ+1}_j ∂h^{λ+1}_i)\n"
        "                (∂a^λ_b/∂h^λ_b) W^{λ+1}_{j,b}",
        "The left side should be the element [𝓗_λ]_{a,b}. The indices a and b do not count the appended unit, so "
        "W^{λ+1} is without its bias column.",
    ),
    29: Statement(
        "Appendix B",
        "identity",
        "the pre-activation Hessian recursion in matrix notation",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ",
        "W_{λ+1} is without its bias column, as in (8).",
    ),
    30: Statement(
        "Appendix B",
        "definition",
        "the elements of B",
        "[B_λ]_{a,a'} = δ_{a,a'} ∂a^λ_a/∂h^λ_a = δ_{a,a'} f'(h^λ_a)",
        "The paper does not define f' at a kink, as in (9).",
    ),
    31: Statement(
        "Appendix B",
        "definition",
        "the elements of D",
        "[D_λ]_{a,a'} = δ_{a,a'} ∂²a^λ_a/∂(h^λ_a)² (∂E/∂x^λ_a)\n             = δ_{a,a'} f''(h^λ_a) ∂E/∂x^λ_a",
        "x^λ_a means a^λ_a. The index a does not count the appended unit.",
    ),
    32: Statement(
        "Appendix C",
        "approximation",
        "the quadratic approximation of the objective",
        "f(θ + δ) ≈ f(θ) + δᵀ ∇_θ f + ½ δᵀ C δ = f̂(δ; C)",
        "The paper does not say whether f includes the L2 term. This package includes the L2 term: f is the mean "
        "of E over the minibatch plus ½ η ‖θ‖², biases included. In the main text the letter f means a transfer "
        "function.",
    ),
    33: Statement(
        "Appendix C.1",
        "definition",
        "the unmodified step direction",
        "δ̃ = C̃⁻¹ ∇_θ f",
        "The equation is correct as printed, without a minus sign: the sign comes from α_* in (40).",
    ),
    34: Statement(
        "Appendix C.1",
        "identity",
        "the step direction of one layer",
        "δ̃_λ = C̃_λ⁻¹ ∇_{W_λ} f",
        "In this equation ∇_{W_λ} f and δ̃_λ are vectors: vec of the matrices, where vec stacks columns.",
    ),
    35: Statement(
        "Appendix C.1",
        "definition",
        "the damped curvature of one layer",
        "C̃_λ = Q̃_λ ⊗ 𝓖̃_λ + kI ⊗ I",
        "In this equation k is η + γ, as the text above the equation says. The k of Algorithm 1 is the square "
        "root √(γ + η). The first identity matrix has the size of Q̃_λ, and the second identity matrix has the "
        "size of 𝓖̃_λ.",
    ),
    36: Statement(
        "Appendix C.1",
        "approximation",
        "the factored damping",
        "Q̃_λ ⊗ 𝓖̃_λ + kI ⊗ I ≈ (Q̃_λ + ω √k I) ⊗ (𝓖̃_λ + ω⁻¹ √k I)",
        "The text above the equation prints (A ⊗ B)⁻¹ vec(V) = A⁻¹VB⁻¹. With stacked columns, the right side is "
        "vec(B⁻¹VA⁻ᵀ). The direction is therefore δ̃_λ = (𝓖̃_λ + ω⁻¹ √k I)⁻¹ ∇_{W_λ} f (Q̃_λ + ω √k I)⁻¹. "
        "Algorithm 1 multiplies by the two inverses from the opposite sides.",
    ),
    37: Statement(
        "Appendix C.1",
        "bound",
        "the residual of the factored damping",
        "R(ω) = Q̃_λ ⊗ G̃_λ + kI ⊗ I - (Q̃_λ + ω √k I) ⊗ (G̃_λ + ω⁻¹ √k I)\n"
        "     = -ω⁻¹ √k Q̃_λ ⊗ I - ω √k G̃_λ ⊗ I\n"
        "‖R(π)‖ ≤ ω⁻¹ √k ‖Q̃_λ ⊗ I‖ + ω √k ‖G̃_λ ⊗ I‖",
        "The roman G̃_λ means 𝓖̃_λ, R(π) means R(ω), and both terms G̃_λ ⊗ I mean I ⊗ 𝓖̃_λ.",
    ),
    38: Statement(
        "Appendix C.1",
        "definition",
        "the balance of the two factors",
        "ω = √(‖Q̃_λ ⊗ I‖ / ‖I ⊗ G̃_λ‖)",
        "The roman G̃_λ means 𝓖̃_λ. In the trace norm ω² = tr(Q̃_λ) dim(𝓖̃_λ) / (tr(𝓖̃_λ) dim(Q̃_λ)), where "
        "dim(Q̃_λ) includes the appended unit. The paper does not treat tr(𝓖̃_λ) = 0, for which this package "
        "takes ω = 1. The damping k must be positive.",
    ),
    39: Statement(
        "Appendix C.2",
        "definition",
        "the step size",
        "α_* = arg min_α f̂(αδ̃; C̃)\n    = arg min_α f(θ) + αδ̃ᵀ∇f + ½ α² δ̃ᵀ C̃ δ̃",
        "C̃ means C̄, which is the full Gauss-Newton matrix of the current minibatch plus (τ + η) I.",
    ),
    40: Statement(
        "Appendix C.2",
        "identity",
        "the final update",
        "δ_* = α_* δ̃ = -(δ̃ᵀ∇f / (δ̃ᵀ C̃ δ̃)) δ̃",
        "C̃ means C̄, as in (39). α_* is negative, since (33) has no minus sign.",
    ),
    41: Statement(
        "Appendix C.2",
        "identity",
        "the curvature along the step direction",
        "δ̃ᵀ C̃ δ̃ = δ̃ᵀ G̃ δ̃ + (τ + η) δ̃ᵀ δ̃",
        "C̃ means C̄ and G̃ means Ḡ, both of the current minibatch. Algorithm 1 prints δ̃ᵀ G̃ δ̃ = vᵀ 𝓗_L v, but the "
        "mean (1/N) Σ_n v_nᵀ 𝓗_n v_n is correct, where v_n and 𝓗_n are the v and the 𝓗_L of datapoint n.",
    ),
    42: Statement(
        "Appendix C.3.1",
        "definition",
        "the reduction ratio",
        "ρ = (f(θ + δ_*) - f(θ)) / (f̂(δ_*; C̃) - f̂(0; C̃))",
        "C̃ means C̄, and f includes the L2 term. Both C̄ and f belong to the current minibatch. The text below "
        "the equation says that f is lower than the model predicts if ρ < 1. The denominator is negative, so f is "
        "then higher.",
    ),
    43: Statement(
        "Appendix C.3.2",
        "approximation",
        "the two levels of approximation",
        "f(θ + δ) ≈^τ f̂(δ; C̄) ≈^γ f̂(δ; C̃)",
        "The equation is correct as printed. The text below the equation selects γ by the smallest f̂(δ; C̃), but "
        "C̄ is meant. Each candidate for γ has its own α_*, under the same C̄ with the current τ.",
    ),
    44: Statement(
        "Appendix C.4",
        "definition",
        "the moving average of the parameters",
        "θ̂_t = β_t θ̂_{t-1} + (1 - β_t) θ_t",
        "The paper does not define the start of the average. In this package t counts from 1, and θ_t are the "
        "parameters after update t, so that β_1 = 0 and no θ̂_0 is needed.",
    ),
    45: Statement(
        "Appendix C.4",
        "definition",
        "the weight of the moving average",
        "β_t = min(0.95, 1 - 1/t)",
        "t counts from 1, since 1 - 1/0 has no value. Up to t = 20, the average is the arithmetic mean of θ_1, ..., "
        "θ_t.",
    ),
    46: Statement(
        "Appendix D.1",
        "identity",
        "the two forms of the Fisher matrix",
        "F̄ = 𝔼[∇_θ log p_θ(x) ∇_θ log p_θ(x)ᵀ]_{p_θ(x)}\n  = -𝔼[∇∇ log p_θ(x)]_{p_θ(x)}",
        "The two forms agree for labels from the model. With the labels of the data, the first form is the "
        "empirical Fisher matrix, which differs from F̄. If h_L are natural parameters, the second form with the "
        "labels of the data is F̄ plus the mean of the first term of (11).",
    ),
    47: Statement(
        "Appendix D.1",
        "definition",
        "the Fisher matrix of a network",
        "F̄ = 𝔼[∇_θ log p_θ(x, y) ∇_θ log p_θ(x, y)ᵀ]_{p_θ(x,y)}\n  = 𝔼[∇_θ log p_θ(y|x) ∇_θ log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x): x is from the data, and only y is from the model.",
    ),
    48: Statement(
        "Appendix D.1",
        "definition",
        "the outer product of the gradient at the output",
        "𝓕_L ≡ ∇_{h_L} log p_θ(y|x) ∇_{h_L} log p_θ(y|x)ᵀ",
    ),
    49: Statement(
        "Appendix D.1",
        "identity",
        "the Fisher matrix in terms of the Jacobian of the output",
        "F̄ = 𝔼[J_θ^{h_L}ᵀ ∇_{h_L} log p_θ(y|x)\n"
        "      ∇_{h_L} log p_θ(y|x)ᵀ J_θ^{h_L}]_{p_θ(x,y)}\n"
        "  = 𝔼[J_θ^{h_L}ᵀ 𝓕_L J_θ^{h_L}]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
    ),
    50: Statement(
        "Appendix D.2",
        "identity",
        "the expected Gauss-Newton matrix, with an inner mean over the labels",
        "Ḡ = 𝔼[J_θ^{h_L}ᵀ 𝓗_L J_θ^{h_L}]_{p(x,y)}\n  = 𝔼[J_θ^{h_L}ᵀ 𝔼[𝓗_L]_{p(y|x)} J_θ^{h_L}]_{p(x)}",
    ),
    51: Statement(
        "Appendix D.2",
        "identity",
        "the Fisher matrix, with an inner mean over the labels",
        "F̄ = 𝔼[J_θ^{h_L}ᵀ 𝓕_L J_θ^{h_L}]_{p_θ(x,y)}\n"
        "  = 𝔼[J_θ^{h_L}ᵀ 𝔼[𝓕_L]_{p_θ(y|x)} J_θ^{h_L}]_{p(x)}\n"
        "  = 𝔼[J_θ^{h_L}ᵀ 𝔼[𝓗_L]_{p_θ(y|x)} J_θ^{h_L}]_{p(x)}",
        "p_θ(x, y) means p(x) p_θ(y|x), and E means -log p_θ(y|x). F̄ equals the Ḡ of (50) if 𝓗_L is independent "
        "of y. For (27), 𝓗_L depends on y, and F̄ differs from Ḡ in general.",
    ),
    52: Statement(
        "Appendix D.2",
        "definition",
        "an exponential family",
        "log p(y|x, θ) = log h(y) + T(y)ᵀ η(x, θ) - log Z(x, θ)\n              = log h(y) + T(y)ᵀ h_L - log Z(h_L)",
        "Section 4 requires only an exponential family, but h_L must also be the natural parameters η of the "
        "family. The letters h, T and η have other meanings in the rest of the paper.",
    ),
    53: Statement(
        "Appendix D.2",
        "identity",
        "the gradient of the log-likelihood of an exponential family",
        "∇_{h_L} log p(y|x, θ) = T(y) - ∇_{h_L} log Z(h_L)",
        "The equation holds only if h_L are the natural parameters.",
    ),
    54: Statement(
        "Appendix D.2",
        "identity",
        "the output Hessian of an exponential family",
        "𝓗_L = ∇∇_{h_L} log Z(h_L)",
        "The equation holds only if h_L are the natural parameters and E is the negative log-likelihood.",
    ),
    55: Statement(
        "Appendix D.3",
        "identity",
        "the expected pre-activation Gauss-Newton matrix",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝓗_L J_{h_λ}^{h_L}]_{p(x)}",
        "The equation holds only if 𝓗_L is independent of y. The loss of (27) is an example for which the equation "
        "does not hold.",
    ),
    56: Statement(
        "Appendix D.3",
        "identity",
        "the second factor from the expected Fisher matrix at the output",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝔼[𝓕_L]_{p_θ(y|x)} J_{h_λ}^{h_L}]_{p(x)}",
        "The right side equals the left side only if 𝓗_L is independent of y, as in (55).",
    ),
    57: Statement(
        "Appendix D.3",
        "identity",
        "the second factor as one expectation over x and y",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝓕_L J_{h_λ}^{h_L}]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x). The right side equals the left side only if 𝓗_L is independent of y, as in "
        "(55).",
    ),
    58: Statement(
        "Appendix D.3",
        "identity",
        "the second factor from gradients at the output",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ ∇_{h_L} log p_θ(y|x)\n"
        "                     ∇_{h_L} log p_θ(y|x)ᵀ J_{h_λ}^{h_L}]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x). The right side equals the left side only if 𝓗_L is independent of y, as in "
        "(55).",
    ),
    59: Statement(
        "Appendix D.3",
        "identity",
        "KFAC, the second factor from gradients at the layer",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[∇_{h_λ} log p_θ(y|x) ∇_{h_λ} log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x). KFAC samples only y, and estimates the expectation by the mean over N "
        "datapoints with S sampled labels each. The right side equals the left side, which is the factor of KFLR, "
        "only if 𝓗_L is independent of y, as in (55).",
    ),
    60: Statement(
        "Appendix D.3",
        "identity",
        "the blocks of the Fisher matrix",
        "[F̄]_{λ,β} = 𝔼[∇_{W_λ} log p_θ(y|x) ∇_{W_β} log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x), as in (47). ∇_{W_λ} is the gradient with respect to vec(W_λ), with "
        "stacked columns.",
    ),
    61: Statement(
        "Appendix D.3",
        "identity",
        "the Fisher blocks from Kronecker products of vectors",
        "[F̄]_{λ,β} = 𝔼[(a_{λ-1} ⊗ ∇_{h_λ} log p_θ(y|x))\n               (a_{β-1} ⊗ ∇_{h_β} log p_θ(y|x))ᵀ]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
    ),
    62: Statement(
        "Appendix D.3",
        "identity",
        "the Fisher blocks as Kronecker products of matrices",
        "[F̄]_{λ,β} = 𝔼[(a_{λ-1} a_{β-1}ᵀ)\n               ⊗ (∇_{h_λ} log p_θ(y|x) ∇_{h_β} log p_θ(y|x)ᵀ)]_{p_θ(x,y)}",
        "p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
    ),
    63: Statement(
        "Appendix E",
        "bound",
        "the rank of the sample Gauss-Newton matrix",
        "G ≡ J_θ^{h_L}ᵀ 𝓗_L J_θ^{h_L}  ⇒  rank(G) ≤ rank(𝓗_L)",
        "The bound holds for one datapoint. A mean over N datapoints can have N times this rank. If the last "
        "layer has a bias, rank(G) equals rank(𝓗_L).",
    ),
    64: Statement(
        "Appendix E",
        "approximation",
        "the Monte Carlo Gauss-Newton matrix",
        "Ḡ = 𝔼[G] ≈ (1/N) Σ_n G_n",
        "The bounds N rank(𝓗_L) and N S in the text below the equation hold for this unfactored matrix, and for "
        "the factor 𝓖 of KFLR and KFAC. These bounds do not hold for 𝓠 ⊗ 𝓖, nor for the 𝓖 of KFRA.",
    ),
    65: Statement(
        "Appendix F",
        "definition",
        "the diagonal blocks of the Hessian",
        "H_λ = ∂²E/(∂vec(W_λ) ∂vec(W_λ))",
        "Lemma 1 assumes f'' = 0 for 1 ≤ λ ≤ L, but the layers 1, ..., L - 1 are meant, since there is no f_L.",
    ),
    66: Statement(
        "Appendix F",
        "identity",
        "the recursion without its second term",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ\n    = (W_{λ+1} B_λ)ᵀ 𝓗_{λ+1} (W_{λ+1} B_λ)",
        "W_{λ+1} is without its bias column. The proof prints D_{i,j} = δ_{i,j} f''(h_{i,j}), but D_{i,j} = "
        "δ_{i,j} f''(h_i) ∂E/∂a_i is correct.",
    ),
    67: Statement(
        "Appendix F",
        "definition",
        "the vector propagated to the next layer",
        "ṽ = W_{λ+1} B_λ v",
        "W_{λ+1} is without its bias column, as in (66).",
    ),
    68: Statement(
        "Appendix F",
        "identity",
        "the quadratic form at the next layer",
        "vᵀ 𝓗_λ v = (W_{λ+1} B_λ v)ᵀ 𝓗_{λ+1} (W_{λ+1} B_λ v)\n         = ṽᵀ 𝓗_{λ+1} ṽ",
        "W_{λ+1} is without its bias column, as in (66).",
    ),
    69: Statement(
        "Appendix F",
        "statement",
        "positive semi-definiteness inherited from the next layer",
        "𝓗_{λ+1} ≥ 0  ⇒  𝓗_λ ≥ 0",
    ),
    70: Statement(
        "Appendix F",
        "identity",
        "the quadratic form of one block",
        "vec(V)ᵀ H_λ vec(V) = vec(V)ᵀ [(a_λ a_λᵀ) ⊗ 𝓗_λ] vec(V)\n"
        "                   = vec(V)ᵀ vec(𝓗_λ V a_λ a_λᵀ)\n"
        "                   = trace(Vᵀ 𝓗_λ V a_λ a_λᵀ)\n"
        "                   = trace(a_λᵀ Vᵀ 𝓗_λ V a_λ)\n"
        "                   = (V a_λ)ᵀ 𝓗_λ (V a_λ)",
        "Every a_λ means a_{λ-1} with the unit appended, as in (7).",
    ),
    71: Statement(
        "Appendix F",
        "bound",
        "the trace of the Hessian",
        "trace(H) = Σ_{λ=1}^L trace(H_λ) ≥ 0",
        "At a strict maximum H ≤ 0, but H need not have a negative eigenvalue, as -x⁴ shows. The equation therefore "
        "does not prove Lemma 2. The conclusion of the lemma holds, since E is convex in each W_λ near every smooth "
        "point, with the other layers fixed.",
    ),
}
"""Every numbered equation by its number, from 1 to 71."""
