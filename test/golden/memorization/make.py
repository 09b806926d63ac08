"""Golden values for test/memorization/trainer.test.ts: `python make.py > training.json`, PyTorch 2.15.0, float64.

A model of the reference's formulation (bench/memorization/reference.py) is trained for a few steps on numbers that numpy
draws; inputs, learning rates and the parameters after the last step are written down.
"""

import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'bench' / 'memorization'))
from reference import Memorizer, loss_and_accuracy, schedule  # noqa: E402

torch.set_default_dtype(torch.float64)
STEPS, T, BATCH = 40, 10, 4
SHAPE = {'heads': 3, 'context': 4, 'headSize': 5, 'width': 6}


def rates(steps):
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    lr = schedule(optimizer, steps)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        lr.step()
    return found


def vector(model):
    a = model.attention
    parts = [model.embedding.weight.T, model.embedding.bias, a.wq, a.wk, a.wv, a.wo, model.decoder.weight.T, model.decoder.bias]
    return torch.cat([p.detach().flatten() for p in parts])


def case(task, classes):
    random = np.random.default_rng(7)
    torch.manual_seed(7)
    outputs = classes if task == 'classification' else 1
    model = Memorizer(SHAPE['width'], SHAPE['width'], SHAPE['heads'], SHAPE['headSize'], outputs, longest=16)
    x = torch.from_numpy(random.uniform(size=(T, SHAPE['context'] + 1, SHAPE['width'])).round(6))
    y = random.integers(classes, size=T) if task == 'classification' else random.uniform(size=T).round(6)
    batches = np.stack([random.permutation(T)[:BATCH] for _ in range(STEPS)])
    initial = vector(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    lr = schedule(optimizer, STEPS)
    labels = torch.from_numpy(y)
    for rows in batches:
        loss, _ = loss_and_accuracy(model(x[rows])[0], labels[rows], task)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        lr.step()
    out, attention = model(x)
    loss, accuracy = loss_and_accuracy(out, labels, task)
    return {
        'task': task,
        'classes': outputs,
        'x': x.flatten().tolist(),
        'y': y.tolist(),
        'batches': batches.tolist(),
        'initial': initial.tolist(),
        'final': vector(model).tolist(),
        'loss': loss.item(),
        'accuracy': accuracy.item(),
        'weights': attention.detach().flatten().tolist(),
    }


print(
    json.dumps(
        {
            'torch': torch.__version__,
            'shape': SHAPE,
            'steps': STEPS,
            'batch': BATCH,
            'examples': T,
            'learningRate': 1e-2,
            'cases': [case('classification', 5), case('regression', 1)],
            'rates': {str(steps): rates(steps) for steps in (10, 39, 100)},
        }
    )
)
