/* loss.h — cross-entropy of rows of logits, and the elementwise losses of
 * loss.def. */
#ifndef URSA_SIMD_LOSS_H
#define URSA_SIMD_LOSS_H

#include <stdint.h>
#include "device/ops.h"

/* What the rows of a cross-entropy have in common. */
struct ursa_cross_entropy_rules {
    int64_t n;           /* classes */
    const float *weight; /* [n], or NULL */
    float weight_sum;    /* n without weights */
    float smoothing;
    int64_t ignore;
};

struct ursa_simd_loss {
    /* Classes are inside 0 … n-1 or `ignore`. */
    void (*cross_entropy)(const struct ursa_cross_entropy_rules *rules, const float *x, const int64_t *classes,
                          int64_t rows, float *loss, float *row_weight, float *log_sum);
    void (*cross_entropy_grad)(const struct ursa_cross_entropy_rules *rules, const float *x, const int64_t *classes,
                               const float *log_sum, const float *dloss, int64_t rows, float *dx);

    void (*loss)(ursa_loss_kind kind, const float *x, const float *target, int64_t n, float a, float b, float *out);
    void (*loss_grad)(ursa_loss_kind kind, const float *x, const float *target, const float *dout, int64_t n, float a,
                      float b, float *dx);
};

#endif
