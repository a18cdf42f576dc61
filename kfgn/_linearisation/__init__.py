"""The linearisation of a batch, the record that all methods use: the checked arguments and the forward pass.

arguments      validation of the arguments of public functions
inputs         validation of the inputs X
counted        the counted positions of a batch
passes         the forward pass (1) and the backward pass (3)
linearisation  the record of a batch with its forward pass
r_operator     directional derivatives in the space of the weights
"""
