/* unary_math.h — the functions of unary.def and their derivatives on one
 * vector. Formulas are chosen to neither overflow nor cancel where the result
 * is an ordinary number.
 */
#ifndef URSA_SIMD_UNARY_MATH_H
#define URSA_SIMD_UNARY_MATH_H

#include "vec.h"

#define SQRT_HALF     0.70710678118654752f
#define INV_SQRT_2PI  0.39894228040143268f
#define SQRT_2_BY_PI  0.79788456080286536f
#define TWO_BY_SQRTPI 1.12837916709551257f
#define INV_LN2       1.44269504088896341f
#define GELU_CUBIC    0.044715f

/* From here on Mish is the identity to the last bit. */
#define MISH_LINEAR 20.0f

#define FUNCTION(name) V_INLINE vf f_##name(V_UNUSED vf x, V_UNUSED vf a, V_UNUSED vf b)
#define GRADIENT(name) V_INLINE vf g_##name(V_UNUSED vf v, V_UNUSED vf a, V_UNUSED vf b)

V_INLINE vf one(void)
{
    return vf_set(1);
}

/* Φ, the normal distribution's. */
V_INLINE vf normal_cdf(vf x)
{
    return vf_mul(vf_set(0.5f), vf_add(one(), vf_erf(vf_mul(x, vf_set(SQRT_HALF)))));
}
V_INLINE vf gelu_tanh_inner(vf x)
{
    vf cubic = vf_fma(vf_set(GELU_CUBIC), vf_mul(x, vf_mul(x, x)), x);
    return vf_mul(vf_set(SQRT_2_BY_PI), cubic);
}

/* e^|x| / 2, which sinh and cosh are beyond where SLEEF's give infinity, while
 * the result is still a number. */
#define HYPERBOLIC_LIMIT 88.0f
V_INLINE vf half_exp(vf x)
{
    vf e = vf_exp(vf_mul(vf_set(0.5f), vf_abs(x)));
    return vf_mul(vf_mul(vf_set(0.5f), e), e);
}

/* ---- functions ------------------------------------------------------------ */

FUNCTION(affine)
{
    return vf_fma(a, x, b);
}
FUNCTION(abs)
{
    return vf_abs(x);
}
FUNCTION(sign)
{
    return vf_select(vf_gt(x, vf_zero()), one(), vf_select(vf_lt(x, vf_zero()), vf_set(-1), vf_zero()));
}
FUNCTION(floor)
{
    return vf_floor(x);
}
FUNCTION(ceil)
{
    return vf_ceil(x);
}
FUNCTION(round)
{
    return vf_round(x);
}
FUNCTION(is_nan)
{
    return vf_select(vf_ne(x, x), one(), vf_zero());
}
FUNCTION(is_finite)
{
    return vf_select(vf_lt(vf_abs(x), vf_set(__builtin_inff())), one(), vf_zero());
}
FUNCTION(reciprocal)
{
    return vf_div(one(), x);
}
FUNCTION(square)
{
    return vf_mul(x, x);
}
FUNCTION(sqrt)
{
    return vf_sqrt(x);
}
FUNCTION(rsqrt)
{
    return vf_div(one(), vf_sqrt(x));
}
FUNCTION(pow)
{
    return vf_pow(x, a);
}
FUNCTION(clamp)
{
    return vf_min(b, vf_max(a, x)); /* in this order NaN stays */
}
FUNCTION(exp)
{
    return vf_exp(x);
}
FUNCTION(expm1)
{
    return vf_expm1(x);
}
FUNCTION(log)
{
    return vf_log(x);
}
FUNCTION(log1p)
{
    vm huge = vf_gt(x, vf_set(1e38f));
    vf y = vf_log1p(x);
    return vm_any(huge) ? vf_select(huge, vf_log(x), y) : y; /* where 1 + x is x */
}
FUNCTION(log2)
{
    return vf_log2(x);
}
FUNCTION(sin)
{
    return vf_sin(x);
}
FUNCTION(cos)
{
    return vf_cos(x);
}
FUNCTION(tan)
{
    return vf_tan(x);
}
FUNCTION(asin)
{
    return vf_asin(x);
}
FUNCTION(acos)
{
    return vf_acos(x);
}
FUNCTION(atan)
{
    return vf_atan(x);
}
FUNCTION(sinh)
{
    vm huge = vf_gt(vf_abs(x), vf_set(HYPERBOLIC_LIMIT));
    vf y = vf_sinh(x);
    return vm_any(huge) ? vf_select(huge, vf_copysign(half_exp(x), x), y) : y;
}
FUNCTION(cosh)
{
    vm huge = vf_gt(vf_abs(x), vf_set(HYPERBOLIC_LIMIT));
    vf y = vf_cosh(x);
    return vm_any(huge) ? vf_select(huge, half_exp(x), y) : y;
}
FUNCTION(tanh)
{
    return vf_tanh(x);
}
FUNCTION(erf)
{
    return vf_erf(x);
}
FUNCTION(step)
{
    return vf_select(vf_gt(x, vf_zero()), one(), vf_zero());
}
FUNCTION(sigmoid)
{
    return vf_div(one(), vf_add(one(), vf_exp(vf_neg(x))));
}
FUNCTION(log_sigmoid)
{
    return vf_sub(vf_min(vf_zero(), x), vf_log1p(vf_exp(vf_neg(vf_abs(x)))));
}
FUNCTION(relu)
{
    return vf_max(vf_zero(), x);
}
FUNCTION(relu6)
{
    return vf_min(vf_set(6.0f), vf_max(vf_zero(), x)); /* in this order NaN stays */
}
FUNCTION(leaky_relu)
{
    return vf_select(vf_gt(x, vf_zero()), x, vf_mul(a, x));
}
FUNCTION(elu)
{
    return vf_select(vf_gt(x, vf_zero()), x, vf_mul(a, vf_expm1(x)));
}
FUNCTION(gelu)
{
    return vf_mul(x, normal_cdf(x));
}
FUNCTION(gelu_tanh)
{
    return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(one(), vf_tanh(gelu_tanh_inner(x))));
}
FUNCTION(silu)
{
    return vf_div(x, vf_add(one(), vf_exp(vf_neg(x))));
}
FUNCTION(mish)
{
    vf e = vf_exp(vf_min(vf_set(MISH_LINEAR), x)), n = vf_mul(e, vf_add(e, vf_set(2)));
    return vf_mul(x, vf_div(n, vf_add(n, vf_set(2)))); /* tanh(log(1 + e)) */
}
FUNCTION(softplus)
{
    vf ax = vf_mul(a, x), bent = vf_add(vf_max(vf_zero(), ax), vf_log1p(vf_exp(vf_neg(vf_abs(ax)))));
    return vf_select(vf_gt(ax, b), x, vf_div(bent, a));
}
FUNCTION(hard_sigmoid)
{
    return vf_min(one(), vf_max(vf_zero(), vf_add(vf_div(x, vf_set(6)), vf_set(0.5f))));
}
FUNCTION(hard_swish)
{
    return vf_mul(x, f_hard_sigmoid(x, a, b));
}

/* ---- derivatives ------------------------------------------------------------
 *
 * v is the input or the output, as unary.def says. */

GRADIENT(affine)
{
    return a;
}
GRADIENT(abs)
{
    return f_sign(v, a, b);
}
GRADIENT(sign)
{
    return vf_zero();
}
GRADIENT(floor)
{
    return vf_zero();
}
GRADIENT(ceil)
{
    return vf_zero();
}
GRADIENT(round)
{
    return vf_zero();
}
GRADIENT(is_nan)
{
    return vf_zero();
}
GRADIENT(is_finite)
{
    return vf_zero();
}
GRADIENT(reciprocal)
{
    return vf_neg(vf_mul(v, v));
}
GRADIENT(square)
{
    return vf_add(v, v);
}
GRADIENT(sqrt)
{
    return vf_div(vf_set(0.5f), v);
}
GRADIENT(rsqrt)
{
    return vf_mul(vf_set(-0.5f), vf_mul(v, vf_mul(v, v)));
}
GRADIENT(pow)
{
    vf slope = vf_mul(a, vf_pow(v, vf_sub(a, one())));
    return vf_select(vf_eq(a, vf_zero()), vf_zero(), slope); /* x⁰ is flat even at 0 */
}
GRADIENT(clamp)
{
    return vf_select(vm_and(vf_ge(v, a), vf_le(v, b)), one(), vf_zero());
}
GRADIENT(exp)
{
    return v;
}
GRADIENT(expm1)
{
    return vf_add(v, one());
}
GRADIENT(log)
{
    return vf_div(one(), v);
}
GRADIENT(log1p)
{
    return vf_div(one(), vf_add(one(), v));
}
GRADIENT(log2)
{
    return vf_div(vf_set(INV_LN2), v);
}
GRADIENT(sin)
{
    return vf_cos(v);
}
GRADIENT(cos)
{
    return vf_neg(vf_sin(v));
}
GRADIENT(tan)
{
    return vf_fma(v, v, one());
}
GRADIENT(asin)
{
    return vf_div(one(), vf_sqrt(vf_mul(vf_sub(one(), v), vf_add(one(), v))));
}
GRADIENT(acos)
{
    return vf_neg(g_asin(v, a, b));
}
GRADIENT(atan)
{
    return vf_div(one(), vf_fma(v, v, one()));
}
GRADIENT(sinh)
{
    return f_cosh(v, a, b);
}
GRADIENT(cosh)
{
    return f_sinh(v, a, b);
}
GRADIENT(tanh)
{
    return vf_mul(vf_sub(one(), v), vf_add(one(), v));
}
GRADIENT(erf)
{
    return vf_mul(vf_set(TWO_BY_SQRTPI), vf_exp(vf_neg(vf_mul(v, v))));
}
GRADIENT(step)
{
    return vf_zero();
}
GRADIENT(sigmoid)
{
    return vf_mul(v, vf_sub(one(), v));
}
GRADIENT(log_sigmoid)
{
    return vf_div(one(), vf_add(one(), vf_exp(v)));
}
GRADIENT(relu)
{
    return vf_select(vf_gt(v, vf_zero()), one(), vf_zero());
}
GRADIENT(relu6)
{
    return vf_select(vm_and(vf_gt(v, vf_zero()), vf_lt(v, vf_set(6.0f))), one(), vf_zero());
}
GRADIENT(leaky_relu)
{
    return vf_select(vf_gt(v, vf_zero()), one(), a);
}
GRADIENT(elu)
{
    return vf_select(vf_gt(v, vf_zero()), one(), vf_mul(a, vf_exp(v)));
}
GRADIENT(gelu)
{
    vf density = vf_mul(vf_set(INV_SQRT_2PI), vf_exp(vf_mul(vf_set(-0.5f), vf_mul(v, v))));
    return vf_fma(v, density, normal_cdf(v));
}
GRADIENT(gelu_tanh)
{
    vf t = vf_tanh(gelu_tanh_inner(v)), half = vf_set(0.5f);
    vf inner_slope = vf_mul(vf_set(SQRT_2_BY_PI), vf_fma(vf_set(3 * GELU_CUBIC), vf_mul(v, v), one()));
    vf t_slope = vf_mul(vf_mul(vf_sub(one(), t), vf_add(one(), t)), inner_slope);
    return vf_mul(half, vf_add(vf_add(one(), t), vf_mul(v, t_slope)));
}
GRADIENT(silu)
{
    vf s = f_sigmoid(v, a, b);
    return vf_mul(s, vf_fma(v, vf_sub(one(), s), one()));
}
GRADIENT(mish)
{
    vf x = vf_min(vf_set(MISH_LINEAR), v), e = vf_exp(x), two = vf_set(2);
    vf n = vf_mul(e, vf_add(e, two)), d = vf_add(n, two);
    vf t_slope = vf_div(vf_mul(vf_mul(vf_set(4), e), vf_add(e, one())), vf_mul(d, d));
    return vf_fma(x, t_slope, vf_div(n, d));
}
GRADIENT(softplus)
{
    vf ax = vf_mul(a, v);
    return vf_select(vf_gt(ax, b), one(), f_sigmoid(ax, a, b));
}
GRADIENT(hard_sigmoid)
{
    return vf_select(vf_lt(vf_abs(v), vf_set(3)), vf_set(1.0f / 6), vf_zero());
}
GRADIENT(hard_swish)
{
    vf bent = vf_add(vf_div(v, vf_set(3)), vf_set(0.5f));
    return vf_select(vf_lt(v, vf_set(-3)), vf_zero(), vf_select(vf_le(v, vf_set(3)), bent, one()));
}

#undef FUNCTION
#undef GRADIENT

#endif
