#!/usr/bin/env python3
"""Writes scaling.safetensors: a training in f16 under PyTorch's GradScaler, for test_scaling.c to compare with.

    python3 -m venv env && env/bin/pip install torch numpy
    env/bin/python tests/golden/make_scaling.py

Made with torch.amp.GradScaler("cpu") of PyTorch 2.15. A linear layer is trained by SGD with momentum on batches of which some
have targets so large that their gradients do not fit f16: what counts is which steps are skipped, how the scale moves,
and that weights and momentum stay as they were. The layer does by hand what a layer on f16 does: factors rounded to
f16, sums in more, the result rounded once. "loss" and "scale" [steps] are those of every step, the scale after it;
"weight" and "bias" those of the end.
"""
import json
import os
import struct

import numpy as np
import torch

torch.set_num_threads(1)
torch.manual_seed(11)
BATCH, STEPS, EPOCHS, LR, INTERVAL = 8, 12, 3, 0.02, 4


class HalfLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x)
        return (x.double() @ weight.half().double().T + bias.double()).half()

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return None, (dy.double().T @ x.double()).float(), dy.double().sum(0).float()


x = torch.randn(BATCH * STEPS, 4).half().float()
y = torch.randn(BATCH * STEPS, 2)
for batch in (2, 3, 8):
    y[batch * BATCH] *= 100
weight, bias = torch.randn(2, 4).requires_grad_(), torch.randn(2).requires_grad_()
tensors = {"x": x, "y": y, "weight.start": weight.detach().clone(), "bias.start": bias.detach().clone()}
optimizer = torch.optim.SGD([weight, bias], lr=LR, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=INTERVAL)
losses, scales = [], []
for step in range(EPOCHS * STEPS):
    part = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
    loss = torch.nn.functional.mse_loss(HalfLinear.apply(x[part].half(), weight, bias).float(), y[part])
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    losses.append(loss.item()), scales.append(scaler.get_scale())
tensors |= {"loss": torch.tensor(losses), "scale": torch.tensor(scales), "weight": weight.detach(), "bias": bias.detach()}

header, offset = {"__metadata__": {"made_with": f"PyTorch {torch.__version__}"}}, 0
for name, value in tensors.items():
    size = 4 * value.numel()
    header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + size]}
    offset += size
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scaling.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for value in tensors.values():
        file.write(np.ascontiguousarray(value.numpy().astype(np.float32)).tobytes())
print(torch.__version__, [int(np.log2(s)) for s in scales], losses[:3], losses[-3:])
