/* optimize.h — the steps of the optimizers on n elements, in place. The
 * formulas and the meaning of the parameters are those of device/ops.h; the
 * arrays of the argument structs are not looked at. */
#ifndef URSA_SIMD_OPTIMIZE_H
#define URSA_SIMD_OPTIMIZE_H

#include <stdbool.h>
#include <stdint.h>
#include "device/ops.h"

struct ursa_simd_optimize {
    void (*sgd)(const struct ursa_sgd_step_args *step, int64_t n, const float *grad, float *param, float *momentum);
    void (*adam)(const struct ursa_adam_step_args *step, int64_t n, const float *grad, float *param, float *m,
                 float *v);
    void (*rmsprop)(const struct ursa_rmsprop_step_args *step, int64_t n, const float *grad, float *param, float *v,
                    float *mean, float *momentum);
    /* m, v and update; squares gets Σ param² and Σ update². */
    void (*lamb_update)(const struct ursa_lamb_step_args *step, int64_t n, const float *grad, const float *param,
                        float *m, float *v, float *update, double squares[2]);
    /* param -= scale update */
    void (*lamb_apply)(float scale, int64_t n, const float *update, float *param);
    /* grad *= factor; whether all of it was finite before. */
    bool (*unscale)(float factor, int64_t n, float *grad);
};

#endif
