"""ViT-B/16's embeddings and first block in PyTorch, as transformers' ViTModel computes them (scaled_dot_product_attention,
inference mode). Waits for lines `<precision> <batch>` on standard input, answers each with the milliseconds per image."""

import os
import sys
import time

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

D, HEADS, WIDTH, PATCH, N = 768, 12, 3072, 16, 197
torch.set_num_threads(len(os.sched_getaffinity(0)))


class LayerOne(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, D, kernel_size=PATCH, stride=PATCH)
        self.class_token = nn.Parameter(torch.randn(1, 1, D) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, N, D) * 0.02)
        self.before, self.after = nn.LayerNorm(D, eps=1e-12), nn.LayerNorm(D, eps=1e-12)
        self.query, self.key, self.value, self.output = (nn.Linear(D, D) for _ in range(4))
        self.mlp_in, self.mlp_out = nn.Linear(D, WIDTH), nn.Linear(WIDTH, D)

    def forward(self, pixels):
        batch = pixels.shape[0]
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(batch, -1, -1), x], 1) + self.positions
        z = self.before(x)
        q, k, v = (f(z).view(batch, N, HEADS, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, N, D)
        y = x + self.output(mixed)
        return y + self.mlp_out(gelu(self.mlp_in(self.after(y))))


model = LayerOne().eval()
print(f"torch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
for line in sys.stdin:
    precision, batch = line.split()
    dtype = getattr(torch, precision)
    model = model.to(dtype)
    pixels = torch.randn(int(batch), 3, 224, 224, dtype=dtype)
    with torch.inference_mode():
        start = time.perf_counter()
        model(pixels)
        print((time.perf_counter() - start) * 1000 / int(batch), flush=True)
