"""The quadratic model (32) of the regularised loss, and the step size and the reduction ratio, (39)-(42).

functions  the public functions
terms      the terms of the model, computed from an existing forward pass
"""
