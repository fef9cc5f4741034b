/* binary.c — elementwise functions of two tensors, with broadcasting and promotion. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

/* ---- running one ----------------------------------------------------------------------------- */

/* Both operands, promoted to one type. */
struct pair {
    ursa_tensor *x, *y;
    ursa_dims shape;
};

static ursa_dtype promoted(const ursa_tensor *x, const ursa_tensor *y, bool only_float, bool only_number)
{
    ursa_dtype dtype = ursa_promote_types(x->array.dtype, y->array.dtype);
    if (only_float && !ursa_dtype_is_float(dtype))
        return URSA_F32;
    return only_number && dtype == URSA_BOOL ? URSA_I32 : dtype;
}

/* Casts of operands go to the current scope. */
static bool pair_up(const char *name, ursa_tensor *x, ursa_tensor *y, ursa_dtype dtype, struct pair *pair)
{
    if (!ursa_same_device(name, x, y, "y") ||
        !ursa_broadcast(name, ursa_array_dims(&x->array), ursa_array_dims(&y->array), &pair->shape))
        return false;
    pair->x = ursa_typed(x, dtype);
    pair->y = ursa_typed(y, dtype);
    return pair->x && pair->y;
}

static ursa_tensor *run(ursa_binary_kind kind, const struct pair *pair, ursa_dtype result)
{
    ursa_device *device = ursa_device_of(pair->x);
    ursa_tensor *out = ursa_tensor_new(device, result, pair->shape);
    if (!out)
        return NULL;
    struct ursa_binary_args args = {.kind = kind,
                                    .x = ursa_stretch(&pair->x->array, &pair->shape),
                                    .y = ursa_stretch(&pair->y->array, &pair->shape),
                                    .out = out->array};
    return ursa_op_binary(device, &args) ? out : NULL;
}

/* ---- gradients ----------------------------------------------------------------------------------- */

static bool add_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    for (int i = 0; i < 2; i++)
        dx[i] = ursa_node_wants(node, i) ? dz : NULL;
    return true;
}

static bool sub_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    if (ursa_node_wants(node, 0))
        dx[0] = dz;
    if (ursa_node_wants(node, 1))
        dx[1] = ursa_neg(ursa_sum_to(dz, ursa_node_shape(node, 1), dz->array.dtype));
    return dx[1] || !ursa_node_wants(node, 1);
}

/* Whether all that were wanted have come out. */
static bool all_there(const ursa_node *node, ursa_tensor *const *dx)
{
    return (dx[0] || !ursa_node_wants(node, 0)) && (dx[1] || !ursa_node_wants(node, 1));
}

/* Saved: 0 x, 1 y — each where the other's gradient is wanted. */
static bool mul_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    if (ursa_node_wants(node, 0))
        dx[0] = ursa_mul(dz, ursa_node_saved(node, 1));
    if (ursa_node_wants(node, 1))
        dx[1] = ursa_mul(dz, ursa_node_saved(node, 0));
    return all_there(node, dx);
}

/* Saved: 1 y, 2 z where dy is wanted: d(x/y)/dy = -z/y. */
static bool div_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    ursa_tensor *ratio = ursa_div(dz, ursa_node_saved(node, 1));
    if (ursa_node_wants(node, 0))
        dx[0] = ratio;
    if (ursa_node_wants(node, 1))
        dx[1] = ursa_neg(ursa_mul(ratio, ursa_node_saved(node, 2)));
    return all_there(node, dx);
}

/* dz where `mask`, half of it where x and y are equal. */
static ursa_tensor *share(ursa_tensor *dz, ursa_tensor *mask, ursa_tensor *equal)
{
    ursa_tensor *half = ursa_mul_scalar(dz, 0.5);
    return ursa_where(mask, dz, ursa_where(equal, half, ursa_scalar_like(dz, 0)));
}

static bool extreme_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx, bool max)
{
    ursa_tensor *x = ursa_node_saved(node, 0), *y = ursa_node_saved(node, 1), *equal = ursa_eq(x, y);
    if (ursa_node_wants(node, 0))
        dx[0] = share(dz, max ? ursa_gt(x, y) : ursa_lt(x, y), equal);
    if (ursa_node_wants(node, 1))
        dx[1] = share(dz, max ? ursa_lt(x, y) : ursa_gt(x, y), equal);
    return all_there(node, dx);
}

static bool max_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    return extreme_step(node, dz, dx, true);
}

static bool min_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    return extreme_step(node, dz, dx, false);
}

/* dx = y x^(y-1), 0 where y is 0; dy = z log x, 0 where x is 0 and z is too. */
static bool pow_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    ursa_tensor *x = ursa_node_saved(node, 0), *y = ursa_node_saved(node, 1);
    ursa_tensor *zero = ursa_scalar_like(dz, 0);
    if (ursa_node_wants(node, 0)) {
        ursa_tensor *slope = ursa_mul(y, ursa_pow(x, ursa_add_scalar(y, -1)));
        dx[0] = ursa_mul(dz, ursa_where(ursa_eq(y, zero), zero, slope));
    }
    if (ursa_node_wants(node, 1)) {
        ursa_tensor *z = ursa_node_saved(node, 2);
        dx[1] = ursa_mul(dz, ursa_where(ursa_eq(z, zero), zero, ursa_mul(z, ursa_log(x))));
    }
    return all_there(node, dx);
}

/* The angle of (y, x), where y is the first operand. */
static bool atan2_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    ursa_tensor *y = ursa_node_saved(node, 0), *x = ursa_node_saved(node, 1);
    ursa_tensor *scaled = ursa_div(dz, ursa_add(ursa_square(x), ursa_square(y)));
    if (ursa_node_wants(node, 0))
        dx[0] = ursa_mul(scaled, x);
    if (ursa_node_wants(node, 1))
        dx[1] = ursa_neg(ursa_mul(scaled, y));
    return all_there(node, dx);
}

/* ---- arithmetic ------------------------------------------------------------------------------------- */

/* Which arrays a step needs: X and Y always, or each only where the gradient
 * of the other is wanted; Z where that of y is. */
enum saves { SAVE_NONE = 0, SAVE_X = 1, SAVE_Y = 2, SAVE_OTHER = 4, SAVE_Z = 8 };

static void save(ursa_node *node, const struct pair *pair, const ursa_tensor *z, int saves)
{
    bool wants_x = ursa_node_wants(node, 0), wants_y = ursa_node_wants(node, 1);
    if ((saves & SAVE_X) || ((saves & SAVE_OTHER) && wants_y))
        ursa_node_save(node, 0, pair->x);
    if ((saves & SAVE_Y) || ((saves & SAVE_OTHER) && wants_x))
        ursa_node_save(node, 1, pair->y);
    if ((saves & SAVE_Z) && wants_y)
        ursa_node_save(node, 2, z);
}

static ursa_tensor *arithmetic(const char *name, ursa_binary_kind kind, ursa_backward_step *step, int saves,
                               bool only_float, ursa_tensor *x, ursa_tensor *y)
{
    if (!x || !y)
        return NULL;
    ursa_dtype dtype = promoted(x, y, only_float, true);
    bool casts = x->array.dtype != dtype || y->array.dtype != dtype;
    ursa_scope *scope = casts ? ursa_scope_begin() : NULL;
    struct pair pair;
    ursa_tensor *z = pair_up(name, x, y, dtype, &pair) ? run(kind, &pair, dtype) : NULL;
    ursa_node *node = z ? URSA_RECORD(name, step, 3, 0, x, y) : NULL;
    if (node)
        save(node, &pair, z, saves);
    ursa_node_attach(node, z);
    return scope ? ursa_leave(scope, z) : z;
}

ursa_tensor *ursa_add(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("add", URSA_BINARY_add, add_step, SAVE_NONE, false, x, y);
}

ursa_tensor *ursa_sub(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("sub", URSA_BINARY_sub, sub_step, SAVE_NONE, false, x, y);
}

ursa_tensor *ursa_mul(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("mul", URSA_BINARY_mul, mul_step, SAVE_OTHER, false, x, y);
}

ursa_tensor *ursa_div(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("div", URSA_BINARY_div, div_step, SAVE_Y | SAVE_Z, false, x, y);
}

ursa_tensor *ursa_maximum(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("maximum", URSA_BINARY_max, max_step, SAVE_X | SAVE_Y, false, x, y);
}

ursa_tensor *ursa_minimum(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("minimum", URSA_BINARY_min, min_step, SAVE_X | SAVE_Y, false, x, y);
}

ursa_tensor *ursa_pow(ursa_tensor *x, ursa_tensor *y)
{
    return arithmetic("pow", URSA_BINARY_pow, pow_step, SAVE_X | SAVE_Y | SAVE_Z, true, x, y);
}

ursa_tensor *ursa_atan2(ursa_tensor *y, ursa_tensor *x)
{
    return arithmetic("atan2", URSA_BINARY_atan2, atan2_step, SAVE_X | SAVE_Y, true, y, x);
}

/* ---- comparisons and logic --------------------------------------------------------------------------- */

static ursa_tensor *compare(const char *name, ursa_binary_kind kind, bool logical, ursa_tensor *x, ursa_tensor *y)
{
    if (!x || !y)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    struct pair pair;
    ursa_dtype dtype = logical ? URSA_BOOL : promoted(x, y, false, false);
    ursa_tensor *out = pair_up(name, x, y, dtype, &pair) ? run(kind, &pair, URSA_BOOL) : NULL;
    return ursa_leave(scope, out);
}

#define COMPARISON(name, kind, logical)                                                                                \
    ursa_tensor *ursa_##name(ursa_tensor *x, ursa_tensor *y)                                                           \
    {                                                                                                                  \
        return compare(#name, URSA_BINARY_##kind, logical, x, y);                                                      \
    }
COMPARISON(eq, eq, false)
COMPARISON(ne, ne, false)
COMPARISON(lt, lt, false)
COMPARISON(le, le, false)
COMPARISON(gt, gt, false)
COMPARISON(ge, ge, false)
COMPARISON(logical_and, and, true)
COMPARISON(logical_or, or, true)
COMPARISON(logical_xor, xor, true)

/* ---- where ---------------------------------------------------------------------------------------------- */

static bool where_step(const ursa_node *node, ursa_tensor *dz, ursa_tensor **dx)
{
    ursa_tensor *condition = ursa_node_saved(node, 0), *zero = ursa_scalar_like(dz, 0);
    if (ursa_node_wants(node, 0))
        dx[0] = ursa_where(condition, dz, zero);
    if (ursa_node_wants(node, 1))
        dx[1] = ursa_where(condition, zero, dz);
    return all_there(node, dx);
}

static ursa_tensor *choose(ursa_tensor *condition, const struct pair *pair)
{
    ursa_dims shape;
    ursa_device *device = ursa_device_of(condition);
    if (!ursa_broadcast("where", ursa_array_dims(&condition->array), pair->shape, &shape))
        return NULL;
    ursa_tensor *out = ursa_tensor_new(device, pair->x->array.dtype, shape);
    if (!out)
        return NULL;
    struct ursa_where_args args = {.condition = ursa_stretch(&condition->array, &shape),
                                   .x = ursa_stretch(&pair->x->array, &shape),
                                   .y = ursa_stretch(&pair->y->array, &shape),
                                   .out = out->array};
    return ursa_op_where(device, &args) ? out : NULL;
}

ursa_tensor *ursa_where(ursa_tensor *condition, ursa_tensor *x, ursa_tensor *y)
{
    if (!condition || !x || !y)
        return NULL;
    if (condition->array.dtype != URSA_BOOL) {
        ursa_fail(URSA_ERROR_TYPE, "where: condition is %s, expected bool", ursa_dtype_name(condition->array.dtype));
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    struct pair pair;
    bool paired = pair_up("where", x, y, promoted(x, y, false, false), &pair);
    ursa_tensor *out = paired ? choose(condition, &pair) : NULL;
    ursa_node *node = out ? URSA_RECORD("where", where_step, 1, 0, x, y) : NULL;
    ursa_node_save(node, 0, condition);
    return ursa_leave(scope, ursa_node_attach(node, out));
}
