/* loss.c — losses. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

/* ---- cross-entropy ------------------------------------------------------------------------------ */

struct cross_entropy {
    float smoothing;
    int64_t ignore;
};

/* Saved: 0 x [M, C], 1 classes [M], 2 weight [C] or none, 3 log_sum [M]. */
static bool cross_entropy_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct cross_entropy *how = ursa_node_extra(node);
    ursa_tensor *x = ursa_node_saved(node, 0), *classes = ursa_node_saved(node, 1);
    ursa_tensor *weight = ursa_node_saved(node, 2), *log_sum = ursa_node_saved(node, 3);
    ursa_tensor *out = x ? ursa_empty_like(x) : NULL;
    dy = ursa_dense(dy);
    if (!out || !classes || !log_sum || !dy)
        return false;
    struct ursa_cross_entropy_grad_args args = {.x = x->array,
                                                .classes = classes->array,
                                                .log_sum = log_sum->array,
                                                .dloss = dy->array,
                                                .dx = out->array,
                                                .smoothing = how->smoothing,
                                                .ignore = how->ignore};
    if (weight)
        args.weight = weight->array;
    if (!ursa_op_cross_entropy_grad(ursa_device_of(x), &args))
        return false;
    dx[0] = ursa_reshape(out, ursa_node_shape(node, 0));
    return dx[0] != NULL;
}

/* Logits and classes as rows, and the weights, as the operator takes them. */
struct rows {
    ursa_tensor *x, *classes, *weight;
};

static bool as_rows(ursa_tensor *logits, ursa_tensor *classes, ursa_tensor *weight, struct rows *rows)
{
    int64_t count = ursa_count(classes), columns = logits->array.shape[logits->array.ndim - 1];
    ursa_no_grad_begin();
    rows->x = ursa_reshape(ursa_dense_typed(logits, URSA_F32), ursa_shape(count, columns));
    rows->classes = ursa_reshape(ursa_dense_typed(classes, URSA_I64), ursa_shape(count));
    rows->weight = ursa_dense_typed(weight, URSA_F32);
    ursa_no_grad_end();
    return rows->x && rows->classes && (rows->weight || !weight);
}

/* The loss of every row, and the rows' weights. */
static ursa_tensor *row_losses(ursa_tensor *logits, const struct rows *rows, const struct cross_entropy *how,
                               ursa_tensor **row_weight)
{
    ursa_device *device = ursa_device_of(logits);
    ursa_dims count = ursa_dims_of(rows->classes);
    ursa_tensor *loss = ursa_tensor_new(device, URSA_F32, count), *log_sum = ursa_tensor_new(device, URSA_F32, count);
    *row_weight = ursa_tensor_new(device, URSA_F32, count);
    if (!loss || !log_sum || !*row_weight)
        return NULL;
    struct ursa_cross_entropy_args args = {.x = rows->x->array,
                                           .classes = rows->classes->array,
                                           .loss = loss->array,
                                           .row_weight = (*row_weight)->array,
                                           .log_sum = log_sum->array,
                                           .smoothing = how->smoothing,
                                           .ignore = how->ignore};
    if (rows->weight)
        args.weight = rows->weight->array;
    if (!ursa_op_cross_entropy(device, &args))
        return NULL;
    ursa_node *node = URSA_RECORD("cross_entropy", cross_entropy_step, 4, sizeof *how, logits);
    if (node)
        *(struct cross_entropy *)ursa_node_extra(node) = *how;
    ursa_node_save(node, 0, rows->x);
    ursa_node_save(node, 1, rows->classes);
    ursa_node_save(node, 2, rows->weight);
    ursa_node_save(node, 3, log_sum);
    return ursa_node_attach(node, loss);
}

static bool check_classes(const ursa_tensor *logits, const ursa_tensor *classes, const ursa_tensor *weight)
{
    ursa_dims x = ursa_array_dims(&logits->array), given = ursa_array_dims(&classes->array);
    if (!ursa_same_device("cross_entropy", logits, classes, "classes") ||
        (weight && !ursa_same_device("cross_entropy", logits, weight, "weight")))
        return false;
    if (ursa_dtype_is_float(classes->array.dtype))
        return ursa_fail(URSA_ERROR_TYPE, "cross_entropy: classes is %s, expected an integer type",
                         ursa_dtype_name(classes->array.dtype));
    ursa_dims expected = x;
    expected.ndim--;
    if (x.ndim < 1 || !ursa_same_dims(&given, &expected))
        return ursa_fail(URSA_ERROR_SHAPE, "cross_entropy: classes is %s, expected %s for logits of %s",
                         ursa_shape_text(given.ndim, given.dim).text,
                         ursa_shape_text(x.ndim < 1 ? 0 : expected.ndim, expected.dim).text,
                         ursa_shape_text(x.ndim, x.dim).text);
    int64_t columns = x.dim[x.ndim - 1];
    if (weight && (weight->array.ndim != 1 || weight->array.shape[0] != columns))
        return ursa_fail(URSA_ERROR_SHAPE, "cross_entropy: weight is %s, expected [%lld]",
                         ursa_shape_text(weight->array.ndim, weight->array.shape).text, (long long)columns);
    return true;
}

static ursa_tensor *cross_entropy(ursa_tensor *logits, ursa_tensor *classes, const ursa_loss_options *options)
{
    struct cross_entropy how = {(float)options->smoothing, options->ignore ? options->ignore : -100};
    struct rows rows;
    ursa_tensor *row_weight;
    if (!as_rows(logits, classes, options->weight, &rows))
        return NULL;
    ursa_tensor *loss = row_losses(logits, &rows, &how, &row_weight);
    if (options->reduction == URSA_EACH)
        return ursa_reshape(loss, ursa_dims_of(classes));
    ursa_tensor *sum = ursa_sum(loss, ursa_axes(), false);
    if (options->reduction == URSA_SUM)
        return sum;
    return ursa_div(sum, ursa_sum(row_weight, ursa_axes(), false));
}

ursa_tensor *ursa_cross_entropy_opt(ursa_tensor *logits, ursa_tensor *classes, const ursa_loss_options *options)
{
    if (!logits || !classes || !check_classes(logits, classes, options->weight))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, cross_entropy(logits, classes, options));
}

/* ---- elementwise losses ---------------------------------------------------------------------------- */

struct loss {
    ursa_loss_kind kind;
    float a, b;
};

/* Saved: 0 x, 1 target. */
static bool loss_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct loss *loss = ursa_node_extra(node);
    ursa_tensor *x = ursa_node_saved(node, 0), *target = ursa_node_saved(node, 1);
    dx[0] = x && target ? ursa_empty_like(x) : NULL;
    if (!dx[0])
        return false;
    struct ursa_loss_grad_args args = {.kind = loss->kind,
                                       .x = x->array,
                                       .target = target->array,
                                       .dout = dy->array,
                                       .dx = dx[0]->array,
                                       .a = loss->a,
                                       .b = loss->b};
    return ursa_op_loss_grad(ursa_device_of(x), &args);
}

static ursa_tensor *each(const char *name, ursa_tensor *x, ursa_tensor *target, const struct loss *loss)
{
    ursa_tensor *in = ursa_typed(x, URSA_F32), *expected = ursa_typed(target, URSA_F32);
    ursa_tensor *out = in && expected ? ursa_empty_like(in) : NULL;
    if (!out)
        return NULL;
    struct ursa_loss_args args = {
        .kind = loss->kind, .x = in->array, .target = expected->array, .out = out->array, .a = loss->a, .b = loss->b};
    if (!ursa_op_loss(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD(name, loss_step, 2, sizeof *loss, x);
    if (node)
        *(struct loss *)ursa_node_extra(node) = *loss;
    ursa_node_save(node, 0, in);
    ursa_node_save(node, 1, expected);
    return ursa_node_attach(node, out);
}

static bool check_target(const char *name, const ursa_tensor *x, const ursa_tensor *target)
{
    ursa_dims want = ursa_array_dims(&x->array), have = ursa_array_dims(&target->array);
    if (!ursa_same_device(name, x, target, "target"))
        return false;
    if (!ursa_same_dims(&want, &have))
        return ursa_fail(URSA_ERROR_SHAPE, "%s: target is %s, expected %s as x", name,
                         ursa_shape_text(have.ndim, have.dim).text, ursa_shape_text(want.ndim, want.dim).text);
    return !target->requires_grad || ursa_no_grad_depth() > 0 ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: the target requires a gradient, which losses do not give; detach it",
                     name);
}

static ursa_tensor *elementwise(const char *name, ursa_loss_kind kind, double a, double b, ursa_tensor *x,
                                ursa_tensor *target, ursa_reduction reduction)
{
    if (!x || !target || !check_target(name, x, target))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    struct loss loss = {kind, (float)a, (float)b};
    ursa_tensor *out = each(name, x, target, &loss);
    if (reduction == URSA_MEAN)
        out = ursa_mean(out, ursa_axes(), false);
    else if (reduction == URSA_SUM)
        out = ursa_sum(out, ursa_axes(), false);
    return ursa_leave(scope, out);
}

ursa_tensor *ursa_bce_logits_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    double positive = options->positive_weight == 0 ? 1 : options->positive_weight;
    return elementwise("bce_logits", URSA_LOSS_bce_logits, positive, 0, x, target, options->reduction);
}

ursa_tensor *ursa_mse_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    return elementwise("mse", URSA_LOSS_mse, 0, 0, x, target, options->reduction);
}

ursa_tensor *ursa_l1_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    return elementwise("l1", URSA_LOSS_l1, 0, 0, x, target, options->reduction);
}

static double beta_of(const ursa_loss_options *options)
{
    return options->beta == 0 ? 1 : options->beta;
}

ursa_tensor *ursa_smooth_l1_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    return elementwise("smooth_l1", URSA_LOSS_smooth_l1, beta_of(options), 0, x, target, options->reduction);
}

ursa_tensor *ursa_huber_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    return elementwise("huber", URSA_LOSS_huber, beta_of(options), 0, x, target, options->reduction);
}

ursa_tensor *ursa_focal_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options)
{
    double alpha = options->alpha == 0 ? 0.25 : options->alpha, gamma = options->gamma == 0 ? 2 : options->gamma;
    return elementwise("focal", URSA_LOSS_focal, alpha, gamma, x, target, options->reduction);
}
