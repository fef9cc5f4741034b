/* check_index.c — arguments of indexing, padding and resampling. */
#include "check.h"
#include "base/error.h"
#include <inttypes.h>

/* That `part`, picked from `whole` along an axis by `index`, has the shape it
 * must have. */
static bool check_picked(const struct ursa_check *check, const char *name, const ursa_array *part,
                         const ursa_array *whole, const ursa_array *index, int axis, bool along)
{
    ursa_array expected = *whole;
    if (along) {
        if (!ursa_check_rank(check, "index", index, whole->ndim))
            return false;
        expected.shape[axis] = index->shape[axis];
        return ursa_check_same_shape(check, "index", index, &expected) &&
               ursa_check_same_shape(check, name, part, &expected);
    }
    expected.ndim = whole->ndim - 1 + index->ndim;
    if (expected.ndim > URSA_MAX_DIMS)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: an index of %d dimensions into %s gives more than %d", check->op,
                         index->ndim, ursa_shape_text(whole->ndim, whole->shape).text, URSA_MAX_DIMS);
    for (int i = 0; i < index->ndim; i++)
        expected.shape[axis + i] = index->shape[i];
    for (int i = axis + 1; i < whole->ndim; i++)
        expected.shape[i - 1 + index->ndim] = whole->shape[i];
    return ursa_check_same_shape(check, name, part, &expected);
}

int64_t ursa_check_gather(const struct ursa_check *check, const struct ursa_gather_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) &&
              ursa_check_array(check, "index", &args->index, URSA_ONLY_I64) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) && ursa_check_axis(check, &args->x, args->axis) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              check_picked(check, "out", &args->out, &args->x, &args->index, args->axis, args->along) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false) &&
              ursa_check_apart(check, "out", &args->out, "index", &args->index, false);
    if (!ok)
        return -1;
    int64_t count = ursa_array_count(&args->out);
    if (count && args->x.shape[args->axis] == 0) {
        ursa_fail(URSA_ERROR_SHAPE, "gather: x is %s, expected an element along axis %d",
                  ursa_shape_text(args->x.ndim, args->x.shape).text, args->axis);
        return -1;
    }
    return count;
}

int64_t ursa_check_scatter_add(const struct ursa_check *check, const struct ursa_scatter_add_args *args)
{
    bool ok =
        ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "index", &args->index, URSA_ONLY_I64) &&
        ursa_check_array(check, "out", &args->out, URSA_OUTPUT) && ursa_check_axis(check, &args->out, args->axis) &&
        ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
        check_picked(check, "x", &args->x, &args->out, &args->index, args->axis, args->along) &&
        ursa_check_apart(check, "out", &args->out, "x", &args->x, false) &&
        ursa_check_apart(check, "out", &args->out, "index", &args->index, false);
    if (!ok)
        return -1;
    int64_t count = ursa_array_count(&args->x);
    if (count && args->out.shape[args->axis] == 0) {
        ursa_fail(URSA_ERROR_SHAPE, "scatter_add: out is %s, expected an element along axis %d",
                  ursa_shape_text(args->out.ndim, args->out.shape).text, args->axis);
        return -1;
    }
    return count;
}

/* ---- padding ------------------------------------------------------------------------ */

/* That `outer` is `inner` with borders; `before` may not reach beyond what the
 * kind can fill. */
static bool check_borders(const struct ursa_check *check, ursa_pad_kind kind, const ursa_array *inner,
                          const char *outer_name, const ursa_array *outer, const int64_t *before)
{
    if (!ursa_check_rank(check, outer_name, outer, inner->ndim))
        return false;
    for (int i = 0; i < inner->ndim; i++) {
        int64_t extent = inner->shape[i], after = outer->shape[i] - extent - before[i];
        if (before[i] < 0 || after < 0)
            return ursa_fail(URSA_ERROR_SHAPE,
                             "%s: borders of %" PRId64 " and %" PRId64 " on axis %d, expected 0 or more", check->op,
                             before[i], after, i);
        int64_t limit = kind == URSA_PAD_REFLECT ? extent - 1 : extent ? INT64_MAX : 0;
        if (kind != URSA_PAD_CONSTANT && outer->shape[i] != extent && (before[i] > limit || after > limit))
            return ursa_fail(URSA_ERROR_SHAPE,
                             "%s: borders of %" PRId64 " and %" PRId64 " on axis %d of %" PRId64
                             " elements, expected at most %" PRId64,
                             check->op, before[i], after, i, extent, limit < 0 ? 0 : limit);
    }
    return true;
}

int64_t ursa_check_pad(const struct ursa_check *check, const struct ursa_pad_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              check_borders(check, args->kind, &args->x, "out", &args->out, args->before) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_pad_grad(const struct ursa_check *check, const struct ursa_pad_grad_args *args)
{
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              ursa_check_same_type(check, "dx", &args->dx, "dy", &args->dy) &&
              check_borders(check, args->kind, &args->dx, "dy", &args->dy, args->before) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, false);
    if (ok && args->kind == URSA_PAD_CONSTANT)
        ok = ursa_fail(URSA_ERROR_ARGUMENT, "pad_grad: the gradient of constant borders is a slice");
    return ok ? ursa_array_count(&args->dx) : -1;
}

/* ---- resampling ------------------------------------------------------------------------ */

/* Images of any two sizes with the same batch and channels. */
static bool check_images(const struct ursa_check *check, const char *small_name, const ursa_array *source,
                         const char *result_name, const ursa_array *result)
{
    if (!ursa_check_rank(check, small_name, source, 4) || !ursa_check_rank(check, result_name, result, 4))
        return false;
    if (source->shape[0] != result->shape[0] || source->shape[3] != result->shape[3])
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected [%" PRId64 ", …, %" PRId64 "] as %s", check->op,
                         result_name, ursa_shape_text(4, result->shape).text, source->shape[0], source->shape[3],
                         small_name);
    bool empty = source->shape[1] == 0 || source->shape[2] == 0;
    if (empty && ursa_array_count(result) > 0)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected at least one pixel", check->op, small_name,
                         ursa_shape_text(4, source->shape).text);
    return true;
}

int64_t ursa_check_resize(const struct ursa_check *check, const struct ursa_resize_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              check_images(check, "x", &args->x, "out", &args->out) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_resize_grad(const struct ursa_check *check, const struct ursa_resize_grad_args *args)
{
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              ursa_check_same_type(check, "dx", &args->dx, "dy", &args->dy) &&
              check_images(check, "dx", &args->dx, "dy", &args->dy) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, false);
    return ok ? ursa_array_count(&args->dx) : -1;
}

static bool check_grid(const struct ursa_check *check, ursa_resize_kind kind, const ursa_array *grid, const char *name,
                       const ursa_array *result)
{
    if (kind == URSA_RESIZE_BICUBIC)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: bicubic, expected nearest or bilinear", check->op);
    return URSA_CHECK_SHAPE(check, "grid", grid, result->shape[0], result->shape[1], result->shape[2], 2) &&
           ursa_check_apart(check, name, result, "grid", grid, false);
}

int64_t ursa_check_grid_sample(const struct ursa_check *check, const struct ursa_grid_sample_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) &&
              ursa_check_array(check, "grid", &args->grid, URSA_ONLY_F32) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              check_images(check, "x", &args->x, "out", &args->out) &&
              check_grid(check, args->kind, &args->grid, "out", &args->out) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_grid_sample_grad(const struct ursa_check *check, const struct ursa_grid_sample_grad_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) &&
              ursa_check_array(check, "grid", &args->grid, URSA_ONLY_F32) &&
              ursa_check_array(check, "dy", &args->dy, 0) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_array(check, "dgrid", &args->dgrid, URSA_ONLY_F32 | URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_same_type(check, "dy", &args->dy, "x", &args->x) &&
              ursa_check_same_type(check, "dx", &args->dx, "x", &args->x) &&
              check_images(check, "x", &args->x, "dy", &args->dy) &&
              check_grid(check, args->kind, &args->grid, "dy", &args->dy) &&
              ursa_check_same_shape(check, "dx", &args->dx, &args->x) &&
              ursa_check_same_shape(check, "dgrid", &args->dgrid, &args->grid);
    if (!ok)
        return -1;
    int64_t count = 0;
    if (ursa_is_present(&args->dx))
        count += ursa_array_count(&args->dx);
    if (ursa_is_present(&args->dgrid))
        count += ursa_array_count(&args->dgrid);
    return count;
}
