#!/usr/bin/env python3
"""Writes metrics.safetensors: what scikit-learn makes of predictions, for test_metrics.c to compare with.

    /usr/bin/python3 tests/golden/make_metric_fixtures.py

Made with scikit-learn 1.2 (Debian's python3-sklearn). A case holds "<case>/predictions", "<case>/targets" and one
number "<case>/<metric>" for each metric that is defined for it. Dice and the Jaccard index of pixels, which
scikit-learn lacks, are written out from their definitions, as fastai's Dice, DiceMulti and JaccardCoeffMulti.
"""
import json
import os
import struct
import warnings

import numpy as np
import sklearn.metrics as skm

warnings.simplefilter("ignore")
rng = np.random.default_rng(11)
tensors = {}


def expect(case, metric, value):
    tensors[f"{case}/{metric}"] = np.asarray(value, np.float32).reshape(())


def begin(case, predictions, targets):
    # Rounded to float first, so that both sides start from the same numbers.
    tensors[f"{case}/predictions"] = predictions = predictions.astype(np.float32)
    tensors[f"{case}/targets"] = targets
    return predictions.astype(np.float64)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def ratios(case, truth, decided, averages, suffix=""):
    for average in averages:
        for name, function in {"precision": skm.precision_score, "recall": skm.recall_score,
                               "f1": skm.f1_score, "jaccard": skm.jaccard_score}.items():
            expect(case, f"{name}.{average}{suffix}", function(truth, decided, average=average, zero_division=0))
        for beta in (2, 0.5):
            expect(case, f"f{beta}.{average}{suffix}",
                   skm.fbeta_score(truth, decided, beta=beta, average=average, zero_division=0))


def auc_or_nan(truth, score):
    return skm.roc_auc_score(truth, score) if 0 < truth.sum() < truth.size else np.nan


def mean_defined(values, weights=None):
    values = np.asarray(values, float)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    known = ~np.isnan(values) & (weights > 0)
    return (values[known] * weights[known]).sum() / weights[known].sum() if known.any() else np.nan


def ranking(case, truth, scores, averages):
    """Columns of truth [items, classes] by columns of scores; scikit-learn refuses columns of one kind only."""
    columns = range(truth.shape[1])
    areas = [auc_or_nan(truth[:, c], scores[:, c]) for c in columns]
    precisions = [skm.average_precision_score(truth[:, c], scores[:, c]) if truth[:, c].any() else 0 for c in columns]
    for average in averages:
        weights = truth.sum(0) if average == "weighted" else None
        expect(case, f"roc_auc.{average}", mean_defined(areas, weights))
        expect(case, f"average_precision.{average}", mean_defined(precisions, weights))


# ---- one class per item --------------------------------------------------------------
def single(case, logits, targets):
    logits = begin(case, logits, targets.astype(np.int64))
    classes = logits.shape[1]
    decided = logits.argmax(1)
    expect(case, "accuracy", skm.accuracy_score(targets, decided))
    expect(case, "balanced_accuracy", skm.balanced_accuracy_score(targets, decided))
    expect(case, "hamming_loss", skm.hamming_loss(targets, decided))
    expect(case, "matthews", skm.matthews_corrcoef(targets, decided))
    expect(case, "perplexity", np.exp(-np.log(softmax(logits))[np.arange(len(targets)), targets].mean()))
    for weights in (None, "linear", "quadratic"):
        expect(case, f"kappa.{weights}", skm.cohen_kappa_score(targets, decided, labels=range(classes),
                                                               weights=weights))
    ratios(case, targets, decided, ("micro", "macro", "weighted"))
    truth = np.eye(classes, dtype=int)[targets]
    if classes == 2:
        ratios(case, targets, decided, ("binary",))
        score = logits[:, 1] - logits[:, 0]
        expect(case, "roc_auc.binary", auc_or_nan(truth[:, 1], score))
        expect(case, "average_precision.binary", skm.average_precision_score(truth[:, 1], score))
        expect(case, "f1.binary.class0", skm.f1_score(targets, decided, pos_label=0, zero_division=0))
        expect(case, "roc_auc.binary.class0", auc_or_nan(truth[:, 0], -score))
    else:
        ranking(case, truth, softmax(logits), ("macro", "weighted"))
        if truth.any(0).all():
            assert np.isclose(tensors[f"{case}/roc_auc.macro"],
                              skm.roc_auc_score(targets, softmax(logits), multi_class="ovr"))


single("three", rng.normal(size=(60, 3)), rng.integers(0, 3, 60))
single("skewed", rng.normal(size=(80, 5)) + np.array([2, 1, 0, 0, -1]), rng.choice(5, 80, p=[.5, .2, .1, .1, .1]))
single("perfect", np.eye(4)[np.arange(12) % 4] * 3, np.arange(12) % 4)
# Class 3 does not occur on either side; class 2 is predicted, but never true.
absent = rng.normal(size=(40, 4))
absent[:, 3] = -9
single("absent", absent, rng.integers(0, 2, 40))
single("binary", rng.normal(size=(50, 2)), rng.integers(0, 2, 50))
# Halves, so that many scores are equal.
single("ties", np.round(rng.normal(size=(50, 2)) * 2) / 2, rng.integers(0, 2, 50))
single("no_positive", rng.normal(size=(20, 2)), np.zeros(20, int))
single("one_class", np.stack([np.ones(15), -np.ones(15)], 1), np.zeros(15, int))

# ---- one output for two classes ---------------------------------------------------------
targets = rng.integers(0, 2, 40)
output = begin("output", rng.normal(size=(40, 1)) + targets[:, None], targets.astype(np.int64))[:, 0]
ratios("output", targets, sigmoid(output) > 0.5, ("binary",))
expect("output", "roc_auc.binary", skm.roc_auc_score(targets, output))
expect("output", "roc_auc.binary.class0", skm.roc_auc_score(1 - targets, -output))
expect("output", "f1.binary.class0", skm.f1_score(targets, sigmoid(output) > 0.5, pos_label=0))
expect("output", "matthews", skm.matthews_corrcoef(targets, sigmoid(output) > 0.5))
expect("output", "hamming_loss", skm.hamming_loss(targets, sigmoid(output) > 0.5))


# ---- several labels per item --------------------------------------------------------------
def several(case, logits, truth):
    logits = begin(case, logits, truth.astype(np.float32))
    for threshold, suffix in ((0.5, ""), (0.2, ".at0.2")):
        decided = (sigmoid(logits) > threshold).astype(int)
        expect(case, f"accuracy_multi{suffix}", (decided == truth).mean())
        expect(case, f"hamming_loss{suffix}", skm.hamming_loss(truth, decided))
        ratios(case, truth, decided, ("micro", "macro", "weighted", "samples"), suffix)
    ranking(case, truth, logits, ("macro", "weighted"))
    expect(case, "roc_auc.micro", skm.roc_auc_score(truth, logits, average="micro"))
    expect(case, "average_precision.micro", skm.average_precision_score(truth, logits, average="micro"))
    if truth.any(0).all():
        for average in ("macro", "weighted"):
            assert np.isclose(tensors[f"{case}/roc_auc.{average}"],
                              skm.roc_auc_score(truth, logits, average=average))
            assert np.isclose(tensors[f"{case}/average_precision.{average}"],
                              skm.average_precision_score(truth, logits, average=average))


truth = (rng.random((50, 6)) < 0.4).astype(int)
several("labels", rng.normal(size=truth.shape) * 1.5 + truth, truth)
# One label that nobody has, items without a label, and equal scores.
truth = (rng.random((30, 5)) < 0.3).astype(int)
truth[:, 2] = 0
truth[4:8] = 0
several("sparse", np.round(rng.normal(size=truth.shape) * 2) / 2, truth)

# Probabilities already.
truth = (rng.random((20, 3)) < 0.5).astype(int)
p = begin("probabilities", rng.random(truth.shape), truth.astype(np.float32))
expect("probabilities", "accuracy_multi.plain", ((p > 0.5) == truth).mean())
expect("probabilities", "f1.macro.plain", skm.f1_score(truth, p > 0.5, average="macro", zero_division=0))


# ---- regression ------------------------------------------------------------------------------
def regression(case, predictions, targets):
    predictions = begin(case, predictions, targets.astype(np.float32))
    targets = targets.astype(np.float32).astype(np.float64)
    a, b = targets.reshape(len(targets), -1), predictions.reshape(len(targets), -1)
    expect(case, "mse", skm.mean_squared_error(a, b))
    expect(case, "rmse", np.sqrt(skm.mean_squared_error(a, b)))
    expect(case, "mae", skm.mean_absolute_error(a, b))
    expect(case, "r2", skm.r2_score(a, b))
    expect(case, "explained_variance", skm.explained_variance_score(a, b))


y = rng.normal(size=(30, 4)) * np.array([1, 2, 3, 0.1]) + np.array([0, 1, 2, 3])
regression("points", y + rng.normal(size=y.shape) * 0.3, y)
y = rng.normal(size=25) + 100
regression("numbers", y + rng.normal(size=y.shape) * 0.3, y)
regression("column", (y * 1.1)[:, None], y)
regression("constant", rng.normal(size=10), np.full(10, 2.0))
regression("exact", np.full(10, 2.0), np.full(10, 2.0))


# ---- pixels ------------------------------------------------------------------------------------
def pixels(case, predictions, targets):
    decided = begin(case, predictions, targets.astype(np.int64)).argmax(-1)
    classes = predictions.shape[-1]
    dice, jaccard = [], []
    for c in range(1 if classes == 2 else 0, classes):
        both, either = ((decided == c) & (targets == c)).sum(), (decided == c).sum() + (targets == c).sum()
        if either:
            dice.append(2 * both / either)
            jaccard.append(both / (either - both))
    expect(case, "dice", np.mean(dice))
    expect(case, "pixel_jaccard", np.mean(jaccard))
    expect(case, "accuracy", (decided == targets).mean())


pixels("mask2", rng.normal(size=(3, 5, 7, 2)), rng.integers(0, 2, (3, 5, 7)))
pixels("mask4", rng.normal(size=(2, 5, 6, 4)) - np.array([0, 0, 0, 9]), rng.integers(0, 3, (2, 5, 6)))

# ---- the file -------------------------------------------------------------------------------------
header, offset, blobs = {}, 0, []
for name, array in tensors.items():
    data = np.ascontiguousarray(array).tobytes()
    kind = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}[array.dtype]
    header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
    offset += len(data)
    blobs.append(data)
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.safetensors")
with open(path, "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
print(f"{len(tensors)} tensors, {os.path.getsize(path)} bytes")
