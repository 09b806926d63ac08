"""The reference formulation of the memorization experiments in PyTorch, to measure against.

Written from the paper (Mahdavi, Liao, Thrampoulidis, ICLR 2024) and its public code's description: every token is
embedded, every token attends, and only token 0's output is used. `step` times one training step, `train` trains a task
that was drawn elsewhere (data comes as .npy files, so both sides see the same numbers) and prints JSON.
"""

import argparse
import json
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """[B, n+1, d] -> [B, n+1, d]; H heads, head size r, value size 1; nobody attends to token 0."""

    def __init__(self, d, heads, head_size):
        super().__init__()
        self.wq = nn.Parameter(torch.empty(heads, d, head_size))
        self.wk = nn.Parameter(torch.empty(heads, d, head_size))
        self.wv = nn.Parameter(torch.empty(heads, d, 1))
        self.wo = nn.Parameter(torch.empty(heads, d))
        for h in range(heads):
            for w in (self.wq, self.wk, self.wv):
                nn.init.xavier_uniform_(w[h])
        nn.init.xavier_uniform_(self.wo)

    def forward(self, x):
        b, n1, d = x.shape
        x = x[:, None]
        q, k, v = x @ self.wq, x @ self.wk, x @ self.wv  # [B, H, n+1, r], …, [B, H, n+1, 1]
        mask = torch.zeros(n1, n1, device=x.device)
        mask[:, 0] = float('-inf')
        a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(d) + mask, dim=-1)  # [B, H, n+1, n+1]
        z = (a @ v).transpose(1, 2).reshape(b, n1, -1)  # [B, n+1, H]
        return z @ self.wo, a


class Memorizer(nn.Module):
    def __init__(self, dims, d, heads, head_size, outputs, longest=8192):
        super().__init__()
        self.embedding = nn.Linear(dims, d)
        position = torch.arange(longest)[:, None]
        wave = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        table = torch.zeros(longest, d)
        table[:, 0::2] = torch.sin(position * wave)
        table[:, 1::2] = torch.cos(position * wave)
        self.register_buffer('positions', table)
        self.attention = Attention(d, heads, head_size)
        self.decoder = nn.Linear(d, outputs)

    def forward(self, x):
        x = self.embedding(x) + self.positions[: x.shape[1]]
        x, a = self.attention(x)
        return self.decoder(x)[:, 0], a[:, :, 0, 1:]


def loss_and_accuracy(out, y, task):
    if task == 'classification':
        return F.cross_entropy(out, y), (out.argmax(-1) == y).float().mean()
    return F.mse_loss(out[:, 0], y), torch.tensor(0.0)


def schedule(optimizer, steps):
    warmup = steps // 20
    return torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / 100, 1.0, warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup),
        ],
        [warmup],
    )


def time_steps(args):
    """Seconds of single training steps on data of the right shape (float32), by the clock and of all cores."""
    torch.manual_seed(args.seed)
    d, n, batch = args.width, args.context, args.batch
    model = Memorizer(d, d, args.heads, args.head_size, args.classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    lr = schedule(optimizer, 50_000)
    x, y = torch.rand(batch, n + 1, d), torch.randint(args.classes, (batch,))
    times, cpu = [], []
    for _ in range(args.repeats + 3):
        start, busy = time.perf_counter(), time.process_time()
        loss, _ = loss_and_accuracy(model(x)[0], y, 'classification')
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        lr.step()
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - busy)
    return {'seconds': times[3:], 'cpu': cpu[3:]}


def evaluate(model, x, y, task, batch):
    with torch.no_grad():
        parts = []
        for i in range(0, len(x), batch):
            loss, accuracy = loss_and_accuracy(model(x[i : i + batch])[0], y[i : i + batch], task)
            parts.append((loss.item(), accuracy.item(), len(x[i : i + batch])))
    count = sum(p[2] for p in parts)
    return sum(p[0] * p[2] for p in parts) / count, sum(p[1] * p[2] for p in parts) / count


def train(args):
    """Trains on each of the folders in `--data`, with the seeds from `--seed` on."""
    return {'runs': [train_one(args, folder, args.seed + i) for i, folder in enumerate(args.data.split(','))]}


def train_one(args, folder, seed):
    """The reference's recipe on given data: Adam, warm-up, cosine, best checkpoint by loss, stop at accuracy 1."""
    torch.manual_seed(seed)
    x = torch.from_numpy(np.load(folder + '/x.npy'))  # [T, n+1, dims] float32, token 0 is the query
    y = torch.from_numpy(np.load(folder + '/y.npy'))
    y = y.long() if args.task == 'classification' else y.float()
    outputs = args.classes if args.task == 'classification' else 1
    model = Memorizer(x.shape[2], args.width, args.heads, args.head_size, outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    lr = schedule(optimizer, args.steps)
    best, step, stopped = None, 0, False
    start, busy = time.perf_counter(), time.process_time()
    while step < args.steps and not stopped:
        for rows in torch.randperm(len(x)).split(args.batch):
            loss, _ = loss_and_accuracy(model(x[rows])[0], y[rows], args.task)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            lr.step()
            step += 1
            if step % args.evaluate_every == 0 or step == args.steps:
                value, accuracy = evaluate(model, x, y, args.task, args.batch)
                if best is None or value < best['loss']:
                    best = {'loss': value, 'accuracy': accuracy, 'step': step}
                if args.task == 'classification' and not args.run_to_end and abs(accuracy - 1) < 1e-6:
                    stopped = True
            if step == args.steps or stopped:
                break
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    return {**best, 'steps': step, 'seconds': seconds, 'cpu': cpu, 'seed': seed}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('what', choices=['step', 'train'])
    parser.add_argument('--heads', type=int, required=True)
    parser.add_argument('--context', type=int, default=32)
    parser.add_argument('--head-size', type=int, required=True)
    parser.add_argument('--width', type=int, default=64)
    parser.add_argument('--classes', type=int, default=100)
    parser.add_argument('--task', choices=['classification', 'regression'], default='classification')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--steps', type=int, default=50_000)
    parser.add_argument('--evaluate-every', type=int, default=500)
    parser.add_argument('--learning-rate', type=float, default=1e-3)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--run-to-end', type=int, default=0, help='1: no early stop')
    parser.add_argument('--data', help='folders with x.npy and y.npy, separated by commas')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(json.dumps({'torch': torch.__version__, **(time_steps if args.what == 'step' else train)(args)}))


if __name__ == '__main__':
    main()
