"""Models of PyTorch: a transformer block with a tied embedding, and a recurrent network."""

import torch
from torch import nn
from torch.nn import functional

TOKENS, WIDTH, HEADS, HIDDEN, LENGTH = 7, 4, 2, 6, 5


class Transformer(nn.Module):
    """A causal transformer block between an embedding and its transpose."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.position = nn.Parameter(torch.empty(LENGTH, WIDTH))
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.up, self.down = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x):
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
        h = self.embedding(x) + self.position
        a = self.norm_1(h)
        h = h + self.attention(a, a, a, attn_mask=mask, need_weights=False)[0]
        h = h + self.down(functional.gelu(self.up(self.norm_2(h))))
        return h @ self.embedding.weight.T


class Recurrent(nn.Module):
    """A vanilla recurrent network over a sequence (N, T, 2), which uses its weights at every step."""

    def __init__(self):
        super().__init__()
        self.inputs, self.state = nn.Linear(2, 3, bias=False), nn.Linear(3, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        state = torch.zeros(len(x), 3, dtype=x.dtype)
        for t in range(x.shape[1]):
            state = torch.tanh(self.inputs(x[:, t]) + self.state(state))
        return self.head(state)


def drawn(model, seed=0):
    """The model in float64 with random parameters."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.double().parameters():
        scale = 1.2 / parameter.shape[-1] ** 0.5
        parameter.data = scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return model
