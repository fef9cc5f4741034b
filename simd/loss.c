/* loss.c — cross-entropy of rows of logits, and the elementwise losses of
 * loss.def. */
#include "loss.h"
#include "rows.h"

/* ---- cross-entropy ------------------------------------------------------ */

/* log Σ eˣ in two parts: beside large logits the logarithm would lose its
 * digits, and with them the loss of a row that is almost right. */
struct log_sum {
    float max, rest;
};

static struct log_sum row_log_sum(const float *x, int64_t n)
{
    float max = row_max(x, n);
    return (struct log_sum){max, logf(row_exp_sum(x, n, max, NULL))};
}

/* Σ -v log softmax(x), without weights v = 1. */
static float row_weighted(const float *x, const float *weight, int64_t n, struct log_sum total)
{
    vf max = vf_set(total.max), rest = vf_set(total.rest), sum = vf_zero();
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf d = vf_add(vf_sub(max, v_load_part(x + i, lanes)), rest);
        if (weight)
            d = vf_mul(d, v_load_part(weight + i, lanes));
        sum = vf_add(sum, lanes == V_LANES ? d : vf_select(v_first(lanes), d, vf_zero()));
    }
    return vf_sum(sum);
}

static void cross_entropy(const struct ursa_cross_entropy_rules *rules, const float *x, const int64_t *classes,
                          int64_t rows, float *loss, float *row_weight, float *log_sum)
{
    int64_t n = rules->n;
    for (int64_t r = 0; r < rows; r++, x += n) {
        struct log_sum total = row_log_sum(x, n);
        log_sum[r] = total.max + total.rest;
        loss[r] = row_weight[r] = 0.0f;
        int64_t class = classes[r];
        if (class == rules->ignore)
            continue;
        row_weight[r] = rules->weight ? rules->weight[class] : 1.0f;
        loss[r] = (1.0f - rules->smoothing) * row_weight[r] * (total.max - x[class] + total.rest);
        if (rules->smoothing != 0.0f)
            loss[r] += rules->smoothing / (float)n * row_weighted(x, rules->weight, n, total);
    }
}

/* dx = dloss (softmax Σ q v - q v). */
static void cross_entropy_grad(const struct ursa_cross_entropy_rules *rules, const float *x, const int64_t *classes,
                               const float *log_sum, const float *dloss, int64_t rows, float *dx)
{
    int64_t n = rules->n;
    float every = rules->smoothing / (float)n;
    for (int64_t r = 0; r < rows; r++, x += n, dx += n) {
        int64_t class = classes[r];
        if (class == rules->ignore) {
            memset(dx, 0, (size_t)n * sizeof *dx);
            continue;
        }
        float own = (1.0f - rules->smoothing) * (rules->weight ? rules->weight[class] : 1.0f);
        vf total = vf_set((own + every * rules->weight_sum) * dloss[r]), share = vf_set(every * dloss[r]);
        vf end = vf_set(log_sum[r]);
        for (int64_t i = 0; i < n; i += V_LANES) {
            int64_t lanes = v_lanes_of(n - i);
            vf v = rules->weight ? v_load_part(rules->weight + i, lanes) : vf_set(1.0f);
            vf p = vf_exp(vf_sub(v_load_part(x + i, lanes), end));
            v_store_part(dx + i, vf_sub(vf_mul(p, total), vf_mul(v, share)), lanes);
        }
        dx[class] -= own * dloss[r];
    }
}

/* ---- elementwise losses ------------------------------------------------- */

V_INLINE vf sign(vf d)
{
    return vf_select(vf_eq(d, vf_zero()), vf_zero(), vf_copysign(vf_set(1.0f), d));
}

/* σ(x) and σ(-x) without cancellation, from e^-|x|. */
struct logistic {
    vf plus, minus;
};
V_INLINE struct logistic logistic(vf x)
{
    vf z = vf_exp(vf_neg(vf_abs(x))), large = vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), z)), small = vf_mul(z, large);
    vm positive = vf_ge(x, vf_zero());
    return (struct logistic){vf_select(positive, large, small), vf_select(positive, small, large)};
}

V_INLINE vf mse_value(vf x, vf t, float a, float b)
{
    (void)a, (void)b;
    vf d = vf_sub(x, t);
    return vf_mul(d, d);
}
V_INLINE vf mse_slope(vf x, vf t, float a, float b)
{
    (void)a, (void)b;
    vf d = vf_sub(x, t);
    return vf_add(d, d);
}

V_INLINE vf l1_value(vf x, vf t, float a, float b)
{
    (void)a, (void)b;
    return vf_abs(vf_sub(x, t));
}
V_INLINE vf l1_slope(vf x, vf t, float a, float b)
{
    (void)a, (void)b;
    return sign(vf_sub(x, t));
}

V_INLINE vf smooth_l1_value(vf x, vf t, float a, float b)
{
    (void)b;
    vf d = vf_sub(x, t), size = vf_abs(d);
    vf inner = vf_div(vf_mul(d, d), vf_set(2.0f * a)), outer = vf_sub(size, vf_set(0.5f * a));
    return vf_select(vf_lt(size, vf_set(a)), inner, outer);
}
V_INLINE vf smooth_l1_slope(vf x, vf t, float a, float b)
{
    (void)b;
    vf d = vf_sub(x, t);
    return vf_select(vf_lt(vf_abs(d), vf_set(a)), vf_div(d, vf_set(a)), sign(d));
}

V_INLINE vf huber_value(vf x, vf t, float a, float b)
{
    (void)b;
    vf d = vf_sub(x, t), size = vf_abs(d), limit = vf_set(a);
    vf inner = vf_mul(vf_set(0.5f), vf_mul(d, d)), outer = vf_mul(limit, vf_sub(size, vf_set(0.5f * a)));
    return vf_select(vf_lt(size, limit), inner, outer);
}
V_INLINE vf huber_slope(vf x, vf t, float a, float b)
{
    (void)b;
    vf d = vf_sub(x, t), limit = vf_set(a);
    return vf_select(vf_lt(vf_abs(d), limit), d, vf_mul(limit, sign(d)));
}

/* With softplus(x) = -log σ(-x): a t softplus(-x) + (1 - t) softplus(x). */
V_INLINE vf bce_logits_value(vf x, vf t, float a, float b)
{
    (void)b;
    vf rest = vf_log1p(vf_exp(vf_neg(vf_abs(x))));
    vf miss = vf_add(vf_max(vf_neg(x), vf_zero()), rest), alarm = vf_add(vf_max(x, vf_zero()), rest);
    return vf_fma(vf_mul(vf_set(a), t), miss, vf_mul(vf_sub(vf_set(1.0f), t), alarm));
}
V_INLINE vf bce_logits_slope(vf x, vf t, float a, float b)
{
    (void)b;
    struct logistic s = logistic(x);
    return vf_fnma(vf_mul(vf_set(a), t), s.minus, vf_mul(vf_sub(vf_set(1.0f), t), s.plus));
}

/* Lin et al., "Focal loss for dense object detection", 2017. 1 - p_t is
 * σ(x) (1 - t) + σ(-x) t. */
V_INLINE vf focal_miss(struct logistic s, vf t)
{
    return vf_fma(s.minus, t, vf_mul(s.plus, vf_sub(vf_set(1.0f), t)));
}
V_INLINE vf focal_alpha(vf t, float a)
{
    return a < 0.0f ? vf_set(1.0f) : vf_fma(vf_set(2.0f * a - 1.0f), t, vf_set(1.0f - a));
}
V_INLINE vf focal_value(vf x, vf t, float a, float b)
{
    vf factor = vf_pow(focal_miss(logistic(x), t), vf_set(b));
    return vf_mul(focal_alpha(t, a), vf_mul(factor, bce_logits_value(x, t, 1.0f, 0.0f)));
}
V_INLINE vf focal_slope(vf x, vf t, float a, float b)
{
    struct logistic s = logistic(x);
    vf miss = focal_miss(s, t), factor = vf_pow(miss, vf_set(b));
    /* d miss / dx over miss; where miss underflows the factor is 0 as well. */
    vf change = vf_mul(vf_fnma(vf_set(2.0f), t, vf_set(1.0f)), vf_mul(s.plus, s.minus));
    vf ratio = vf_select(vf_gt(miss, vf_zero()), vf_div(change, miss), vf_zero());
    vf inner = vf_mul(bce_logits_value(x, t, 1.0f, 0.0f), vf_mul(vf_set(b), ratio));
    return vf_mul(vf_mul(focal_alpha(t, a), factor), vf_add(bce_logits_slope(x, t, 1.0f, 0.0f), inner));
}

#define URSA_LOSS(name, text)                                                                                          \
    static void name##_loss(const float *x, const float *t, int64_t n, float a, float b, float *out)                   \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i += V_LANES) {                                                                     \
            int64_t lanes = v_lanes_of(n - i);                                                                         \
            v_store_part(out + i, name##_value(v_load_part(x + i, lanes), v_load_part(t + i, lanes), a, b), lanes);    \
        }                                                                                                              \
    }                                                                                                                  \
    static void name##_loss_grad(const float *x, const float *t, const float *dout, int64_t n, float a, float b,       \
                                 float *dx)                                                                            \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i += V_LANES) {                                                                     \
            int64_t lanes = v_lanes_of(n - i);                                                                         \
            vf slope = name##_slope(v_load_part(x + i, lanes), v_load_part(t + i, lanes), a, b);                       \
            v_store_part(dx + i, vf_mul(slope, v_load_part(dout + i, lanes)), lanes);                                  \
        }                                                                                                              \
    }
#include "device/loss.def"
#undef URSA_LOSS

static void loss(ursa_loss_kind kind, const float *x, const float *target, int64_t n, float a, float b, float *out)
{
    switch (kind) {
#define URSA_LOSS(name, text)                                                                                          \
    case URSA_LOSS_##name:                                                                                             \
        name##_loss(x, target, n, a, b, out);                                                                          \
        break;
#include "device/loss.def"
#undef URSA_LOSS
    case URSA_LOSS_COUNT:
        break;
    }
}

static void loss_grad(ursa_loss_kind kind, const float *x, const float *target, const float *dout, int64_t n, float a,
                      float b, float *dx)
{
    switch (kind) {
#define URSA_LOSS(name, text)                                                                                          \
    case URSA_LOSS_##name:                                                                                             \
        name##_loss_grad(x, target, dout, n, a, b, dx);                                                                \
        break;
#include "device/loss.def"
#undef URSA_LOSS
    case URSA_LOSS_COUNT:
        break;
    }
}

const struct ursa_simd_loss SIMD(ursa_simd_loss) = {
    .cross_entropy = cross_entropy,
    .cross_entropy_grad = cross_entropy_grad,
    .loss = loss,
    .loss_grad = loss_grad,
};
