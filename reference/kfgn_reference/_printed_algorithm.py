"""Appendix H: the text of Algorithm 1 as printed, and the remarks on it. `_algorithm_1` has the code.

>>> from kfgn_reference._printed_algorithm import ALGORITHM_1
>>> ALGORITHM_1.place
'Appendix H, Algorithm for a Single Backward Pass'
>>> ALGORITHM_1.text.splitlines()[4].strip()
'a_0 = X'
"""

from ._statements import Statement

ALGORITHM_1 = Statement(
    "Appendix H",
    "definition",
    "one update of the weights by KFRA",
    "Algorithm for KFRA parameter updates excluding heuristic updates for η and γ\n"
    "Input: minibatch X, weight matrices W_{1:L}, transfer functions f_{1:L},\n"
    "       true outputs Y, parameters η and γ\n"
    "- Forward Pass -\n"
    "a_0 = X\n"
    "for λ = 1 to L do\n"
    "    h_λ = W_λ a_{λ-1}\n"
    "    a_λ = f_λ(h_λ)\n"
    "end for\n"
    "- Derivative and Hessian of the objective -\n"
    "d_L = ∂E/∂h_L |_{h_L}\n"
    "𝓖̃_{Lλ} = 𝔼[𝓗_L] |_{h_L}\n"
    "- Backward pass -\n"
    "for λ = L to 1 do\n"
    "    - Update for W_λ -\n"
    "    g_λ = (1/N) d_λ a_{λ-1}ᵀ + η W_λ\n"
    "    Q̃_λ = (1/N) a_{λ-1} a_{λ-1}ᵀ\n"
    "    ω = √(Tr(Q̃_λ) * dim(𝓖̃_λ) / (Tr(𝓖̃_λ) * dim(Q̃_λ)))\n"
    "    k = √(γ + η)\n"
    "    δ̃_λ = (Q̃_λ + ωk)⁻¹ g_λ (𝓖̃_λ + ω⁻¹k)⁻¹\n"
    "    if λ > 1 then\n"
    "        - Propagate gradient and approximate pre-activation Gauss-Newton -\n"
    "        A_{λ-1} = f'(h_{λ-1})\n"
    "        d_{λ-1} = W_λᵀ d_λ ⊙ A_{λ-1}\n"
    "        𝓖̃_{λ-1} = (W_λᵀ 𝓖̃_λ W_λ) ⊙ ((1/N) A_{λ-1} A_{λ-1}ᵀ)\n"
    "    end if\n"
    "end for\n"
    "v = J_θ^{h_L} δ̃   (using the R-op from (Pearlmutter, 1994))\n"
    "δ̃ᵀ G̃ δ̃ = vᵀ 𝓗_L v\n"
    "δ̃ᵀ C̃ δ̃ = δ̃ᵀ G̃ δ̃ + (τ + η) ‖δ̃‖²\n"
    "α_* = -δ̃ᵀ∇f / (δ̃ᵀ C̃ δ̃)\n"
    "δ_* = α_* δ̃\n"
    "for λ = 1 to L do\n"
    "    W_λ = W_λ + δ_{*λ}\n"
    "end for",
    misprint="heuristic updates for η and γ → heuristic updates for τ and γ. "
    "f_{1:L} → f_{1:L-1}. "
    "parameters η and γ → parameters η, γ and τ. "
    "a_λ = f_λ(h_λ) → a_λ = f_λ(h_λ) for λ < L alone. "
    "𝓖̃_{Lλ} → 𝓖̃_L. "
    "Update for W_λ → Direction for W_λ. "
    "(Q̃_λ + ωk)⁻¹ g_λ (𝓖̃_λ + ω⁻¹k)⁻¹ → (𝓖̃_λ + ω⁻¹k I)⁻¹ g_λ (Q̃_λ + ωk I)⁻¹. "
    "vᵀ 𝓗_L v → (1/N) Σ_n v_nᵀ 𝓗_n v_n. "
    "G̃ → Ḡ. "
    "C̃ → C̄.",
    note="k is the square root of the k of (35). d_λ has a column for each datapoint. The factor 1/N is in g_λ, and "
    "not in d_λ. A unit is appended to every a_{λ-1}, as in (1), and the W_λ of d_{λ-1} and of 𝓖̃_{λ-1} means the "
    "matrix without its bias column, as in (8). All W_λ are the old ones until the last loop. ∇f has the blocks g_λ, "
    "with the L2 term. A_{λ-1} is f'(h_{λ-1}), and not the matrix of (21). v_n and 𝓗_n are the v and the 𝓗_L of "
    "datapoint n.",
)
"""Algorithm 1 of the paper, with remarks of the same kinds as those on equations."""
