/* random.c — tensors of random numbers, and dropout. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

/* A stretch of a Philox stream. */
struct stretch {
    uint64_t key, counter;
};

/* Takes what `count` elements need of a stream, four to a block, and moves it
 * on. */
static struct stretch take(ursa_rng *rng, int64_t count)
{
    struct stretch taken = {rng->key, rng->counter};
    rng->counter += (uint64_t)(count + 3) / 4;
    return taken;
}

bool ursa_random_(ursa_tensor *to, ursa_random_kind kind, double a, double b, ursa_rng *rng)
{
    struct stretch from = take(rng, ursa_count(to));
    struct ursa_random_args args = {
        .kind = kind, .out = to->array, .a = a, .b = b, .key = from.key, .counter = from.counter};
    ursa_tensor_changed(to);
    return ursa_op_random(ursa_device_of(to), &args);
}

static ursa_tensor *fill_random(ursa_random_kind kind, double a, double b, ursa_dims shape,
                                const ursa_tensor_options *options)
{
    ursa_tensor_options made_as = *options;
    made_as.requires_grad = false;
    ursa_tensor *out = ursa_empty_opt(shape, &made_as);
    if (!out)
        return NULL;
    if (!ursa_random_(out, kind, a, b, options->rng ? options->rng : ursa_stream(URSA_PURPOSE_USER)))
        return NULL;
    return options->requires_grad ? ursa_requires_grad(out, true) : out;
}

ursa_tensor *ursa_uniform_opt(ursa_dims shape, const ursa_tensor_options *options)
{
    bool unit = options->low == 0 && options->high == 0;
    return fill_random(URSA_RANDOM_UNIFORM, options->low, unit ? 1 : options->high, shape, options);
}

ursa_tensor *ursa_normal_opt(ursa_dims shape, const ursa_tensor_options *options)
{
    return fill_random(URSA_RANDOM_NORMAL, options->mean, options->std == 0 ? 1 : options->std, shape, options);
}

ursa_tensor *ursa_bernoulli_opt(ursa_dims shape, double p, const ursa_tensor_options *options)
{
    return fill_random(URSA_RANDOM_BERNOULLI, p, 0, shape, options);
}

/* ---- dropout ---------------------------------------------------------------------------- */

struct dropout {
    float p;
    struct stretch mask;
};

static ursa_tensor *drop(ursa_tensor *x, ursa_tensor *out, const struct dropout *dropout)
{
    if (!x || !out)
        return NULL;
    struct ursa_dropout_args args = {
        .x = x->array, .out = out->array, .p = dropout->p, .key = dropout->mask.key, .counter = dropout->mask.counter};
    return ursa_op_dropout(ursa_device_of(x), &args) ? out : NULL;
}

static bool dropout_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dy = ursa_dense(dy);
    dx[0] = drop(dy, ursa_reuse(dy), ursa_node_extra(node));
    return dx[0] != NULL;
}

ursa_tensor *ursa_dropout(ursa_tensor *x, double p, ursa_rng *rng)
{
    if (!x)
        return NULL;
    if (!(p >= 0 && p <= 1)) {
        ursa_fail(URSA_ERROR_ARGUMENT, "dropout: p is %g, expected 0 … 1", p);
        return NULL;
    }
    if (p == 0)
        return x;
    struct dropout dropout = {(float)p, take(rng ? rng : ursa_stream(URSA_PURPOSE_DROPOUT), ursa_count(x))};
    ursa_scope *scope = ursa_scope_begin();
    ursa_dtype dtype = ursa_dtype_is_float(x->array.dtype) ? x->array.dtype : URSA_F32;
    ursa_tensor *dense = ursa_dense_typed(x, dtype);
    ursa_tensor *out = dense ? drop(dense, ursa_tensor_new(ursa_device_of(x), dtype, ursa_dims_of(x)), &dropout) : NULL;
    ursa_node *node = URSA_RECORD("dropout", dropout_step, 0, sizeof dropout, x);
    if (node)
        *(struct dropout *)ursa_node_extra(node) = dropout;
    return ursa_leave(scope, ursa_node_attach(node, out));
}
