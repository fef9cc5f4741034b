/* loss.cl — cross-entropy of classes, a group of work items per row, and the
 * elementwise losses of loss.def.
 */
#include "common.cl"
#include "group.cl"
#include "functions.cl"

/* ---- cross-entropy -------------------------------------------------------- */

#define WEIGHT_OF(c) (weight ? weight[c] : 1.0f)

#ifdef CROSS_ENTROPY
kernel void cross_entropy(INPUT(f32, x), INPUT(i64, classes), INPUT(f32, weight), OUTPUT(f32, loss),
                          OUTPUT(f32, row_weight), OUTPUT(f32, log_sum), local float *each, int n, float smoothing,
                          long ignore, FAULT_ARGUMENTS)
{
    LOCATE(x);
    LOCATE(classes);
    LOCATE(weight);
    LOCATE(loss);
    LOCATE(row_weight);
    LOCATE(log_sum);
    int row = (int)get_group_id(0), item = (int)get_local_id(0), step = (int)get_local_size(0);
    x += row * n;

    float highest = -INFINITY;
    for (int c = item; c < n; c += step)
        highest = fmax(highest, x[c]);
    highest = group_max(each, highest);
    float sum = 0.0f;
    for (int c = item; c < n; c += step)
        sum += exp(x[c] - highest);
    float total = highest + log(group_sum(each, sum));

    /* The part of every class, -Σ v log softmax. */
    float spread = 0.0f;
    if (smoothing > 0.0f) {
        for (int c = item; c < n; c += step)
            spread += WEIGHT_OF(c) * (total - x[c]);
        spread = group_sum(each, spread);
    }
    if (item != 0)
        return;
    long class = classes[row];
    bool counts = class != ignore && in_range(class, FAULT_PASS);
    log_sum[row] = total;
    loss[row] = counts ? (1.0f - smoothing) * WEIGHT_OF(class) * (total - x[class]) + smoothing / (float)n * spread
                       : 0.0f;
    row_weight[row] = counts ? WEIGHT_OF(class) : 0.0f;
}

kernel void cross_entropy_grad(INPUT(f32, x), INPUT(i64, classes), INPUT(f32, weight), INPUT(f32, log_sum),
                               INPUT(f32, dloss), OUTPUT(f32, dx), local float *each, int n, float smoothing,
                               long ignore, FAULT_ARGUMENTS)
{
    LOCATE(x);
    LOCATE(classes);
    LOCATE(weight);
    LOCATE(log_sum);
    LOCATE(dloss);
    LOCATE(dx);
    int row = (int)get_group_id(0), item = (int)get_local_id(0), step = (int)get_local_size(0);
    x += row * n;
    dx += row * n;
    float total_weight = (float)n; /* Σ v */
    if (weight) {
        float sum = 0.0f;
        for (int c = item; c < n; c += step)
            sum += weight[c];
        total_weight = group_sum(each, sum);
    }
    long class = classes[row];
    bool counts = class != ignore && in_range(class, FAULT_PASS);
    float own = counts ? (1.0f - smoothing) * WEIGHT_OF(class) : 0.0f, share = smoothing / (float)n;
    float scale = counts ? dloss[row] : 0.0f, total = own + share * total_weight;
    for (int c = item; c < n; c += step) {
        float q = share * WEIGHT_OF(c) + (c == class ? own : 0.0f);
        dx[c] = counts ? scale * (exp(x[c] - log_sum[row]) * total - q) : 0.0f;
    }
}
#endif

/* ---- elementwise: -DLOSS=mse … -------------------------------------------- */

#ifdef LOSS
static inline float sign_of(float x)
{
    return (float)((x > 0.0f) - (x < 0.0f));
}

static inline float loss_mse(float x, float t, float a, float b)
{
    return (x - t) * (x - t);
}

static inline float slope_mse(float x, float t, float a, float b)
{
    return 2.0f * (x - t);
}

static inline float loss_l1(float x, float t, float a, float b)
{
    return fabs(x - t);
}

static inline float slope_l1(float x, float t, float a, float b)
{
    return sign_of(x - t);
}

static inline float loss_smooth_l1(float x, float t, float a, float b)
{
    float d = fabs(x - t);
    return d < a ? d * d / (2.0f * a) : d - 0.5f * a;
}

static inline float slope_smooth_l1(float x, float t, float a, float b)
{
    float d = x - t;
    return fabs(d) < a ? d / a : sign_of(d);
}

static inline float loss_huber(float x, float t, float a, float b)
{
    float d = fabs(x - t);
    return d < a ? 0.5f * d * d : a * (d - 0.5f * a);
}

static inline float slope_huber(float x, float t, float a, float b)
{
    float d = x - t;
    return fabs(d) < a ? d : a * sign_of(d);
}

static inline float loss_bce_logits(float x, float t, float a, float b)
{
    return -(a * t * log_logistic(x) + (1.0f - t) * log_logistic(-x));
}

static inline float slope_bce_logits(float x, float t, float a, float b)
{
    return (1.0f - t) * logistic(x) - a * t * logistic(-x);
}

/* 1 - p_t, without taking anything from 1. */
static inline float focal_miss(float x, float t)
{
    return t * logistic(-x) + (1.0f - t) * logistic(x);
}

static inline float focal_balance(float t, float a)
{
    return a >= 0.0f ? a * t + (1.0f - a) * (1.0f - t) : 1.0f;
}

static inline float loss_focal(float x, float t, float a, float b)
{
    return focal_balance(t, a) * loss_bce_logits(x, t, 1.0f, 0.0f) * pow(focal_miss(x, t), b);
}

static inline float slope_focal(float x, float t, float a, float b)
{
    float miss = focal_miss(x, t), entropy = loss_bce_logits(x, t, 1.0f, 0.0f);
    float slope = slope_bce_logits(x, t, 1.0f, 0.0f) * pow(miss, b);
    if (b != 0.0f && miss > 0.0f)
        slope += entropy * b * pow(miss, b - 1.0f) * (1.0f - 2.0f * t) * logistic(x) * logistic(-x);
    return focal_balance(t, a) * slope;
}

kernel void loss(INPUT(f32, x), INPUT(f32, target), OUTPUT(f32, out), loop_t loop, float a, float b)
{
    LOCATE(x);
    LOCATE(target);
    LOCATE(out);
    int i = (int)get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 2, i)] =
            PASTE(loss_, LOSS)(x[LOOP_INDEX(loop, 0, i)], target[LOOP_INDEX(loop, 1, i)], a, b);
}

kernel void loss_grad(INPUT(f32, x), INPUT(f32, target), INPUT(f32, dout), OUTPUT(f32, dx), loop_t loop, float a,
                      float b)
{
    LOCATE(x);
    LOCATE(target);
    LOCATE(dout);
    LOCATE(dx);
    int i = (int)get_global_id(0);
    if (i < loop.count)
        dx[LOOP_INDEX(loop, 3, i)] =
            dout[LOOP_INDEX(loop, 2, i)] *
            PASTE(slope_, LOSS)(x[LOOP_INDEX(loop, 0, i)], target[LOOP_INDEX(loop, 1, i)], a, b);
}
#endif
