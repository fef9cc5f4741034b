/* elementwise.c — trials of unary and binary functions, where and dropout. */
#include "trial.h"
#include <math.h>
#include <stdlib.h>

/* ---- unary --------------------------------------------------------------- */

/* Where a function is defined, and float does not overflow. */
static void domain_of(ursa_unary_kind kind, double *low, double *high)
{
    *low = -30, *high = 30;
    switch (kind) {
    case URSA_UNARY_sqrt:
        *low = 0, *high = 1000;
        break;
    case URSA_UNARY_log:
    case URSA_UNARY_log2:
    case URSA_UNARY_rsqrt:
    case URSA_UNARY_pow:
        *low = 1e-3, *high = 20;
        break;
    case URSA_UNARY_log1p:
        *low = -0.999, *high = 100;
        break;
    case URSA_UNARY_exp:
    case URSA_UNARY_expm1:
        *low = -80, *high = 80;
        break;
    case URSA_UNARY_sin:
    case URSA_UNARY_cos:
        *low = -100, *high = 100;
        break;
    case URSA_UNARY_asin:
    case URSA_UNARY_acos:
        *low = -0.999, *high = 0.999;
        break;
    case URSA_UNARY_erf:
    case URSA_UNARY_gelu:
    case URSA_UNARY_gelu_tanh:
    case URSA_UNARY_mish:
    case URSA_UNARY_sigmoid:
    case URSA_UNARY_hard_sigmoid:
    case URSA_UNARY_hard_swish:
    case URSA_UNARY_clamp:
        *low = -6, *high = 6;
        break;
    default:
        break;
    }
}

static bool jumps_at_three(ursa_unary_kind kind)
{
    return kind == URSA_UNARY_hard_sigmoid || kind == URSA_UNARY_hard_swish;
}

static void draw_unary_input(struct trial *t, struct operand *x, ursa_unary_kind kind, bool not_a_number)
{
    double low, high;
    domain_of(kind, &low, &high);
    if (draw_chance(t, 0.5) && low < -1) /* near zero, where most of the life is */
        low = -1, high = 1;
    for (int64_t i = 0; i < x->count; i++) {
        x->values[i] = draw_uniform(t, low, high);
        if (low < 0 && draw_chance(t, 0.05))
            x->values[i] = draw_chance(t, 0.5) ? 0.0 : draw_uniform(t, -1e-3, 1e-3);
        if (low < 0 && high > 10 && draw_chance(t, 0.1)) /* halves and whole numbers */
            x->values[i] = (double)draw_between(t, -5, 5) / 2;
        if (jumps_at_three(kind) && fabs(fabs(x->values[i]) - 3) < 0.05)
            x->values[i] = 1;
        if (not_a_number && draw_chance(t, 0.02))
            x->values[i] = NAN;
    }
}

static void draw_parameters(struct trial *t, ursa_unary_kind kind, float *a, float *b)
{
    static const float exponents[] = {2, 0.5f, -1, 3, 0, 1, 1.7f, -0.5f};
    *a = draw_float(t, -2, 2), *b = draw_float(t, -2, 2);
    if (kind == URSA_UNARY_pow)
        *a = exponents[draw_below(t, 8)];
    if (kind == URSA_UNARY_clamp) {
        *a = draw_chance(t, 0.2) ? -INFINITY : draw_float(t, -2, 0);
        *b = draw_chance(t, 0.2) ? INFINITY : draw_float(t, 0, 2);
    }
    if (kind == URSA_UNARY_softplus) /* powers of two, so that a x is exact and no branch flips */
        *a = (float)(1 << draw_below(t, 3)) / 2, *b = 20;
    note(t, "%s a %.9g b %.9g", unary_name(kind), (double)*a, (double)*b);
}

void draw_unary(struct trial *t, struct ursa_unary_args *args)
{
    args->kind = (ursa_unary_kind)(t->number % URSA_UNARY_COUNT);
    draw_parameters(t, args->kind, &args->a, &args->b);
    struct shape shape = draw_shape(t, 0, 5);
    ursa_dtype dtype = draw_float_type(t);
    bool in_place = draw_chance(t, 0.3);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, in_place ? STRIDED : BROADCAST);
    draw_unary_input(t, x, args->kind, draw_chance(t, 0.3));
    if ((args->kind == URSA_UNARY_is_finite || args->kind == URSA_UNARY_is_nan) && x->count > 0)
        x->values[draw_below(t, x->count)] = draw_chance(t, 0.5) ? INFINITY : -INFINITY;
    if (in_place)
        declare_same(t, &args->out, "out", x);
    else
        declare(t, &args->out, "out", OUTPUT, dtype, shape, STRIDED);
}

void bound_unary(struct trial *t, const struct ursa_unary_args *args)
{
    struct operand *out = operand_named(t, "out");
    const double *x = values_of(t, "x");
    double *tolerance = tolerance_of(t, "out");
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = unary_error(t, args->kind, x[i], out->expected[i], (double)args->a, (double)args->b);
}

/* ---- the gradient of unary ------------------------------------------------ */

void draw_unary_grad(struct trial *t, struct ursa_unary_grad_args *args)
{
    args->kind = (ursa_unary_kind)(t->number % URSA_UNARY_COUNT);
    draw_parameters(t, args->kind, &args->a, &args->b);
    struct shape shape = draw_shape(t, 0, 5);
    ursa_dtype dtype = draw_float_type(t);
    ursa_grad_needs needs = ursa_unary_needs(args->kind);
    if (needs == URSA_NEEDS_X || draw_chance(t, 0.2))
        draw_unary_input(t, declare(t, &args->x, "x", INPUT, dtype, shape, BROADCAST), args->kind, false);
    if (needs == URSA_NEEDS_Y || draw_chance(t, 0.2)) {
        struct operand *y = declare(t, &args->y, "y", INPUT, dtype, shape, BROADCAST);
        draw_unary_input(t, y, args->kind, false);
        for (int64_t i = 0; i < y->count; i++) {
            y->values[i] = reference64_function(args->kind, y->values[i], (double)args->a, (double)args->b);
            if (!(fabs(y->values[i]) < 1000)) /* room for its cube in every type */
                y->values[i] = 1;
            if (dtype == URSA_F16 && fabs(y->values[i]) > 16)
                y->values[i] = 16;
        }
    }
    struct operand *dy = declare(t, &args->dy, "dy", INPUT, dtype, shape, STRIDED);
    if (draw_chance(t, 0.3))
        declare_same(t, &args->dx, "dx", dy);
    else
        declare(t, &args->dx, "dx", OUTPUT, dtype, shape, STRIDED);
}

/* Relative to |dy|. Where the text says "cancels", float computes a difference
 * of numbers near 1, whose error is absolute. */
static double slope_error(const struct trial *t, ursa_unary_kind kind, double x, double y, double slope, double a)
{
    double size = fabs(slope), exp_u = t->libm_is_tight ? 2 : 6, division_u = t->libm_is_tight ? 1 : 5;
    double trig_u = t->libm_is_tight ? 2 : 8, sigmoid_u = exp_u + division_u + 1;
    switch (kind) {
    case URSA_UNARY_abs:
    case URSA_UNARY_clamp:
    case URSA_UNARY_relu:
    case URSA_UNARY_relu6:
    case URSA_UNARY_sign:
    case URSA_UNARY_floor:
    case URSA_UNARY_ceil:
    case URSA_UNARY_round:
    case URSA_UNARY_is_nan:
    case URSA_UNARY_is_finite:
    case URSA_UNARY_step:
        return 0;
    case URSA_UNARY_affine:
    case URSA_UNARY_square:
    case URSA_UNARY_leaky_relu:
    case URSA_UNARY_exp:
    case URSA_UNARY_expm1:
    case URSA_UNARY_reciprocal:
    case URSA_UNARY_tan:
    case URSA_UNARY_rsqrt:
        return 4 * U * size;
    case URSA_UNARY_sqrt:
    case URSA_UNARY_log:
    case URSA_UNARY_log1p:
    case URSA_UNARY_log2:
    case URSA_UNARY_atan:
        return (3 + division_u) * U * size;
    case URSA_UNARY_pow: { /* rounding a - 1 moves the power by |a - 1| |log x|; exp(p log x) likewise */
        double libm = t->libm_is_tight ? 2 : 32;
        return a == 0 ? 0 : (libm + 2 + fabs(a - 1) * fabs(log(x))) * U * size;
    }
    case URSA_UNARY_sin:
    case URSA_UNARY_cos:
    case URSA_UNARY_sinh:
    case URSA_UNARY_cosh:
        return (trig_u + 1) * U * size;
    case URSA_UNARY_asin:
    case URSA_UNARY_acos: /* 1 - x² cancels */
        return (4 + 2 * division_u + x * x / (1 - x * x)) * U * size;
    case URSA_UNARY_tanh: /* 1 - y² cancels */
        return U * (y * y + 2 * size);
    case URSA_UNARY_sigmoid:
        return 3 * U * size;
    case URSA_UNARY_erf: /* x² is rounded before exp */
        return (exp_u + 2 + x * x) * U * size;
    case URSA_UNARY_log_sigmoid:
    case URSA_UNARY_elu:
        return (sigmoid_u + 1) * U * size;
    case URSA_UNARY_softplus:
        return (sigmoid_u + 1 + fabs(a * x)) * U * size;
    case URSA_UNARY_gelu: { /* 1 + erf cancels; x² / 2 is rounded before exp */
        double density = exp(-x * x / 2) / sqrt(2 * M_PI), erf_u = t->libm_is_tight ? 2 : 32;
        return U * (erf_u / 2 + 3 + fabs(x) * density * (exp_u + 5 + x * x));
    }
    case URSA_UNARY_gelu_tanh: { /* 1 + tanh and 1 - tanh² cancel */
        double inner_slope = sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x), tanh_u = (t->libm_is_tight ? 2 : 10) + 2.5;
        return U * (tanh_u + 3 + fabs(x) / 2 * inner_slope * (2 * tanh_u + 6));
    }
    case URSA_UNARY_silu: /* 1 - σ cancels */
        return U * (sigmoid_u + 4) * (1 + fabs(x)) / (1 + exp(-x));
    case URSA_UNARY_mish: { /* 1 - t² cancels */
        double s = 1 / (1 + exp(-x)), tanh_u = 2 * exp_u + trig_u + 6;
        return U * (tanh_u + 2 * tanh_u * fabs(x) * s);
    }
    case URSA_UNARY_hard_sigmoid:
        return 2 * U * size;
    case URSA_UNARY_hard_swish:
        return 3 * U * (fabs(x) / 3 + 0.5);
    case URSA_UNARY_COUNT:
        break;
    }
    return 0;
}

void bound_unary_grad(struct trial *t, const struct ursa_unary_grad_args *args)
{
    struct operand *dx = operand_named(t, "dx");
    const double *x = values_of(t, "x"), *y = values_of(t, "y"), *dy = values_of(t, "dy");
    double *tolerance = tolerance_of(t, "dx"), a = (double)args->a, b = (double)args->b;
    for (int64_t i = 0; i < dx->count; i++) {
        double at = x ? x[i] : 0, value = y ? y[i] : 0, slope = reference64_slope(args->kind, at, value, a, b);
        tolerance[i] = fabs(dy[i]) * (slope_error(t, args->kind, at, value, slope, a) + U * fabs(slope));
    }
}

/* ---- binary -------------------------------------------------------------- */

enum operands { NUMBERS, FLOATS, ANYTHING, TRUTHS };

static enum operands operands_of(ursa_binary_kind kind)
{
    switch (kind) {
    case URSA_BINARY_pow:
    case URSA_BINARY_atan2:
    case URSA_BINARY_lincomb:
        return FLOATS;
    case URSA_BINARY_and:
    case URSA_BINARY_or:
    case URSA_BINARY_xor:
        return TRUTHS;
    case URSA_BINARY_eq:
    case URSA_BINARY_ne:
    case URSA_BINARY_lt:
    case URSA_BINARY_le:
    case URSA_BINARY_gt:
    case URSA_BINARY_ge:
        return ANYTHING;
    default:
        return NUMBERS;
    }
}

static bool gives_bool(ursa_binary_kind kind)
{
    return operands_of(kind) == ANYTHING;
}

static ursa_dtype draw_operand_type(struct trial *t, enum operands operands)
{
    static const ursa_dtype numbers[] = {URSA_F32, URSA_F16, URSA_BF16, URSA_F32, URSA_I32, URSA_I64, URSA_U8};
    switch (operands) {
    case NUMBERS:
        return numbers[draw_below(t, 7)];
    case FLOATS:
        return draw_float_type(t);
    case TRUTHS:
        return URSA_BOOL;
    default:
        return draw_any_type(t);
    }
}

static void draw_binary_input(struct trial *t, struct operand *o, ursa_binary_kind kind, bool first)
{
    static const int64_t extreme[] = {INT32_MIN, INT32_MAX, 0, -1, 1, INT32_MIN + 1};
    bool special = draw_chance(t, 0.3) && kind != URSA_BINARY_pow && kind != URSA_BINARY_lincomb;
    for (int64_t i = 0; i < o->count; i++) {
        if (o->integers && (o->array.dtype == URSA_I32 || o->array.dtype == URSA_I64)) {
            o->integers[i] = draw_between(t, -50, 50);
            if (draw_chance(t, 0.05))
                o->integers[i] = extreme[draw_below(t, 6)];
            if (o->array.dtype == URSA_I64 && draw_chance(t, 0.05))
                o->integers[i] = (int64_t)((uint64_t)draw_bits(t) << 32 | draw_bits(t));
        }
        if (!o->values)
            continue;
        o->values[i] = draw_chance(t, 0.5) ? (double)draw_between(t, -3, 3) : draw_uniform(t, -8, 8);
        if (kind == URSA_BINARY_pow)
            o->values[i] = first ? draw_uniform(t, 0.1, 4) : draw_uniform(t, -4, 4);
        if (special && draw_chance(t, 0.05))
            o->values[i] = draw_chance(t, 0.5) ? NAN : INFINITY;
    }
}

void draw_binary(struct trial *t, struct ursa_binary_args *args)
{
    static const char *const names[] = {
#define URSA_BINARY(name, result, types, text) #name,
#include "device/binary.def"
#undef URSA_BINARY
    };
    args->kind = (ursa_binary_kind)(t->number % URSA_BINARY_COUNT);
    args->a = draw_float(t, -2, 2), args->b = draw_float(t, -2, 2);
    note(t, "%s a %.9g b %.9g", names[args->kind], (double)args->a, (double)args->b);
    struct shape shape = draw_shape(t, 0, 5);
    ursa_dtype dtype = draw_operand_type(t, operands_of(args->kind));
    bool same_type = !gives_bool(args->kind) || dtype == URSA_BOOL;
    int in_place = same_type && draw_chance(t, 0.3) ? (int)draw_between(t, 1, 2) : 0;
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, in_place == 1 ? STRIDED : BROADCAST);
    struct operand *y = declare(t, &args->y, "y", INPUT, dtype, shape, in_place == 2 ? STRIDED : BROADCAST);
    draw_binary_input(t, x, args->kind, true);
    draw_binary_input(t, y, args->kind, false);
    if (in_place)
        declare_same(t, &args->out, "out", in_place == 1 ? x : y);
    else
        declare(t, &args->out, "out", OUTPUT, same_type ? dtype : URSA_BOOL, shape, STRIDED);
}

/* A single operation of IEEE arithmetic is exact but for its rounding. */
void bound_binary(struct trial *t, const struct ursa_binary_args *args)
{
    struct operand *out = operand_named(t, "out");
    const double *x = values_of(t, "x"), *y = values_of(t, "y");
    double relative = args->kind == URSA_BINARY_pow     ? (t->libm_is_tight ? 2 : 32)
                      : args->kind == URSA_BINARY_atan2 ? (t->libm_is_tight ? 2 : 12)
                      : args->kind == URSA_BINARY_div   ? (t->libm_is_tight ? 0 : 5)
                                                        : 0;
    if (!x || !out->expected || (relative == 0 && args->kind != URSA_BINARY_lincomb))
        return;
    double *tolerance = tolerance_of(t, "out");
    for (int64_t i = 0; i < out->count; i++) {
        tolerance[i] = isfinite(out->expected[i]) ? relative * U * fabs(out->expected[i]) : 0;
        if (args->kind == URSA_BINARY_lincomb)
            tolerance[i] = 2 * U * (fabs((double)args->a * x[i]) + fabs((double)args->b * y[i]));
    }
}

/* ---- where and dropout ---------------------------------------------------- */

void draw_where(struct trial *t, struct ursa_where_args *args)
{
    struct shape shape = draw_shape(t, 0, 5);
    ursa_dtype dtype = draw_any_type(t);
    int in_place = draw_chance(t, 0.3) ? (int)draw_between(t, 1, 2) : 0;
    declare(t, &args->condition, "condition", INPUT, URSA_BOOL, shape, BROADCAST);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, in_place == 1 ? STRIDED : BROADCAST);
    struct operand *y = declare(t, &args->y, "y", INPUT, dtype, shape, in_place == 2 ? STRIDED : BROADCAST);
    if (x->values && x->count > 0)
        x->values[draw_below(t, x->count)] = NAN;
    if (in_place)
        declare_same(t, &args->out, "out", in_place == 1 ? x : y);
    else
        declare(t, &args->out, "out", OUTPUT, dtype, shape, STRIDED);
}

void bound_where(struct trial *t, const struct ursa_where_args *args)
{
    (void)t, (void)args;
}

void draw_dropout(struct trial *t, struct ursa_dropout_args *args)
{
    static const float chances[] = {0.5f, 0, 0.1f, 0.9f, 0.25f};
    args->p = chances[draw_below(t, 5)];
    args->key = (uint64_t)draw_bits(t) << 32 | draw_bits(t);
    args->counter = draw_chance(t, 0.2) ? 0xFFFFFFFEu : draw_bits(t);
    note(t, "p %g key %llu counter %llu", (double)args->p, (unsigned long long)args->key,
         (unsigned long long)args->counter);
    struct shape shape = draw_shape(t, 1, 4);
    ursa_dtype dtype = draw_float_type(t);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.3))
        declare_same(t, &args->out, "out", x);
    else
        declare(t, &args->out, "out", OUTPUT, dtype, shape, CONTIGUOUS);
}

/* 1 - p, the division (or 1 / (1 - p) and a product); what is dropped is 0. */
void bound_dropout(struct trial *t, const struct ursa_dropout_args *args)
{
    (void)args;
    struct operand *out = operand_named(t, "out");
    double *tolerance = tolerance_of(t, "out");
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = (t->libm_is_tight ? 3 : 7) * U * fabs(out->expected[i]);
}
