/* product.c — matrix products. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* ---- the batched product ----------------------------------------------------------------------- */

static bool is_matrix_layout(const ursa_array *x)
{
    const int64_t *shape = x->shape + x->ndim - 2, *stride = x->stride + x->ndim - 2;
    return stride[0] == 1 || stride[1] == 1 || shape[0] <= 1 || shape[1] <= 1;
}

/* Joins the leading axes of [..., M, K] into one. False when no single stride
 * walks through them. */
static bool join_batch(const ursa_array *x, ursa_array *out)
{
    int leading = x->ndim - 2;
    int64_t count = 1, stride = 0;
    bool first = true;
    for (int i = leading - 1; i >= 0; i--) {
        if (x->shape[i] == 1)
            continue;
        if (first)
            stride = x->stride[i];
        else if (x->stride[i] != count * stride)
            return false;
        first = false;
        count *= x->shape[i];
    }
    *out = *x;
    out->ndim = 3;
    out->shape[0] = count;
    out->stride[0] = stride;
    for (int i = 0; i < 2; i++) {
        out->shape[1 + i] = x->shape[leading + i];
        out->stride[1 + i] = x->stride[leading + i];
    }
    return true;
}

/* [..., M, K] with its leading axes stretched to `shape`, as gemm takes it. */
static bool as_batch(ursa_tensor *x, const ursa_dims *shape, ursa_array *out)
{
    if (!is_matrix_layout(&x->array) && !(x = ursa_dense(x)))
        return false;
    ursa_array stretched = ursa_stretch(&x->array, shape);
    if (join_batch(&stretched, out))
        return true;
    ursa_tensor *copy = ursa_dense(ursa_tensor_of(&stretched));
    return copy && join_batch(&copy->array, out);
}

/* x [..., M, K] times y [..., K, N] as `dtype`, both of rank 2 or more and of
 * types that gemm takes together, unrecorded. Temporaries go to the current
 * scope. */
static ursa_tensor *multiply(ursa_tensor *x, ursa_tensor *y, ursa_dtype dtype)
{
    if (!x || !y)
        return NULL;
    ursa_dims a = ursa_array_dims(&x->array), b = ursa_array_dims(&y->array), batch, out_shape;
    int64_t m = a.dim[a.ndim - 2], k = a.dim[a.ndim - 1], n = b.dim[b.ndim - 1];
    a.ndim -= 2;
    b.ndim -= 2;
    if (!ursa_broadcast("matmul", a, b, &batch))
        return NULL;
    ursa_dims x_shape = batch, y_shape = batch;
    out_shape = batch;
    x_shape.ndim = y_shape.ndim = out_shape.ndim = batch.ndim + 2;
    x_shape.dim[batch.ndim] = out_shape.dim[batch.ndim] = m;
    x_shape.dim[batch.ndim + 1] = y_shape.dim[batch.ndim] = k;
    y_shape.dim[batch.ndim + 1] = out_shape.dim[batch.ndim + 1] = n;
    struct ursa_gemm_args args = {.alpha = 1};
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(x), dtype, out_shape);
    if (!out || !as_batch(x, &x_shape, &args.x) || !as_batch(y, &y_shape, &args.y) ||
        !join_batch(&out->array, &args.out))
        return NULL;
    args.out.stride[0] = m * n;
    return ursa_op_gemm(ursa_device_of(x), &args) ? out : NULL;
}

/* ---- matmul ------------------------------------------------------------------------------------------ */

/* Saved: 0 x, 1 y — each where the other's gradient is wanted. */
static bool matmul_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    if (ursa_node_wants(node, 0))
        dx[0] = multiply(dz, ursa_transpose(ursa_node_saved(node, 1), -1, -2), ursa_node_type(node, 0, dz));
    if (ursa_node_wants(node, 1))
        dx[1] = multiply(ursa_transpose(ursa_node_saved(node, 0), -1, -2), dz, ursa_node_type(node, 1, dz));
    return (dx[0] || !ursa_node_wants(node, 0)) && (dx[1] || !ursa_node_wants(node, 1));
}

/* The half type where there is one; f32 where there are two. */
static ursa_dtype product_type(const ursa_tensor *x, const ursa_tensor *y)
{
    if (ursa_holds_halves(x) && ursa_holds_halves(y) && x->array.dtype != y->array.dtype)
        return URSA_F32;
    return ursa_half_type(&x->array, &y->array, NULL);
}

static ursa_tensor *product(ursa_tensor *x, ursa_tensor *y)
{
    ursa_dtype dtype = product_type(x, y);
    ursa_tensor *a = ursa_factor(x, dtype), *b = ursa_factor(y, dtype);
    ursa_tensor *out = multiply(a, b, dtype);
    ursa_node *node = out ? URSA_RECORD("matmul", matmul_step, 2, 0, x, y) : NULL;
    if (node && ursa_node_wants(node, 1))
        ursa_node_save(node, 0, a);
    if (node && ursa_node_wants(node, 0))
        ursa_node_save(node, 1, b);
    return ursa_node_attach(node, out);
}

/* A product with one matrix on the right for the whole batch is one product of
 * a taller matrix. */
static ursa_tensor *fold(ursa_tensor *x, ursa_tensor *y)
{
    ursa_dims shape = ursa_array_dims(&x->array);
    if (y->array.ndim != 2 || shape.ndim <= 2 || !ursa_is_contiguous(x) || ursa_count(x) == 0)
        return product(x, y);
    ursa_tensor *out = product(ursa_flatten(x, 0, -2), y);
    shape.dim[shape.ndim - 1] = y->array.shape[1];
    return ursa_reshape(out, shape);
}

static bool check_product(const ursa_tensor *x, const ursa_tensor *y)
{
    const ursa_array *a = &x->array, *b = &y->array;
    if (!ursa_same_device("matmul", x, y, "y"))
        return false;
    if (a->ndim == 0 || b->ndim == 0)
        return ursa_fail(URSA_ERROR_SHAPE, "matmul: %s is a scalar, expected a vector or a matrix",
                         a->ndim == 0 ? "x" : "y");
    int64_t columns = a->shape[a->ndim - 1], rows = b->shape[b->ndim == 1 ? 0 : b->ndim - 2];
    return columns == rows ||
           ursa_fail(URSA_ERROR_SHAPE, "matmul: x %s has %" PRId64 " columns, y %s has %" PRId64 " rows",
                     ursa_shape_text(a->ndim, a->shape).text, columns, ursa_shape_text(b->ndim, b->shape).text, rows);
}

ursa_tensor *ursa_matmul(ursa_tensor *x, ursa_tensor *y)
{
    if (!x || !y || !check_product(x, y))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    bool row = x->array.ndim == 1, column = y->array.ndim == 1;
    ursa_tensor *out = fold(row ? ursa_unsqueeze(x, 0) : x, column ? ursa_unsqueeze(y, 1) : y);
    if (row && out)
        out = ursa_squeeze(out, -2);
    if (column && out)
        out = ursa_squeeze(out, -1);
    return ursa_leave(scope, out);
}

/* ---- linear -------------------------------------------------------------------------------------------- */

/* All axes but the last as one. */
static ursa_tensor *as_rows(ursa_tensor *x)
{
    return x ? ursa_reshape(
                   x,
                   ursa_shape(x->array.shape[x->array.ndim - 1] ? ursa_count(x) / x->array.shape[x->array.ndim - 1] : 0,
                              x->array.shape[x->array.ndim - 1]))
             : NULL;
}

/* Saved: 0 x as rows, where dw is wanted; 1 w where dx is. */
static bool linear_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    bool wants_x = ursa_node_wants(node, 0), wants_w = ursa_node_wants(node, 1), wants_bias = ursa_node_wants(node, 2);
    dy = as_rows(dy);
    if (wants_bias)
        dx[2] = ursa_sum_to(dy, ursa_node_shape(node, 2), URSA_F32);
    if (wants_w && dy)
        dx[1] = multiply(ursa_transpose(dy, 0, 1), ursa_node_saved(node, 0), ursa_node_type(node, 1, dy));
    if (wants_x && dy)
        dx[0] = ursa_reshape(multiply(dy, ursa_node_saved(node, 1), dy->array.dtype), ursa_node_shape(node, 0));
    return (dx[0] || !wants_x) && (dx[1] || !wants_w) && (dx[2] || !wants_bias);
}

static bool check_linear(const ursa_tensor *x, const ursa_tensor *w, const ursa_tensor *bias)
{
    const ursa_array *a = &x->array, *b = &w->array;
    if (!ursa_same_device("linear", x, w, "w") || (bias && !ursa_same_device("linear", x, bias, "bias")))
        return false;
    if (a->ndim < 1 || b->ndim != 2 || a->shape[a->ndim - 1] != b->shape[1])
        return ursa_fail(URSA_ERROR_SHAPE, "linear: w is %s, expected [outputs, inputs] for x, which is %s",
                         ursa_shape_text(b->ndim, b->shape).text, ursa_shape_text(a->ndim, a->shape).text);
    if (bias && (bias->array.ndim != 1 || bias->array.shape[0] != b->shape[0]))
        return ursa_fail(URSA_ERROR_SHAPE, "linear: bias is %s, expected [%" PRId64 "] as w, which is %s",
                         ursa_shape_text(bias->array.ndim, bias->array.shape).text, b->shape[0],
                         ursa_shape_text(2, b->shape).text);
    return true;
}

static ursa_tensor *linear(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    ursa_dims shape = ursa_array_dims(&x->array);
    shape.dim[shape.ndim - 1] = w->array.shape[0];
    ursa_no_grad_begin();
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *rows = as_rows(ursa_typed(x, dtype)), *matrix = ursa_factor(w, dtype);
    ursa_tensor *turned = ursa_transpose(matrix, 0, 1), *added = ursa_dense_typed(bias, URSA_F32);
    ursa_no_grad_end();
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(x), dtype, shape);
    if (!rows || !turned || !out || (bias && !added))
        return NULL;
    ursa_dims x_shape = ursa_dims_of(rows), w_shape = ursa_dims_of(turned);
    struct ursa_gemm_args args = {.alpha = 1, .out = out->array};
    if (!as_batch(rows, &x_shape, &args.x) || !as_batch(turned, &w_shape, &args.y))
        return NULL;
    args.out.ndim = 3;
    args.out.shape[0] = 1;
    args.out.shape[1] = args.x.shape[1];
    args.out.shape[2] = args.out.stride[1] = args.y.shape[2];
    args.out.stride[0] = args.out.shape[1] * args.out.shape[2];
    args.out.stride[2] = 1;
    if (added)
        args.bias = added->array;
    if (!ursa_op_gemm(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD("linear", linear_step, 2, 0, x, w, bias);
    if (node && ursa_node_wants(node, 1))
        ursa_node_save(node, 0, rows);
    if (node && ursa_node_wants(node, 0))
        ursa_node_save(node, 1, matrix);
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_linear(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    if (!x || !w || !check_linear(x, w, bias))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, linear(x, w, bias));
}
