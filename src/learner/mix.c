/* mix.c — training on mixtures of items: mixup (Zhang et al. 2018) and CutMix (Yun et
 * al. 2019), as fastai's callbacks. */
#include "base/memory.h"
#include "learner.h"

#include <math.h>
#include <stdlib.h>

struct mix {
    ursa_callback callback;
    double alpha;
    bool cuts;
    /* Of the batch under way, in its scope: the other items' targets, and how much each item is itself. */
    ursa_tensor *others, *share;
};

/* ---- Beta(α, α) ----------------------------------------------------------------------- */

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below 1 by a power of a uniform. */
static double draw_gamma(ursa_rng *rng, double shape)
{
    if (shape < 1) {
        double boost = pow(1 - ursa_rng_uniform(rng), 1 / shape);
        return draw_gamma(rng, shape + 1) * boost;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = ursa_rng_normal(rng), v = 1 + c * x;
        v = v * v * v;
        double u = 1 - ursa_rng_uniform(rng);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

static double draw_beta(ursa_rng *rng, double alpha)
{
    double a = draw_gamma(rng, alpha), b = draw_gamma(rng, alpha);
    if (a + b > 0)
        return a / (a + b);
    return ursa_rng_uniform(rng) < 0.5 ? 0 : 1; /* both too small for a double */
}

/* ---- partners ------------------------------------------------------------------------------ */

/* A permutation of the batch, on its device. */
static ursa_tensor *draw_partners(ursa_rng *rng, int64_t count, ursa_device *device)
{
    int64_t *order = ursa_alloc_array((size_t)count, sizeof *order);
    if (!order)
        return NULL;
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    ursa_rng_shuffle(rng, order, count);
    ursa_tensor *partners = ursa_from(order, ursa_shape(count), .dtype = URSA_I64, .device = device);
    free(order);
    return partners;
}

/* [N] as [N, 1, …] beside a tensor; a scalar stays one. */
static ursa_tensor *beside(ursa_tensor *share, const ursa_tensor *tensor)
{
    ursa_dims shape = {.ndim = ursa_ndim(tensor), .dim = {ursa_dim(share, 0), 1, 1, 1, 1, 1}};
    return ursa_ndim(share) == 0 ? share : ursa_reshape(share, shape);
}

/* other + share (own - other) */
static ursa_tensor *blend(ursa_tensor *own, ursa_tensor *other, ursa_tensor *share)
{
    return own && other ? ursa_add(other, ursa_mul(beside(share, own), ursa_sub(own, other))) : NULL;
}

/* ---- inputs ----------------------------------------------------------------------------------- */

static ursa_tensor *mixup_shares(ursa_rng *rng, double alpha, int64_t count, ursa_device *device)
{
    float *shares = ursa_alloc_array((size_t)count, sizeof *shares);
    if (!shares)
        return NULL;
    for (int64_t i = 0; i < count; i++) {
        double share = draw_beta(rng, alpha);
        shares[i] = (float)fmax(share, 1 - share);
    }
    ursa_tensor *tensor = ursa_from(shares, ursa_shape(count), .device = device);
    free(shares);
    return tensor;
}

static bool mix_up(struct mix *mix, ursa_training *training, ursa_rng *rng, ursa_tensor *partners)
{
    ursa_device *device = ursa_device_of(training->x);
    mix->share = mixup_shares(rng, mix->alpha, training->items, device);
    training->x = mix->share ? blend(training->x, ursa_take(training->x, 0, partners), mix->share) : NULL;
    return training->x;
}

static int64_t clamp(double value, int64_t most)
{
    return value < 0 ? 0 : value > (double)most ? most : (int64_t)value;
}

/* One rectangle for the whole batch, of the area 1 - λ around a place anywhere, cut off at the edges. */
static bool cut_mix(struct mix *mix, ursa_training *training, ursa_rng *rng, ursa_tensor *partners)
{
    int64_t rows = ursa_dim(training->x, 1), columns = ursa_dim(training->x, 2);
    if (ursa_ndim(training->x) != 4)
        return ursa_fail(URSA_ERROR_SHAPE, "cutmix: x has %d axes, expected images [N, H, W, C]",
                         ursa_ndim(training->x));
    double side = sqrt(1 - draw_beta(rng, mix->alpha));
    double high = floor(rint((double)rows * side) / 2), wide = floor(rint((double)columns * side) / 2);
    double x = (double)ursa_rng_below(rng, (uint64_t)columns), y = (double)ursa_rng_below(rng, (uint64_t)rows);
    int64_t left = clamp(x - wide, columns), right = clamp(x + wide, columns);
    int64_t top = clamp(y - high, rows), bottom = clamp(y + high, rows);
    double area = (double)((right - left) * (bottom - top)) / (double)(rows * columns);
    mix->share = ursa_full(ursa_shape(), 1 - area, .device = ursa_device_of(training->x));
    ursa_tensor *mixed = ursa_clone(training->x);
    ursa_tensor *patch = ursa_slice(ursa_slice(mixed, 1, top, bottom, 1), 2, left, right, 1);
    ursa_tensor *source = ursa_slice(ursa_slice(training->x, 1, top, bottom, 1), 2, left, right, 1);
    if (!patch || !source || !mix->share)
        return false;
    training->x = mixed;
    return ursa_count(patch) == 0 || ursa_copy_(patch, ursa_take(source, 0, partners));
}

static bool mix_batch(struct mix *mix, ursa_learner *learner)
{
    ursa_training *training = &learner->training;
    ursa_rng *rng = ursa_stream(URSA_PURPOSE_SAMPLE);
    if (!ursa_dtype_is_float(ursa_dtype_of(training->x)))
        return ursa_fail(URSA_ERROR_TYPE, "%s: x is %s, expected a float type", mix->callback.name,
                         ursa_dtype_name(ursa_dtype_of(training->x)));
    ursa_tensor *partners = draw_partners(rng, training->items, ursa_device_of(training->x));
    mix->others = partners ? ursa_take(training->y, 0, partners) : NULL;
    if (!mix->others || !(mix->cuts ? cut_mix(mix, training, rng, partners) : mix_up(mix, training, rng, partners)))
        return false;
    if (!learner->options.loss.class->classes)
        training->y = blend(training->y, mix->others, mix->share);
    return training->y;
}

/* ---- the loss ------------------------------------------------------------------------------------ */

/* Classes cannot be mixed, but their losses can. */
static bool mix_loss(struct mix *mix, ursa_learner *learner)
{
    ursa_training *training = &learner->training;
    const ursa_loss *loss = &learner->options.loss;
    if (!loss->class->classes)
        return true;
    ursa_tensor *own = ursa_loss_value(loss, training->prediction, training->y, URSA_EACH);
    ursa_tensor *other = ursa_loss_value(loss, training->prediction, mix->others, URSA_EACH);
    training->loss = training->loss_grad = ursa_mean(blend(own, other, mix->share), ursa_axes(), false);
    return training->loss;
}

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct mix *mix = (struct mix *)callback;
    const ursa_training *training = &learner->training;
    bool done = true;
    if (!training->training || !training->y)
        return URSA_CONTINUE;
    if (event == URSA_BEFORE_BATCH)
        done = mix_batch(mix, learner);
    if (event == URSA_AFTER_LOSS)
        done = mix_loss(mix, learner);
    return done ? URSA_CONTINUE : URSA_FAIL;
}

static void release(ursa_callback *callback)
{
    free(callback);
}

static ursa_callback *make(const char *name, double alpha, double standard, bool cuts)
{
    struct mix *mix = (struct mix *)ursa_callback_make(sizeof *mix, name, 4, on, release);
    if (!mix)
        return NULL;
    mix->alpha = alpha > 0 ? alpha : standard;
    mix->cuts = cuts;
    return &mix->callback;
}

ursa_callback *ursa_mixup(double alpha)
{
    return make("mixup", alpha, 0.4, false);
}

ursa_callback *ursa_cutmix(double alpha)
{
    return make("cutmix", alpha, 1, true);
}
