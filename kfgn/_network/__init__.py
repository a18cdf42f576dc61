"""The network and its objective.

network             the static description of a network
dense               the dense layer
transfers           the transfer functions f, f', f''
objectives          the objectives E with dE/dh_L, H_L and the distribution p(y | h_L)
mixture             the objective (27), whose H_L is indefinite
output_hessian      H_L in forms that store no matrix per datapoint
indefinite_hessian  an indefinite H_L, and the PSD matrices that replace it
"""
