#!/usr/bin/env python3
"""Writes fixtures.safetensors: what PyTorch computes, for tests/golden to compare with.

    /usr/bin/python3 tests/golden/make_fixtures.py

Made with PyTorch 1.13 (Debian's python3-torch). Every case holds its inputs, its output "y", the gradient "dy" that
comes back to it, and the gradients "grad.<input>". Images are stored [N, H, W, C] and weights [O, H, W, I], as ursa has
them. LAMB and lookahead, which PyTorch lacks, are written out from their papers in double precision.
"""
import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_num_threads(1)
tensors = {}


def put(name, value):
    array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
    tensors[name] = array.copy(order="C")


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def case(name, function, **inputs):
    """Runs in double, stores floats. Float inputs get gradients."""
    leaves = {key: value.double().requires_grad_() if value.is_floating_point() else value
              for key, value in inputs.items()}
    y = function(*leaves.values())
    dy = torch.randn(y.shape, dtype=torch.float64)
    y.backward(dy)
    for key, value in leaves.items():
        put(f"{name}.{key}", value.float() if value.is_floating_point() else value)
        if value.is_floating_point() and value.grad is not None:
            put(f"{name}.grad.{key}", value.grad.float())
    put(f"{name}.y", y.float())
    put(f"{name}.dy", dy.float())


def rand(*shape, scale=1.0):
    # Rounded to float first, so that both sides start from the same numbers.
    return (torch.randn(*shape) * scale).float()


# ---- layers ------------------------------------------------------------------------
case("linear", lambda x, w, b: F.linear(x, w, b), x=rand(5, 7), w=rand(3, 7), b=rand(3))
case("linear_deep", lambda x, w: F.linear(x, w), x=rand(2, 3, 4, 6), w=rand(5, 6))
case("matmul_batched", lambda x, w: x @ w, x=rand(2, 1, 3, 4), w=rand(5, 4, 6))


def conv(**kw):
    return lambda x, w, b=None: nhwc(F.conv2d(nchw(x), nchw(w), b, **kw))


case("conv", conv(padding=1), x=rand(2, 7, 6, 4), w=rand(5, 3, 3, 4), b=rand(5))
case("conv_stride", conv(stride=2, padding=3), x=rand(2, 11, 10, 3), w=rand(8, 7, 7, 3), b=rand(8))
case("conv_dilated", conv(stride=(2, 1), padding=(2, 1), dilation=(2, 3)), x=rand(1, 9, 12, 3), w=rand(4, 3, 2, 3), b=rand(4))
case("conv_groups", conv(groups=3, padding=1), x=rand(2, 5, 5, 6), w=rand(9, 3, 3, 2), b=rand(9))
case("conv_depthwise", conv(groups=5, padding=1, stride=2), x=rand(2, 7, 7, 5), w=rand(5, 3, 3, 1), b=rand(5))
case("conv_1x1", conv(), x=rand(2, 4, 3, 8), w=rand(6, 1, 1, 8))


def conv_transpose(**kw):
    # ursa: [I, H, W, O / groups]; PyTorch: [I, O / groups, H, W].
    return lambda x, w, b=None: nhwc(F.conv_transpose2d(nchw(x), w.permute(0, 3, 1, 2), b, **kw))


case("conv_transpose", conv_transpose(stride=2, padding=1, output_padding=1), x=rand(2, 4, 5, 3), w=rand(3, 3, 3, 4), b=rand(4))
case("conv_transpose_groups", conv_transpose(stride=3, groups=2, dilation=2), x=rand(1, 3, 3, 4), w=rand(4, 2, 2, 3), b=rand(6))


def batch_norm_train(x, w, b):
    mean, var = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    y = nhwc(F.batch_norm(nchw(x), mean, var, w, b, training=True, momentum=0.1, eps=1e-5))
    put("batch_norm.running_mean", mean.float())
    put("batch_norm.running_var", var.float())
    return y


case("batch_norm", batch_norm_train, x=rand(4, 3, 5, 6, scale=2) + 1, w=rand(6), b=rand(6))
mean, var = rand(6), rand(6).abs() + 0.5
put("batch_norm_eval.mean", mean)
put("batch_norm_eval.var", var)
case("batch_norm_eval", lambda x, w, b: nhwc(F.batch_norm(nchw(x), mean.double(), var.double(), w, b, training=False)),
     x=rand(2, 3, 2, 6), w=rand(6), b=rand(6))
case("layer_norm", lambda x, w, b: F.layer_norm(x, (9,), w, b), x=rand(4, 3, 9), w=rand(9), b=rand(9))
case("group_norm", lambda x, w, b: nhwc(F.group_norm(nchw(x), 3, w, b)), x=rand(2, 4, 3, 12), w=rand(12), b=rand(12))
case("embedding", lambda i, w: F.embedding(i, w), i=torch.randint(0, 11, (4, 5)), w=rand(11, 6))

case("max_pool", lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 1)), x=rand(2, 7, 8, 3))
case("max_pool_ceil", lambda x: nhwc(F.max_pool2d(nchw(x), 2, 2, ceil_mode=True)), x=rand(1, 5, 7, 4))
case("avg_pool", lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 2, 1)), x=rand(2, 7, 8, 3))
case("avg_pool_exclude", lambda x: nhwc(F.avg_pool2d(nchw(x), (3, 2), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False)),
     x=rand(2, 6, 5, 3))
case("adaptive_avg_pool", lambda x: nhwc(F.adaptive_avg_pool2d(nchw(x), (3, 2))), x=rand(2, 7, 5, 4))
case("adaptive_max_pool", lambda x: nhwc(F.adaptive_max_pool2d(nchw(x), (3, 4))), x=rand(2, 8, 9, 4))
case("adaptive_concat_pool", lambda x: torch.cat([nhwc(F.adaptive_max_pool2d(nchw(x), 2)), nhwc(F.adaptive_avg_pool2d(nchw(x), 2))], -1),
     x=rand(2, 5, 5, 3))

# ---- activations ---------------------------------------------------------------------
points = torch.cat([rand(40, scale=3), torch.tensor([-30.0, -8.0, -1e-3, 1e-3, 8.0, 30.0])])
for name, function in {
    "sigmoid": torch.sigmoid, "log_sigmoid": F.logsigmoid, "tanh": torch.tanh, "atan": torch.atan, "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "elu": lambda x: F.elu(x, 1.3), "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "mish": F.mish,
    "softplus": lambda x: F.softplus(x, 2.0, 15.0), "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish,
    "clamp": lambda x: x.clamp(-1.0, 2.0), "erf": torch.erf,
}.items():
    case(name, function, x=points)
case("softmax", lambda x: x.softmax(-1), x=rand(3, 10, scale=3))
case("softmax_axis", lambda x: x.softmax(1), x=rand(3, 5, 4))
case("log_softmax", lambda x: x.log_softmax(-1), x=rand(3, 10, scale=3))

# ---- shapes, reductions, resampling -------------------------------------------------------
case("var", lambda x: x.var((0, 2), unbiased=True), x=rand(4, 3, 5))
case("std", lambda x: x.std(1, unbiased=False), x=rand(4, 6))
case("norm", lambda x: x.norm(2, dim=(1, 2)), x=rand(3, 4, 5))
case("cumsum", lambda x: x.cumsum(1), x=rand(3, 7, 2))
case("pixel_shuffle", lambda x: nhwc(F.pixel_shuffle(nchw(x), 2)), x=rand(2, 3, 4, 8))
case("pad_reflect", lambda x: nhwc(F.pad(nchw(x), (2, 1, 1, 3), mode="reflect")), x=rand(1, 5, 6, 2))
case("pad_replicate", lambda x: nhwc(F.pad(nchw(x), (2, 1, 1, 3), mode="replicate")), x=rand(1, 5, 6, 2))
for mode in ("nearest", "bilinear", "bicubic"):
    case(f"resize_{mode}", lambda x: nhwc(F.interpolate(nchw(x), (9, 4), mode=mode)), x=rand(2, 5, 7, 3))
case("resize_bilinear_corners", lambda x: nhwc(F.interpolate(nchw(x), (9, 4), mode="bilinear", align_corners=True)), x=rand(2, 5, 7, 3))
case("resize_bicubic_corners", lambda x: nhwc(F.interpolate(nchw(x), (9, 4), mode="bicubic", align_corners=True)), x=rand(2, 5, 7, 3))
for border in ("zeros", "border", "reflection"):
    for corners in (False, True):
        case(f"grid_{border}{'_corners' if corners else ''}",
             lambda x, g: nhwc(F.grid_sample(nchw(x), g, mode="bilinear", padding_mode=border, align_corners=corners)),
             x=rand(2, 5, 6, 3), g=rand(2, 4, 3, 2, scale=0.8))

# ---- losses ----------------------------------------------------------------------------------
classes = torch.randint(0, 7, (9,))
classes[3] = -100
weight = rand(7).abs() + 0.1
put("loss.weight", weight)
for name, kw in {
    "ce": {}, "ce_sum": {"reduction": "sum"}, "ce_each": {"reduction": "none"}, "ce_smooth": {"label_smoothing": 0.1},
    "ce_weight": {"weight": weight.double()}, "ce_weight_smooth": {"weight": weight.double(), "label_smoothing": 0.2},
}.items():
    case(name, lambda x, c: F.cross_entropy(x, c, **kw), x=rand(9, 7, scale=2), c=classes)
target = rand(6, 4)
hits = torch.randint(0, 2, (6, 4)).float()
put("loss.target", target)
put("loss.hits", hits)
t, h = target.double(), hits.double()


def focal(x, alpha, gamma):
    p, ce = torch.sigmoid(x), F.binary_cross_entropy_with_logits(x, h, reduction="none")
    p_t = p * h + (1 - p) * (1 - h)
    a_t = alpha * h + (1 - alpha) * (1 - h)
    return (a_t * ce * (1 - p_t) ** gamma).mean()


for name, function in {
    "bce": lambda x: F.binary_cross_entropy_with_logits(x, h),
    "bce_positive": lambda x: F.binary_cross_entropy_with_logits(x, h, pos_weight=torch.tensor(3.0, dtype=torch.float64)),
    "mse": lambda x: F.mse_loss(x, t), "l1": lambda x: F.l1_loss(x, t), "mse_sum": lambda x: F.mse_loss(x, t, reduction="sum"),
    "smooth_l1": lambda x: F.smooth_l1_loss(x, t, beta=0.7), "huber": lambda x: F.huber_loss(x, t, delta=0.7),
    "focal": lambda x: focal(x, 0.25, 2.0),
}.items():
    case(name, function, x=rand(6, 4, scale=2))

# ---- optimizers: 20 steps from the same gradients ---------------------------------------------
STEPS = 20
start, gradients = [rand(3, 4), rand(4)], [rand(STEPS, 3, 4), rand(STEPS, 4)]
for i in range(2):
    put(f"optimizer.start.{i}", start[i])
    put(f"optimizer.gradients.{i}", gradients[i])


def finish(name, params):
    for i in range(2):
        put(f"optimizer.{name}.{i}", np.asarray(params[i].detach() if torch.is_tensor(params[i]) else params[i], dtype=np.float32))


def run(name, make, before_step=None):
    params = [p.double().clone().requires_grad_() for p in start]
    optimizer = make(params)
    for step in range(STEPS):
        for i in range(2):
            params[i].grad = gradients[i][step].double().clone()
        if before_step:
            before_step(params)
        optimizer.step()
    finish(name, params)


run("sgd", lambda p: torch.optim.SGD(p, 0.1))
run("sgd_momentum", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, dampening=0.1))
run("sgd_nesterov", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True))
run("adam", lambda p: torch.optim.Adam(p, 0.05))
run("adam_l2", lambda p: torch.optim.Adam(p, 0.05, betas=(0.8, 0.95), weight_decay=0.1))
run("adamw", lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1))
run("rmsprop", lambda p: torch.optim.RMSprop(p, 0.01))
run("rmsprop_centered", lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, centered=True, momentum=0.8, weight_decay=0.02))
run("radam", lambda p: torch.optim.RAdam(p, 0.05))
run("clip_norm", lambda p: torch.optim.SGD(p, 0.1), lambda p: torch.nn.utils.clip_grad_norm_(p, 1.5))
run("clip_value", lambda p: torch.optim.SGD(p, 0.1), lambda p: torch.nn.utils.clip_grad_value_(p, 0.4))


def lamb():
    params = [p.double().numpy().copy() for p in start]
    m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    for step in range(1, STEPS + 1):
        for i, p in enumerate(params):
            g = gradients[i][step - 1].double().numpy()
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            u = (m[i] / (1 - 0.9 ** step)) / (np.sqrt(v[i] / (1 - 0.999 ** step)) + 1e-6) + 0.05 * p
            p -= 0.02 * np.linalg.norm(p) / np.linalg.norm(u) * u
    finish("lamb", params)


def lookahead():
    params = [p.double().clone().requires_grad_() for p in start]
    slow = [p.detach().clone() for p in params]
    optimizer = torch.optim.SGD(params, 0.1, momentum=0.9)
    for step in range(1, STEPS + 1):
        for i in range(2):
            params[i].grad = gradients[i][step - 1].double().clone()
        optimizer.step()
        if step % 6 == 0:
            with torch.no_grad():
                for fast, kept in zip(params, slow):
                    kept += 0.5 * (fast - kept)
                    fast.copy_(kept)
    finish("lookahead", params)


lamb()
lookahead()

# ---- schedules ------------------------------------------------------------------------------------
TOTAL = 50


def schedule(name, make, lr):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    scheduler = make(optimizer)
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step() if len(rates) < TOTAL else None
    put(f"schedule.{name}", np.array(rates, dtype=np.float32))


schedule("one_cycle", lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.4, total_steps=TOTAL, pct_start=0.3, div_factor=25, final_div_factor=1e4), 0.4)
schedule("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.01), 0.5)
schedule("linear", lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.2, 1.0, TOTAL), 0.5)
schedule("exponential", lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9), 0.5)
schedule("polynomial", lambda o: torch.optim.lr_scheduler.PolynomialLR(o, TOTAL, 3.0), 0.5)

# ---- the file ------------------------------------------------------------------------------------------
names = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}
header, offset = {"__metadata__": {"made_with": f"PyTorch {torch.__version__}"}}, 0
for name, value in tensors.items():
    header[name] = {"dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
    offset += value.nbytes
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for value in tensors.values():
        file.write(value.tobytes())
print(f"{len(tensors)} tensors, {offset} bytes")
