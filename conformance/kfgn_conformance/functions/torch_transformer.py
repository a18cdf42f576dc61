"""A transformer block as a module of PyTorch. Its layers with weights are embeddings, normalisations and linear layers.

>>> import torch
>>> from kfgn_conformance.functions.torch_transformer import Transformer
>>> model = Transformer(vocabulary=3, width=4, heads=2, hidden=5, classes=7, pooled=True)
>>> tuple(model(torch.tensor([[0, 2, 2], [1, 0, 2]])).shape)
(2, 7)
"""

import torch
from torch import nn


class Transformer(nn.Module):  # type: ignore[misc]
    """Logits (N, T, classes) of tokens X (N, T), or (N, classes) if `pooled`.

    The attention is causal, so the order of the tokens has an influence without an embedding of positions. Its four
    matrices are separate `nn.Linear` modules, since other libraries do not see the packed parameter of
    `nn.MultiheadAttention`.

    pooled: True for a mean over the tokens before the last layer
    """

    def __init__(self, vocabulary: int, width: int, heads: int, hidden: int, classes: int, *, pooled: bool) -> None:
        super().__init__()
        self.heads, self.pooled = heads, pooled
        self.embedding = nn.Embedding(vocabulary, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.projection = nn.Linear(width, width)
        self.up, self.gelu, self.down = nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits of a batch of tokens."""
        h = self.embedding(x)
        h = h + self.projection(self.attention(self.norm_1(h)))
        h = h + self.down(self.gelu(self.up(self.norm_2(h))))
        logits: torch.Tensor = self.head(h.mean(dim=1) if self.pooled else h)
        return logits

    def attention(self, a: torch.Tensor) -> torch.Tensor:
        """The causal attention of all heads, (N, T, width), before the projection."""
        N, T, width = a.shape
        q, k, v = (
            layer(a).reshape(N, T, self.heads, -1).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        later = torch.ones(T, T, dtype=torch.bool, device=a.device).triu(1)
        scores = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(later, -torch.inf)
        return (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(N, T, width)
