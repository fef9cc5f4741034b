/* functions.c — how exact functions of one element have to be.
 *
 * In units of U, half an ulp. A library function gives 1 ulp on the CPU
 * (SLEEF) and what table 7.4 of the OpenCL 1.2 specification allows elsewhere;
 * the formulas around them add one U per operation, and more where an operation
 * cancels: there the error is relative to what was cancelled.
 */
#include "trial.h"
#include <math.h>

const char *unary_name(ursa_unary_kind kind)
{
    static const char *const names[] = {
#define URSA_UNARY(name, needs, text) #name,
#include "device/unary.def"
#undef URSA_UNARY
    };
    return names[kind];
}

/* 2 U to an ulp. */
static double ulps(const struct trial *t, double opencl)
{
    return 2 * (t->libm_is_tight ? 1 : opencl);
}

double unary_error(const struct trial *t, ursa_unary_kind kind, double x, double y, double a, double b)
{
    double size = fabs(y), exp_u = ulps(t, 3), division_u = t->libm_is_tight ? 1 : 5;
    if (isinf(x) || isinf(y) || isnan(y))
        return 0;
    switch (kind) {
    case URSA_UNARY_abs:
    case URSA_UNARY_sign:
    case URSA_UNARY_floor:
    case URSA_UNARY_ceil:
    case URSA_UNARY_round:
    case URSA_UNARY_is_nan:
    case URSA_UNARY_is_finite:
    case URSA_UNARY_clamp:
    case URSA_UNARY_step:
    case URSA_UNARY_relu:
    case URSA_UNARY_relu6:
        return 0;
    case URSA_UNARY_affine:
        return 2 * U * (fabs(a * x) + fabs(b));
    case URSA_UNARY_reciprocal:
        return division_u * U * size;
    case URSA_UNARY_square:
    case URSA_UNARY_leaky_relu:
        return U * size;
    case URSA_UNARY_sqrt:
        return (t->libm_is_tight ? 1 : 6) * U * size;
    case URSA_UNARY_rsqrt: /* a square root and a division */
        return (t->libm_is_tight ? 3 : 8) * U * size;
    case URSA_UNARY_pow:
        return ulps(t, 16) * U * size;
    case URSA_UNARY_exp:
    case URSA_UNARY_expm1:
    case URSA_UNARY_log:
    case URSA_UNARY_log2:
        return ulps(t, 3) * U * size;
    case URSA_UNARY_log1p:
        return ulps(t, 2) * U * size;
    case URSA_UNARY_sin:
    case URSA_UNARY_cos:
    case URSA_UNARY_asin:
    case URSA_UNARY_acos:
    case URSA_UNARY_sinh:
    case URSA_UNARY_cosh:
        return ulps(t, 4) * U * size;
    case URSA_UNARY_tan:
    case URSA_UNARY_atan:
    case URSA_UNARY_tanh:
        return ulps(t, 5) * U * size;
    case URSA_UNARY_erf:
        return ulps(t, 16) * U * size;
    case URSA_UNARY_elu:
        return x > 0 ? 0 : (exp_u + 1) * U * size;
    case URSA_UNARY_sigmoid:
    case URSA_UNARY_silu: /* exp, 1 +, /; silu one product more */
        return (exp_u + division_u + 2) * U * size;
    case URSA_UNARY_log_sigmoid: /* min(x, 0) - log1p(exp(-|x|)): both terms of one sign */
        return (exp_u + ulps(t, 2) + 1) * U * size;
    case URSA_UNARY_softplus: { /* a x is rounded before exp, which multiplies that by |a x| */
        double z = fabs(a * x);
        return a * x > b ? 0 : (exp_u + ulps(t, 2) + division_u + 1 + z) * U * size;
    }
    case URSA_UNARY_mish: /* exp, log1p, tanh (their condition is below 1), x times */
        return (exp_u + ulps(t, 2) + ulps(t, 5) + division_u + 1) * U * size;
    case URSA_UNARY_gelu: /* x (1 + erf(x / √2)) / 2: 1 + erf cancels for x < 0 */
        return (ulps(t, 16) / 2 + 2) * U * fabs(x);
    case URSA_UNARY_gelu_tanh: /* likewise; the inner polynomial is off by 5 U, of which tanh passes on 0.45 */
        return (ulps(t, 5) / 2 + 2 + 0.45 * 5 / 2) * U * fabs(x);
    case URSA_UNARY_hard_sigmoid:
        return 3 * U * fmin(fabs(x) / 6 + 0.5, 1);
    case URSA_UNARY_hard_swish:
        return 4 * U * fabs(x);
    case URSA_UNARY_COUNT:
        break;
    }
    return 0;
}

/* No activation of unary.def that is used on sums is steeper than 1.13 (GELU). */
double activation_error(const struct trial *t, const ursa_activation *activation, double sum, double error, double y)
{
    if (!activation->used)
        return error;
    double steepest = activation->kind == URSA_UNARY_affine ? fmax(1, fabs((double)activation->a)) : 1.13;
    return steepest * error + unary_error(t, activation->kind, sum, y, (double)activation->a, (double)activation->b);
}
