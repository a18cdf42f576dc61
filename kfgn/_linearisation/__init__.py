"""A batch at the weights: its arguments, its forward and backward passes, and the record that all methods share.

arguments      checks of the arrays that public functions take
passes         the forward pass (1) and the backward pass (3)
linearisation  the record of a batch with its forward pass
r_operator     derivatives along a direction in the space of the weights
"""
