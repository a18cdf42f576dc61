"""The problems with shared weights: networks over tokens, and convolutions of sequences and images, beyond the paper.

Read in this order:

* network:    the network of a problem as `kfgn_reference.shared_weights` represents it, and its activations
* bases:      orthogonal matrices of dyadic numbers, in which `ekfac_diagonal` is computed
* dyadic:     random problems with shared weights, far from every discontinuity
* sequences:  the fixed problems over sequences, each of which detects some kinds of mistakes
* images:     the fixed problems over images
* normalised: the fixed problems with normalisations and embeddings
* digits:     images of digits, with a small trained network
* make_digits: the program that trained this network
* fixed:      all fixed problems without a mask
* masked_sequences: the fixed problems with a mask
"""
