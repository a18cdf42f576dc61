"""The network and its objective.

network             the static description of a network
fields              checks of the inputs and the layers of a network
places              the maps of the layers, and the shapes of the activations
layer_map           the protocol of a layer at its place in a network
dense               the dense layer
convolution         the convolution, as a record of settings
convolution_map     the linear map of a convolution
pooling             the mean or the sum over windows of positions
flatten             the entries of all positions as one vector
scale_shift         the scale and the shift of each channel
normalisation       the normalisation of the channels of each position
normalising         the function of a normalisation, with first and second derivatives
embedding           the embedding of tokens
padded              a batch of datapoints of different length, with a mask
masks               the counted positions of an activation
masked_layers       the maps of layers for a batch with a mask
tokens              one-hot vectors, counts and sums of tokens
blocks              the Kronecker blocks of a layer with weights
axes                options of a layer that have a number for each axis
windows             the windows of a layer along one axis of positions
divided             the curvature of a loss with a divisor
transfers           the elementwise transfer functions f, with f' and f''
objectives          the objectives E with dE/dh_L, H_L and the distribution p(y | h_L)
mixture             the objective (27), whose H_L is indefinite
output_hessian      H_L in forms that store no matrix per datapoint
indefinite_hessian  an indefinite H_L, and the PSD matrices that replace it
"""
