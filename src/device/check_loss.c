/* check_loss.c — arguments of the losses and the optimizers' steps. */
#include "check.h"
#include "base/error.h"
#include <math.h>

/* ---- losses ------------------------------------------------------------------------- */

static bool check_logits(const struct ursa_check *check, const ursa_array *x, const ursa_array *classes,
                         const ursa_array *weight, float smoothing)
{
    return ursa_check_array(check, "x", x, 0) && ursa_check_rank(check, "x", x, 2) &&
           ursa_check_array(check, "classes", classes, URSA_ONLY_I64) &&
           URSA_CHECK_SHAPE(check, "classes", classes, x->shape[0]) &&
           ursa_check_array(check, "weight", weight, URSA_OPTIONAL) &&
           URSA_CHECK_SHAPE(check, "weight", weight, x->shape[1]) &&
           ursa_check_number(check, "smoothing", smoothing, 0, 1);
}

/* An array with one number per row. */
static bool check_rows(const struct ursa_check *check, const char *name, const ursa_array *array, int64_t rows,
                       unsigned expected)
{
    return ursa_check_array(check, name, array, expected) && URSA_CHECK_SHAPE(check, name, array, rows);
}

int64_t ursa_check_cross_entropy(const struct ursa_check *check, const struct ursa_cross_entropy_args *args)
{
    if (!check_logits(check, &args->x, &args->classes, &args->weight, args->smoothing))
        return -1;
    int64_t rows = args->x.shape[0];
    bool ok = check_rows(check, "loss", &args->loss, rows, URSA_OUTPUT) &&
              check_rows(check, "row_weight", &args->row_weight, rows, URSA_OUTPUT) &&
              check_rows(check, "log_sum", &args->log_sum, rows, URSA_OUTPUT);
    return ok ? rows : -1;
}

int64_t ursa_check_cross_entropy_grad(const struct ursa_check *check, const struct ursa_cross_entropy_grad_args *args)
{
    if (!check_logits(check, &args->x, &args->classes, &args->weight, args->smoothing))
        return -1;
    int64_t rows = args->x.shape[0];
    bool ok = check_rows(check, "log_sum", &args->log_sum, rows, 0) &&
              check_rows(check, "dloss", &args->dloss, rows, 0) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              ursa_check_same_shape(check, "dx", &args->dx, &args->x) &&
              ursa_check_apart(check, "dx", &args->dx, "x", &args->x, false);
    return ok ? ursa_array_count(&args->dx) : -1;
}

static bool check_pair(const struct ursa_check *check, ursa_loss_kind kind, const ursa_array *x,
                       const ursa_array *target)
{
    if ((unsigned)kind >= URSA_LOSS_COUNT)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: there is no kind %d", check->op, (int)kind);
    return ursa_check_array(check, "x", x, URSA_STRIDED) && ursa_check_array(check, "target", target, URSA_STRIDED) &&
           ursa_check_same_shape(check, "target", target, x);
}

int64_t ursa_check_loss(const struct ursa_check *check, const struct ursa_loss_args *args)
{
    bool ok = check_pair(check, args->kind, &args->x, &args->target) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false) &&
              ursa_check_apart(check, "out", &args->out, "target", &args->target, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_loss_grad(const struct ursa_check *check, const struct ursa_loss_grad_args *args)
{
    bool ok = check_pair(check, args->kind, &args->x, &args->target) &&
              ursa_check_array(check, "dout", &args->dout, URSA_STRIDED) &&
              ursa_check_same_shape(check, "dout", &args->dout, &args->x) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              ursa_check_same_shape(check, "dx", &args->dx, &args->x) &&
              ursa_check_apart(check, "dx", &args->dx, "x", &args->x, false) &&
              ursa_check_apart(check, "dx", &args->dx, "target", &args->target, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dout", &args->dout, false);
    return ok ? ursa_array_count(&args->dx) : -1;
}

/* ---- optimizer steps ------------------------------------------------------------------ */

/* An array that a step updates, with the shape of the parameter. */
static bool check_state(const struct ursa_check *check, const char *name, const ursa_array *array,
                        const ursa_array *param, bool required)
{
    return ursa_check_array(check, name, array, URSA_OUTPUT | (required ? 0u : URSA_OPTIONAL)) &&
           ursa_check_same_shape(check, name, array, param);
}

static bool check_step(const struct ursa_check *check, const ursa_array *param, const ursa_array *grad,
                       const ursa_array *skip)
{
    return ursa_check_array(check, "skip", skip, URSA_OPTIONAL) && URSA_CHECK_SHAPE(check, "skip", skip, 1) &&
           ursa_check_array(check, "param", param, URSA_OUTPUT) && ursa_check_array(check, "grad", grad, 0) &&
           ursa_check_same_shape(check, "grad", grad, param) &&
           ursa_check_apart(check, "param", param, "grad", grad, false);
}

int64_t ursa_check_sgd_step(const struct ursa_check *check, const struct ursa_sgd_step_args *args)
{
    bool ok = check_step(check, &args->param, &args->grad, &args->skip) &&
              check_state(check, "momentum", &args->momentum, &args->param, args->mu > 0);
    return ok ? ursa_array_count(&args->param) : -1;
}

int64_t ursa_check_adam_step(const struct ursa_check *check, const struct ursa_adam_step_args *args)
{
    bool ok = check_step(check, &args->param, &args->grad, &args->skip) &&
              check_state(check, "m", &args->m, &args->param, true) &&
              check_state(check, "v", &args->v, &args->param, true);
    return ok ? ursa_array_count(&args->param) : -1;
}

int64_t ursa_check_rmsprop_step(const struct ursa_check *check, const struct ursa_rmsprop_step_args *args)
{
    bool ok = check_step(check, &args->param, &args->grad, &args->skip) &&
              check_state(check, "v", &args->v, &args->param, true) &&
              check_state(check, "mean", &args->mean, &args->param, false) &&
              check_state(check, "momentum", &args->momentum, &args->param, args->mu > 0);
    return ok ? ursa_array_count(&args->param) : -1;
}

int64_t ursa_check_lamb_step(const struct ursa_check *check, const struct ursa_lamb_step_args *args)
{
    bool ok = check_step(check, &args->param, &args->grad, &args->skip) &&
              check_state(check, "m", &args->m, &args->param, true) &&
              check_state(check, "v", &args->v, &args->param, true) &&
              check_state(check, "update", &args->update, &args->param, true);
    return ok ? ursa_array_count(&args->param) : -1;
}

/* ---- loss scaling --------------------------------------------------------------------- */

static bool check_scaling(const struct ursa_check *check, const ursa_array *scaling)
{
    return ursa_check_array(check, "scaling", scaling, URSA_OUTPUT) && URSA_CHECK_SHAPE(check, "scaling", scaling, 4);
}

int64_t ursa_check_unscale(const struct ursa_check *check, const struct ursa_unscale_args *args)
{
    bool ok = ursa_check_array(check, "grad", &args->grad, URSA_OUTPUT) && check_scaling(check, &args->scaling) &&
              ursa_check_apart(check, "grad", &args->grad, "scaling", &args->scaling, false);
    return ok ? ursa_array_count(&args->grad) : -1;
}

int64_t ursa_check_update_scale(const struct ursa_check *check, const struct ursa_update_scale_args *args)
{
    bool ok = check_scaling(check, &args->scaling) && ursa_check_number(check, "growth", args->growth, 1, INFINITY) &&
              ursa_check_number(check, "backoff", args->backoff, 0, 1) &&
              ursa_check_number(check, "interval", args->interval, 1, INT32_MAX);
    return ok ? 1 : -1;
}
