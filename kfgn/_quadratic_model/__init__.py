"""The quadratic model (32) of the regularised loss, (39)-(42).

functions  the public functions
terms      the terms of the model, computed from an existing forward pass
"""
