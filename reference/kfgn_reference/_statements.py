"""The 71 numbered equations of the paper: the kind and the text of each, and the remarks on it.

Greek indices count layers, and L is the last layer. All other Latin indices count units, parameters, columns,
datapoints or steps. A block of a matrix has the index of its layer, or two indices if it lies between two layers. The
equations are as printed, and the remarks name the errors and omissions of the paper. The equations were copied from a
transcription of the paper. Some hats, bars and tildes of the transcription may be wrong.

>>> from kfgn_reference import STATEMENTS
>>> STATEMENTS[24].kind, STATEMENTS[24].text
('definition', 'C^k_λ = B_λ W_{λ+1}ᵀ C^k_{λ+1}')
>>> STATEMENTS[24].remarks
{'Note': 'W_{λ+1} means the matrix without its bias column: the unit of footnote 2 has zero derivative.'}
>>> STATEMENTS[38].place
'Appendix C.1, Inverting the Approximate Curvature Matrix'
"""

from typing import Literal, NamedTuple

Kind = Literal["definition", "identity", "approximation", "bound", "statement"]
"""The kind of claim that an equation makes.

    definition      the equation introduces a quantity or a rule, and does not claim that two quantities are equal
    identity        two quantities that can be computed separately are equal
    approximation   two quantities are close, without a bound on their difference
    bound           one quantity is at most, or at least, another
    statement       the equation is an implication between two claims; (69) is the only equation of this kind
"""

RemarkKind = Literal["Misprint", "Gap", "Choice", "Note"]
"""The kind of a remark on an equation.

    Misprint   the equation, or the text about it, is wrong. The remark has the form "printed → right"
    Gap        the paper leaves something undefined or does not mention it
    Choice     the reading or the rule that this package follows where the paper allows several of them
    Note       an explanation. Nothing is wrong or missing
"""

SECTIONS = {
    "2.1": "Feedforward Neural Networks",
    "2.2": "The Hessian",
    "2.2.1": "Block Diagonal Hessian",
    "2.2.2": "Block Hessian Recursion",
    "3": "Approximate Gauss-Newton Method",
    "3.1": "The GN Matrix as a Khatri-Rao Product",
    "3.2": "Approximating the GN Diagonal Blocks",
    "3.3": "The Pre-Activation Recursion",
    "3.4": "Exact Low Rank Calculation of 𝔼[𝓖_λ]",
    "3.5": "Recursive Approximation of 𝔼[𝓖_λ]",
    "5.2": "Non-Exponential Family Model",
    "Appendix B": "Derivation of the Block-Diagonal Hessian Recursion",
    "Appendix C": "Implementation Details",
    "Appendix C.1": "Inverting the Approximate Curvature Matrix",
    "Appendix C.2": "Choosing the Step Size",
    "Appendix C.3.1": "Adaptive Damping, τ",
    "Appendix C.3.2": "Adaptive Damping, γ",
    "Appendix C.4": "Parameter Averaging",
    "Appendix D.1": "The Fisher Matrix",
    "Appendix D.2": "Equivalence between the Gauss-Newton and Fisher Matrices",
    "Appendix D.3": "The Fisher Approximation to 𝔼[𝓖_λ] and KFAC",
    "Appendix E": "The Rank of the Monte Carlo Gauss-Newton",
    "Appendix F": "Absence of Smooth Local Maxima for Piecewise Linear Transfer Functions",
    "Appendix H": "Algorithm for a Single Backward Pass",
}
"""The titles of the sections of the paper that have numbered equations or Algorithm 1."""


class Statement(NamedTuple):
    """One numbered equation, or Algorithm 1.

    section:  the section of the paper, such as "2.2.1" or "Appendix C.1"
    kind:     the kind of claim that the equation makes, one of `Kind`
    title:    a name in a few words
    text:     the equation as printed, in lines of at most 78 columns. A left side that the paper carries over from
              the previous equation is repeated
    misprint, gap, choice, note:
              the remarks on the equation, by the kinds of `RemarkKind`, or empty strings. Each remark is understood
              without the others
    keywords: terms and symbols by which a reader may search for the equation, if no name or title contains them
    """

    section: str
    kind: Kind
    title: str
    text: str
    misprint: str = ""
    gap: str = ""
    choice: str = ""
    note: str = ""
    keywords: tuple[str, ...] = ()

    @property
    def remarks(self) -> dict[RemarkKind, str]:
        """The remarks on the equation by their kind, without empty ones."""
        all_kinds: dict[RemarkKind, str] = {
            "Misprint": self.misprint,
            "Gap": self.gap,
            "Choice": self.choice,
            "Note": self.note,
        }
        return {kind: text for kind, text in all_kinds.items() if text}

    @property
    def place(self) -> str:
        """The section of the paper with its title."""
        section = self.section if self.section.startswith("Appendix") else f"Section {self.section}"
        return f"{section}, {SECTIONS[self.section]}"


STATEMENTS: dict[int, Statement] = {
    1: Statement(
        "2.1",
        "definition",
        "the forward pass",
        "h_λ = W_λ a_{λ-1};   a_λ = f_λ(h_λ)   1 ≤ λ < L",
        misprint="Algorithm 1: a_L = f_L(h_L) → there is no f_L.",
        note="The output is h_L = W_L a_{L-1}. Footnote 2 appends a unit (the number 1) to every a_{λ-1}, λ = 1, "
        "..., L. The unit multiplies the bias column of W_λ. From (8) on, the equations also write W_λ for the matrix "
        "without this column.",
        keywords=("bias",),
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
        keywords=("backpropagation",),
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
        choice="Section 2.1 writes the squared loss as (h_L - y)², and footnote 5 as (y - h_L)²/2. This package "
        "follows footnote 5, so that 𝓗_L = I.",
    ),
    7: Statement(
        "2.2.1",
        "identity",
        "the sample Hessian of one layer as a Kronecker product",
        "H_λ = ∂²E/(∂vec(W_λ) ∂vec(W_λ)) = (a_{λ-1} a_{λ-1}ᵀ) ⊗ 𝓗_λ",
        gap="The paper does not define vec.",
        note="The equation holds if vec stacks columns, as in the proof of (70): (A ⊗ B) vec(V) = vec(BVAᵀ). The "
        "inverse that is printed above (36) belongs to a vec that stacks rows.",
    ),
    8: Statement(
        "2.2.2",
        "identity",
        "the pre-activation Hessian recursion",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ",
        note="W_{λ+1} means the matrix without its bias column: the unit of footnote 2 has zero derivative.",
    ),
    9: Statement(
        "2.2.2",
        "definition",
        "the diagonal matrix of first derivatives",
        "B_λ = diag(f'_λ(h_λ))",
        gap="The paper does not define f' at a kink.",
        choice="This package takes the left derivative, which is 0 for the ReLU.",
        keywords=("kink", "B"),
    ),
    10: Statement(
        "2.2.2",
        "definition",
        "the diagonal matrix of second derivatives",
        "D_λ = diag(f''_λ(h_λ) ∂E/∂a_λ)",
        note="The product is elementwise. ∂E/∂a_λ means W_{λ+1}ᵀ ∂E/∂h_{λ+1}, where W_{λ+1} is the matrix without "
        "its bias column. The paper also writes D_λ for the width of a layer.",
        keywords=("D",),
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
        gap="The paper assumes that 𝓗_L is PSD, but the 𝓗_L of (27) never is.",
        choice="By default, this package sets the negative eigenvalues of 𝓗_L to zero, for each datapoint and before "
        "any mean.",
        keywords=("GGN",),
    ),
    13: Statement(
        "3",
        "definition",
        "the expected Gauss-Newton matrix",
        "Ḡ ≡ 𝔼[J_θ^{h^L}ᵀ 𝓗_L J_θ^{h^L}]_{p(x,y)}",
        keywords=("GGN",),
    ),
    14: Statement(
        "3.1",
        "identity",
        "the blocks of the Gauss-Newton matrix by the chain rule",
        "Ḡ_{λ,β} = 𝔼[J_{W_λ}^{h_λ}ᵀ J_{h_λ}^{h^L}ᵀ 𝓗_L J_{h_β}^{h^L} J_{W_β}^{h_β}]",
        misprint="Below the equation: [J_{h_λ}^{h^L}]_{i,k} ≡ ∂h^L_k/∂h^λ_i → [J_{h_λ}^{h^L}]_{k,i} ≡ ∂h^L_k/∂h^λ_i.",
    ),
    15: Statement(
        "3.1",
        "definition",
        "the pre-activation Gauss-Newton matrix",
        "𝓖_{λ,β} = J_{h_λ}^{h_L}ᵀ 𝓗_L J_{h_β}^{h_L}",
        note="The elements of the Jacobians are [J_{h_λ}^{h_L}]_{k,i} = ∂h^L_k/∂h^λ_i. The text below (14) "
        "exchanges k and i, and so defines the transposed Jacobian.",
    ),
    16: Statement(
        "3.1",
        "identity",
        "the blocks of the Gauss-Newton matrix as Kronecker products",
        "𝓖̄_{λ,β} = 𝔼[(a_{λ-1} a_{β-1}ᵀ) ⊗ 𝓖_{λ,β}]",
        misprint="𝓖̄_{λ,β} → Ḡ_{λ,β}, the parameter block of (14).",
    ),
    17: Statement(
        "3.1",
        "identity",
        "the Gauss-Newton matrix as a Khatri-Rao product",
        "Ḡ = 𝔼[𝓠 ⋆ 𝓖]",
        misprint="Below the equation: 𝓖_{λ,β} as defined in (16) → as defined in (15).",
    ),
    18: Statement(
        "3.1",
        "definition",
        "the outer product of the activations",
        "𝓠_{λ,β} ≡ a_{λ-1} a_{β-1}ᵀ",
        note="Unlike W in (22), 𝓠 includes the appended unit: the block 𝓠_{λ,λ} has D_{λ-1} + 1 rows.",
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
        note='The "d × n" matrix A_{λ-1} has N columns and D_{λ-1} + 1 rows. One of these rows consists of ones. In '
        "Algorithm 1 the letter A means f'(h).",
    ),
    22: Statement(
        "3.3",
        "identity",
        "the pre-activation Gauss-Newton recursion",
        "𝓖_λ = B_λ W_{λ+1}ᵀ 𝓖_{λ+1} W_{λ+1} B_λ",
        note="The recursion starts at 𝓖_L = 𝓗_L. W_{λ+1} means the matrix without its bias column, as in (8).",
    ),
    23: Statement(
        "3.4",
        "definition",
        "the square root of the pre-activation Gauss-Newton matrix",
        "𝓖_λ = Σ_{k=1}^K C^k_λ C^k_λᵀ",
        gap="The paper gives no root of 𝓖_L.",
        choice="Every root gives the same 𝓖_λ. This package takes I for the squared loss, diag(√(p(1-p))) for "
        "Bernoulli, and diag(√p) - p (√p)ᵀ for softmax. For (27), no root exists until a PSD matrix replaces 𝓗_L.",
    ),
    24: Statement(
        "3.4",
        "definition",
        "the recursion for the square root",
        "C^k_λ = B_λ W_{λ+1}ᵀ C^k_{λ+1}",
        note="W_{λ+1} means the matrix without its bias column: the unit of footnote 2 has zero derivative.",
    ),
    25: Statement(
        "3.4",
        "identity",
        "KFLR, the exact second factor",
        "𝔼[𝓖_λ] = 𝔼[Σ_k C^k_λ C^k_λᵀ] = (1/N) Σ_k C̃^k_λ (C̃^k_λ)ᵀ",
        note="C and C̃ are roots here and in (23) and (24), but curvature matrices in Appendix C.",
    ),
    26: Statement(
        "3.5",
        "approximation",
        "KFRA, the recursive approximation of the second factor",
        "𝔼[𝓖_λ] ≈ 𝔼[B_λ W_{λ+1}ᵀ 𝔼[𝓖_{λ+1}] W_{λ+1} B_λ]",
        gap="The paper does not give the start 𝔼[𝓖_L] = 𝔼[𝓗_L] for each loss. For softmax the start is diag(𝔼[p]) - "
        "𝔼[p pᵀ], which differs from diag(𝔼[p]) - 𝔼[p] 𝔼[p]ᵀ.",
        note="The equation is correct as printed. The outer expectation applies to f' alone, since 𝔼[𝓖_{λ+1}] is the "
        "same for every datapoint. The right side is therefore (W_{λ+1}ᵀ 𝔼[𝓖_{λ+1}] W_{λ+1}) ⊙ 𝔼[f'_λ f'_λᵀ], as in "
        "Algorithm 1. W_{λ+1} means the matrix without its bias column, as in (8).",
    ),
    27: Statement(
        "5.2",
        "definition",
        "the mixture of two binary classifiers",
        "p(y|h_L) = σ(h^L_1) σ(h^L_2)^y σ(-h^L_2)^{1-y}\n         + (1 - σ(h^L_1)) σ(h^L_3)^y σ(-h^L_3)^{1-y}",
        gap="The 𝓗_L of the mixture is indefinite, so that (23) has no root.",
        choice="By default, this package sets the negative eigenvalues of 𝓗_L to zero, for each datapoint and before "
        "any mean.",
        note="𝓗_L has exactly one negative eigenvalue at every h_L and for both labels. (12) therefore need not be "
        "PSD.",
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
        misprint="𝓗_λ → the element [𝓗_λ]_{a,b}, on the left side.",
        note="The indices a and b do not count the appended unit, so W^{λ+1} means the matrix without its bias column.",
    ),
    29: Statement(
        "Appendix B",
        "identity",
        "the pre-activation Hessian recursion in matrix notation",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ",
        note="W_{λ+1} means the matrix without its bias column, as in (8).",
    ),
    30: Statement(
        "Appendix B",
        "definition",
        "the elements of B",
        "[B_λ]_{a,a'} = δ_{a,a'} ∂a^λ_a/∂h^λ_a = δ_{a,a'} f'(h^λ_a)",
        gap="The paper does not define f' at a kink, as in (9).",
        keywords=("kink",),
    ),
    31: Statement(
        "Appendix B",
        "definition",
        "the elements of D",
        "[D_λ]_{a,a'} = δ_{a,a'} ∂²a^λ_a/∂(h^λ_a)² (∂E/∂x^λ_a)\n             = δ_{a,a'} f''(h^λ_a) ∂E/∂x^λ_a",
        misprint="∂E/∂x^λ_a → ∂E/∂a^λ_a, in both expressions.",
        note="The index a does not count the appended unit.",
    ),
    32: Statement(
        "Appendix C",
        "approximation",
        "the quadratic approximation of the objective",
        "f(θ + δ) ≈ f(θ) + δᵀ ∇_θ f + ½ δᵀ C δ = f̂(δ; C)",
        gap="The paper does not say whether f includes the L2 term.",
        choice="This package includes the L2 term: f is the mean of E over the minibatch plus ½ η ‖θ‖², where θ "
        "includes the biases.",
        note="In the main text the letter f means a transfer function.",
    ),
    33: Statement(
        "Appendix C.1",
        "definition",
        "the unmodified step direction",
        "δ̃ = C̃⁻¹ ∇_θ f",
        note="The equation is correct as printed, without a minus sign: the sign comes from α_* in (40).",
        keywords=("damping",),
    ),
    34: Statement(
        "Appendix C.1",
        "identity",
        "the step direction of one layer",
        "δ̃_λ = C̃_λ⁻¹ ∇_{W_λ} f",
        note="In this equation ∇_{W_λ} f and δ̃_λ are vectors: vec of the matrices, where vec stacks columns.",
    ),
    35: Statement(
        "Appendix C.1",
        "definition",
        "the damped curvature of one layer",
        "C̃_λ = Q̃_λ ⊗ 𝓖̃_λ + kI ⊗ I",
        note="In this equation k is η + γ, as the text above the equation says. The k of Algorithm 1 is the square "
        "root √(γ + η). The first identity matrix has the size of Q̃_λ, and the second identity matrix has the size "
        "of 𝓖̃_λ.",
    ),
    36: Statement(
        "Appendix C.1",
        "approximation",
        "the factored damping",
        "Q̃_λ ⊗ 𝓖̃_λ + kI ⊗ I ≈ (Q̃_λ + ω √k I) ⊗ (𝓖̃_λ + ω⁻¹ √k I)",
        misprint="Above the equation: A⁻¹VB⁻¹ → vec(B⁻¹VA⁻ᵀ). Algorithm 1: (Q̃_λ + ωk)⁻¹ g_λ (𝓖̃_λ + ω⁻¹k)⁻¹ → (𝓖̃_λ "
        "+ ω⁻¹ √k I)⁻¹ g_λ (Q̃_λ + ω √k I)⁻¹.",
        gap="The paper has no rule for a damping that rounding hides, nor for a damped factor that is not positive "
        "definite.",
        choice="The optimiser raises a positive damping of a factor to a bound on the rounding errors of this factor, "
        "if the damping is smaller. The optimiser rejects a step if a damped factor is not positive definite.",
        note="vec stacks columns. The k of Algorithm 1 is the √k of this equation.",
        keywords=("inverse",),
    ),
    37: Statement(
        "Appendix C.1",
        "bound",
        "the residual of the factored damping",
        "R(ω) = Q̃_λ ⊗ G̃_λ + kI ⊗ I - (Q̃_λ + ω √k I) ⊗ (G̃_λ + ω⁻¹ √k I)\n"
        "     = -ω⁻¹ √k Q̃_λ ⊗ I - ω √k G̃_λ ⊗ I\n"
        "‖R(π)‖ ≤ ω⁻¹ √k ‖Q̃_λ ⊗ I‖ + ω √k ‖G̃_λ ⊗ I‖",
        misprint="G̃_λ → 𝓖̃_λ. R(π) → R(ω). G̃_λ ⊗ I → I ⊗ 𝓖̃_λ, in the second and the third line.",
    ),
    38: Statement(
        "Appendix C.1",
        "definition",
        "the balance of the two factors",
        "ω = √(‖Q̃_λ ⊗ I‖ / ‖I ⊗ G̃_λ‖)",
        misprint="G̃_λ → 𝓖̃_λ.",
        gap="The paper does not treat tr(𝓖̃_λ) = 0, the case of dead units.",
        choice="This package takes ω = 1 if one of the two norms is 0. The damping k must then be positive.",
        note="In the trace norm ω² = tr(Q̃_λ) dim(𝓖̃_λ) / (tr(𝓖̃_λ) dim(Q̃_λ)), where dim(Q̃_λ) includes the appended unit.",
        keywords=("trace norm",),
    ),
    39: Statement(
        "Appendix C.2",
        "definition",
        "the step size",
        "α_* = arg min_α f̂(αδ̃; C̃)\n    = arg min_α f(θ) + αδ̃ᵀ∇f + ½ α² δ̃ᵀ C̃ δ̃",
        misprint="C̃ → C̄.",
        note="C̄ = Ḡ + (τ + η) I, where Ḡ is the full Gauss-Newton matrix of the current minibatch.",
        keywords=("line search", "damping"),
    ),
    40: Statement(
        "Appendix C.2",
        "identity",
        "the final update",
        "δ_* = α_* δ̃ = -(δ̃ᵀ∇f / (δ̃ᵀ C̃ δ̃)) δ̃",
        misprint="C̃ → C̄, as in (39).",
        note="α_* is negative, since (33) has no minus sign.",
        keywords=("learning rate", "damping"),
    ),
    41: Statement(
        "Appendix C.2",
        "identity",
        "the curvature along the step direction",
        "δ̃ᵀ C̃ δ̃ = δ̃ᵀ G̃ δ̃ + (τ + η) δ̃ᵀ δ̃",
        misprint="C̃ → C̄. G̃ → Ḡ. Algorithm 1: vᵀ 𝓗_L v → (1/N) Σ_n v_nᵀ 𝓗_n v_n.",
        note="C̄ and Ḡ are those of the current minibatch. v_n and 𝓗_n are the v and the 𝓗_L of datapoint n.",
        keywords=("R-operator", "damping"),
    ),
    42: Statement(
        "Appendix C.3.1",
        "definition",
        "the reduction ratio",
        "ρ = (f(θ + δ_*) - f(θ)) / (f̂(δ_*; C̃) - f̂(0; C̃))",
        misprint="C̃ → C̄. Below the equation: f is lower if ρ < 1 → f is higher if ρ < 1.",
        gap="The paper does not say on which data ρ is computed, and has no rule for changes of f that are rounding "
        "errors.",
        choice="f includes the L2 term, and both C̄ and f belong to the current minibatch. τ keeps its value where "
        "the numerator and the denominator are rounding errors. With momentum, the numerator and the denominator are "
        "computed for the whole update.",
        note="The denominator is negative. If ρ < 1, f is therefore higher than the quadratic model predicts.",
        keywords=(
            "Levenberg-Marquardt",
            "trust region",
            "rho",
        ),
    ),
    43: Statement(
        "Appendix C.3.2",
        "approximation",
        "the two levels of approximation",
        "f(θ + δ) ≈^τ f̂(δ; C̄) ≈^γ f̂(δ; C̃)",
        misprint="Below the equation: γ minimises f̂(δ; C̃) → γ minimises f̂(δ; C̄).",
        choice="Each candidate for γ has its own α_*, under the same C̄ with the current τ.",
        note="The equation itself is correct as printed.",
    ),
    44: Statement(
        "Appendix C.4",
        "definition",
        "the moving average of the parameters",
        "θ̂_t = β_t θ̂_{t-1} + (1 - β_t) θ_t",
        gap="The paper does not define the start of the average.",
        choice="t counts from 1, and θ_t are the parameters after update t, so that β_1 = 0 and no θ̂_0 is needed.",
        keywords=("Polyak averaging",),
    ),
    45: Statement(
        "Appendix C.4",
        "definition",
        "the weight of the moving average",
        "β_t = min(0.95, 1 - 1/t)",
        gap="The paper does not give the first t, and 1 - 1/0 has no value.",
        choice="t counts from 1. Up to t = 20, the average is the arithmetic mean of θ_1, ..., θ_t.",
    ),
    46: Statement(
        "Appendix D.1",
        "identity",
        "the two forms of the Fisher matrix",
        "F̄ = 𝔼[∇_θ log p_θ(x) ∇_θ log p_θ(x)ᵀ]_{p_θ(x)}\n  = -𝔼[∇∇ log p_θ(x)]_{p_θ(x)}",
        note="The two forms agree for labels from the model. With the labels of the data, the first form is the "
        "empirical Fisher matrix, which differs from F̄. If h_L are natural parameters, the second form with the "
        "labels of the data is F̄ plus the mean of the first term of (11).",
        keywords=(
            "natural gradient",
            "empirical Fisher",
        ),
    ),
    47: Statement(
        "Appendix D.1",
        "definition",
        "the Fisher matrix of a network",
        "F̄ = 𝔼[∇_θ log p_θ(x, y) ∇_θ log p_θ(x, y)ᵀ]_{p_θ(x,y)}\n  = 𝔼[∇_θ log p_θ(y|x) ∇_θ log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        gap="The paper does not define p_θ(x, y).",
        note="p_θ(x, y) means p(x) p_θ(y|x), as (51) shows: x is from the data, and only y is from the model.",
        keywords=("natural gradient",),
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
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
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
        note="p_θ(x, y) means p(x) p_θ(y|x), and E means -log p_θ(y|x). F̄ equals the Ḡ of (50) if 𝓗_L is "
        "independent of y. For (27), 𝓗_L depends on y, and F̄ differs from Ḡ in general.",
    ),
    52: Statement(
        "Appendix D.2",
        "definition",
        "an exponential family",
        "log p(y|x, θ) = log h(y) + T(y)ᵀ η(x, θ) - log Z(x, θ)\n              = log h(y) + T(y)ᵀ h_L - log Z(h_L)",
        misprint="Section 4: F̄ = Ḡ in every exponential family → if h_L are its natural parameters.",
        note="Appendix D.2 has the condition that h_L are natural parameters, but Section 4 refers to Appendix D.3. "
        "The letters h, T and η have different meanings in the rest of the paper.",
    ),
    53: Statement(
        "Appendix D.2",
        "identity",
        "the gradient of the log-likelihood of an exponential family",
        "∇_{h_L} log p(y|x, θ) = T(y) - ∇_{h_L} log Z(h_L)",
        note="The equation holds only if h_L are the natural parameters.",
    ),
    54: Statement(
        "Appendix D.2",
        "identity",
        "the output Hessian of an exponential family",
        "𝓗_L = ∇∇_{h_L} log Z(h_L)",
        note="The equation holds only if h_L are the natural parameters and E is the negative log-likelihood. The "
        "text above the equation refers to Section 2.1 for this objective, but Section 2.1 names only a loss E. "
        "Section 4 describes the likelihood.",
    ),
    55: Statement(
        "Appendix D.3",
        "identity",
        "the expected pre-activation Gauss-Newton matrix",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝓗_L J_{h_λ}^{h_L}]_{p(x)}",
        note="The equation holds only if 𝓗_L is independent of y. The paper states this condition in Appendix D.2 and "
        "in footnote 14, and cites (54) as the reason for the equation. For the loss of (27), the equation does not "
        "hold.",
    ),
    56: Statement(
        "Appendix D.3",
        "identity",
        "the second factor from the expected Fisher matrix at the output",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝔼[𝓕_L]_{p_θ(y|x)} J_{h_λ}^{h_L}]_{p(x)}",
        note="The right side equals the left side only if 𝓗_L is independent of y, as in (55).",
    ),
    57: Statement(
        "Appendix D.3",
        "identity",
        "the second factor as one expectation over x and y",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ 𝓕_L J_{h_λ}^{h_L}]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47). The right side equals the left side only if 𝓗_L is "
        "independent of y, as in (55).",
    ),
    58: Statement(
        "Appendix D.3",
        "identity",
        "the second factor from gradients at the output",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[J_{h_λ}^{h_L}ᵀ ∇_{h_L} log p_θ(y|x)\n"
        "                     ∇_{h_L} log p_θ(y|x)ᵀ J_{h_λ}^{h_L}]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47). The right side equals the left side only if 𝓗_L is "
        "independent of y, as in (55).",
    ),
    59: Statement(
        "Appendix D.3",
        "identity",
        "KFAC, the second factor from gradients at the layer",
        "𝔼[𝓖_λ]_{p(x,y)} = 𝔼[∇_{h_λ} log p_θ(y|x) ∇_{h_λ} log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47). KFAC samples only y, and estimates the expectation by the "
        "mean over N datapoints with S sampled labels each. The right side equals the left side, which is the factor "
        "of KFLR, only if 𝓗_L is independent of y, as in (55).",
        keywords=(
            "Monte Carlo",
            "sampled labels",
        ),
    ),
    60: Statement(
        "Appendix D.3",
        "identity",
        "the blocks of the Fisher matrix",
        "[F̄]_{λ,β} = 𝔼[∇_{W_λ} log p_θ(y|x) ∇_{W_β} log p_θ(y|x)ᵀ]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47). ∇_{W_λ} is the gradient with respect to vec(W_λ), with "
        "stacked columns.",
    ),
    61: Statement(
        "Appendix D.3",
        "identity",
        "the Fisher blocks from Kronecker products of vectors",
        "[F̄]_{λ,β} = 𝔼[(a_{λ-1} ⊗ ∇_{h_λ} log p_θ(y|x))\n               (a_{β-1} ⊗ ∇_{h_β} log p_θ(y|x))ᵀ]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
    ),
    62: Statement(
        "Appendix D.3",
        "identity",
        "the Fisher blocks as Kronecker products of matrices",
        "[F̄]_{λ,β} = 𝔼[(a_{λ-1} a_{β-1}ᵀ)\n               ⊗ (∇_{h_λ} log p_θ(y|x) ∇_{h_β} log p_θ(y|x)ᵀ)]_{p_θ(x,y)}",
        note="p_θ(x, y) means p(x) p_θ(y|x), as in (47).",
    ),
    63: Statement(
        "Appendix E",
        "bound",
        "the rank of the sample Gauss-Newton matrix",
        "G ≡ J_θ^{h_L}ᵀ 𝓗_L J_θ^{h_L}  ⇒  rank(G) ≤ rank(𝓗_L)",
        note="The bound holds for one datapoint. A mean over N datapoints can have N times this rank. If the last "
        "layer has a bias, rank(G) equals rank(𝓗_L).",
    ),
    64: Statement(
        "Appendix E",
        "approximation",
        "the Monte Carlo Gauss-Newton matrix",
        "Ḡ = 𝔼[G] ≈ (1/N) Σ_n G_n",
        misprint="Below the equation: rank(F̄) ≤ N S for KFAC → rank(𝓖) ≤ N S for its factor 𝓖.",
        note="The bound N rank(𝓗_L) holds for this unfactored matrix and for the factor 𝓖 of KFLR. With S sampled "
        "labels per datapoint, the bound N S holds for the unfactored matrix and for the factor 𝓖 of KFAC. Neither "
        "bound holds for 𝓠 ⊗ 𝓖 or for the 𝓖 of KFRA.",
    ),
    65: Statement(
        "Appendix F",
        "definition",
        "the diagonal blocks of the Hessian",
        "H_λ = ∂²E/(∂vec(W_λ) ∂vec(W_λ))",
        misprint="Lemma 1: f'' = 0 for 1 ≤ λ ≤ L → for 1 ≤ λ < L.",
        note="There is no f_L.",
    ),
    66: Statement(
        "Appendix F",
        "identity",
        "the recursion without its second term",
        "𝓗_λ = B_λ W_{λ+1}ᵀ 𝓗_{λ+1} W_{λ+1} B_λ + D_λ\n    = (W_{λ+1} B_λ)ᵀ 𝓗_{λ+1} (W_{λ+1} B_λ)",
        misprint="The proof: D_{i,j} = δ_{i,j} f''(h_{i,j}) → D_{i,j} = δ_{i,j} f''(h_i) ∂E/∂a_i.",
        note="W_{λ+1} means the matrix without its bias column, as in (8).",
    ),
    67: Statement(
        "Appendix F",
        "definition",
        "the vector propagated to the next layer",
        "ṽ = W_{λ+1} B_λ v",
        note="W_{λ+1} means the matrix without its bias column, as in (8).",
    ),
    68: Statement(
        "Appendix F",
        "identity",
        "the quadratic form at the next layer",
        "vᵀ 𝓗_λ v = (W_{λ+1} B_λ v)ᵀ 𝓗_{λ+1} (W_{λ+1} B_λ v)\n         = ṽᵀ 𝓗_{λ+1} ṽ",
        note="W_{λ+1} means the matrix without its bias column, as in (8).",
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
        misprint="a_λ → a_{λ-1} with the unit appended, as in (7).",
    ),
    71: Statement(
        "Appendix F",
        "bound",
        "the trace of the Hessian",
        "trace(H) = Σ_{λ=1}^L trace(H_λ) ≥ 0",
        misprint='Lemma 2: "all eigenvalues are < 0" at a strict maximum → "all eigenvalues are ≤ 0".',
        note="The maximum of -x⁴ is strict, and has the second derivative 0. (71) therefore does not prove Lemma 2. "
        "The conclusion of the lemma holds, since E is convex in each W_λ near every smooth point, with the other "
        "layers fixed.",
    ),
}
"""Every numbered equation by its number, from 1 to 71."""
