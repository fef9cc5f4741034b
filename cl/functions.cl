/* functions.cl — the functions of unary.def and their slopes; also what is
 * fused into the end of products. Kernels name one at compile time:
 * -DFUNCTION=unary_exp, -DSLOPE=slope_exp, -DACTIVATION=unary_relu. */

#define UNARY(name, expression)                                                                                        \
    static inline float unary_##name(float x, float a, float b)                                                        \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
/* f'(x) for y = f(x); only what unary.def says is needed has a value. */
#define SLOPE_OF(name, expression)                                                                                     \
    static inline float slope_##name(float x, float y, float a, float b)                                               \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
/* Not by way of SLOPE_OF: a name that the driver defines as a macro would be
 * replaced on the way. */
#define FLAT(name)                                                                                                     \
    static inline float slope_##name(float x, float y, float a, float b)                                               \
    {                                                                                                                  \
        return 0.0f;                                                                                                   \
    }

/* exp never overflows where its argument is not positive. */
static inline float logistic(float x)
{
    return 1.0f / (1.0f + exp(-x));
}

static inline float log_logistic(float x)
{
    return (x < 0.0f ? x : 0.0f) - log1p(exp(-fabs(x)));
}

/* clamp() of OpenCL says nothing about NaN. */
static inline float limit_to(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline float gelu_inner(float x)
{
    return 0.7978845608f * (x + 0.044715f * x * x * x); /* √(2/π) */
}

/* tanh(log(1 + eˣ)) = (n² + 2n) / (n² + 2n + 2) with n = eˣ. */
static inline float tanh_softplus(float x)
{
    if (x > 20.0f)
        return 1.0f;
    float n = exp(x), p = n * (n + 2.0f);
    return p / (p + 2.0f);
}

UNARY(affine, a *x + b)
UNARY(abs, fabs(x))
UNARY(sign, (float)((x > 0.0f) - (x < 0.0f)))
UNARY(floor, floor(x))
UNARY(ceil, ceil(x))
UNARY(round, rint(x))
UNARY(is_nan, isnan(x) ? 1.0f : 0.0f)
UNARY(is_finite, isfinite(x) ? 1.0f : 0.0f)
UNARY(reciprocal, 1.0f / x)
UNARY(square, x *x)
UNARY(sqrt, sqrt(x))
UNARY(rsqrt, rsqrt(x))
UNARY(pow, pow(x, a))
UNARY(clamp, limit_to(x, a, b))
UNARY(exp, exp(x))
UNARY(expm1, expm1(x))
UNARY(log, log(x))
UNARY(log1p, log1p(x))
UNARY(log2, log2(x))
UNARY(sin, sin(x))
UNARY(cos, cos(x))
UNARY(tan, tan(x))
UNARY(asin, asin(x))
UNARY(acos, acos(x))
UNARY(atan, atan(x))
UNARY(sinh, sinh(x))
UNARY(cosh, cosh(x))
UNARY(tanh, tanh(x))
UNARY(erf, erf(x))
UNARY(step, x > 0.0f ? 1.0f : 0.0f)
UNARY(sigmoid, logistic(x))
UNARY(log_sigmoid, log_logistic(x))
UNARY(relu, x < 0.0f ? 0.0f : x)
UNARY(relu6, x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x)
UNARY(leaky_relu, x > 0.0f ? x : a * x)
UNARY(elu, x > 0.0f ? x : a * expm1(x))
UNARY(gelu, 0.5f * x * erfc(x * -0.7071067812f))
UNARY(gelu_tanh, x *logistic(2.0f * gelu_inner(x)))
UNARY(silu, x *logistic(x))
UNARY(mish, x *tanh_softplus(x))
UNARY(softplus, a *x > b ? x : -log_logistic(-a * x) / a)
UNARY(hard_sigmoid, limit_to(x / 6.0f + 0.5f, 0.0f, 1.0f))
UNARY(hard_swish, x *limit_to(x / 6.0f + 0.5f, 0.0f, 1.0f))

static inline float slope_of_gelu_tanh(float x)
{
    float u = 2.0f * gelu_inner(x), s = logistic(u), t = logistic(-u);
    return s + 2.0f * x * s * t * 0.7978845608f * (1.0f + 0.134145f * x * x);
}

static inline float slope_of_mish(float x)
{
    float t = tanh_softplus(x);
    return t + x * (1.0f - t * t) * logistic(x);
}

SLOPE_OF(affine, a)
SLOPE_OF(abs, (float)((x > 0.0f) - (x < 0.0f)))
FLAT(sign)
FLAT(floor)
FLAT(ceil)
FLAT(round)
FLAT(is_nan)
FLAT(is_finite)
SLOPE_OF(reciprocal, -y *y)
SLOPE_OF(square, 2.0f * x)
SLOPE_OF(sqrt, 0.5f / y)
SLOPE_OF(rsqrt, -0.5f * y * y * y)
SLOPE_OF(pow, a == 0.0f ? 0.0f : a *pow(x, a - 1.0f))
SLOPE_OF(clamp, x >= a && x <= b ? 1.0f : 0.0f)
SLOPE_OF(exp, y)
SLOPE_OF(expm1, y + 1.0f)
SLOPE_OF(log, 1.0f / x)
SLOPE_OF(log1p, 1.0f / (1.0f + x))
SLOPE_OF(log2, 1.4426950409f / x)
SLOPE_OF(sin, cos(x))
SLOPE_OF(cos, -sin(x))
SLOPE_OF(tan, 1.0f + y * y)
SLOPE_OF(asin, rsqrt((1.0f - x) * (1.0f + x)))
SLOPE_OF(acos, -rsqrt((1.0f - x) * (1.0f + x)))
SLOPE_OF(atan, 1.0f / (1.0f + x * x))
SLOPE_OF(sinh, cosh(x))
SLOPE_OF(cosh, sinh(x))
SLOPE_OF(tanh, (1.0f - y) * (1.0f + y))
SLOPE_OF(erf, 1.1283791671f * exp(-x * x)) /* 2/√π */
FLAT(step)
SLOPE_OF(sigmoid, y *(1.0f - y))
SLOPE_OF(log_sigmoid, logistic(-x))
SLOPE_OF(relu, y > 0.0f ? 1.0f : 0.0f)
SLOPE_OF(relu6, y > 0.0f && y < 6.0f ? 1.0f : 0.0f)
SLOPE_OF(leaky_relu, x > 0.0f ? 1.0f : a)
SLOPE_OF(elu, x > 0.0f ? 1.0f : a *exp(x))
SLOPE_OF(gelu, 0.5f * erfc(x * -0.7071067812f) + x * 0.3989422804f * exp(-0.5f * x * x)) /* 1/√(2π) */
SLOPE_OF(gelu_tanh, slope_of_gelu_tanh(x))
SLOPE_OF(silu, logistic(x) * (1.0f + x * logistic(-x)))
SLOPE_OF(mish, slope_of_mish(x))
SLOPE_OF(softplus, a *x > b ? 1.0f : logistic(a * x))
SLOPE_OF(hard_sigmoid, x > -3.0f && x < 3.0f ? 0.1666666667f : 0.0f)
SLOPE_OF(hard_swish, x < -3.0f ? 0.0f : x <= 3.0f ? x / 3.0f + 0.5f : 1.0f)
