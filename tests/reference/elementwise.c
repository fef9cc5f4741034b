/* elementwise.c — unary and binary functions, their gradients, where and
 * dropout. */
#include "reference64.h"
#include "view.h"

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double log_sigmoid(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

static double normal_density(double x)
{
    return exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double normal_distribution(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

static double gelu_inner(double x)
{
    return sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double signum(double x)
{
    return (double)((x > 0) - (x < 0));
}

double reference64_function(ursa_unary_kind kind, double x, double a, double b)
{
    switch (kind) {
    case URSA_UNARY_affine:
        return a * x + b;
    case URSA_UNARY_abs:
        return fabs(x);
    case URSA_UNARY_sign:
        return signum(x);
    case URSA_UNARY_floor:
        return floor(x);
    case URSA_UNARY_ceil:
        return ceil(x);
    case URSA_UNARY_round:
        return nearbyint(x);
    case URSA_UNARY_is_nan:
        return isnan(x) != 0;
    case URSA_UNARY_is_finite:
        return isfinite(x) != 0;
    case URSA_UNARY_reciprocal:
        return 1 / x;
    case URSA_UNARY_square:
        return x * x;
    case URSA_UNARY_sqrt:
        return sqrt(x);
    case URSA_UNARY_rsqrt:
        return 1 / sqrt(x);
    case URSA_UNARY_pow:
        return pow(x, a);
    case URSA_UNARY_clamp:
        return clamp(x, a, b);
    case URSA_UNARY_exp:
        return exp(x);
    case URSA_UNARY_expm1:
        return expm1(x);
    case URSA_UNARY_log:
        return log(x);
    case URSA_UNARY_log1p:
        return log1p(x);
    case URSA_UNARY_log2:
        return log2(x);
    case URSA_UNARY_sin:
        return sin(x);
    case URSA_UNARY_cos:
        return cos(x);
    case URSA_UNARY_tan:
        return tan(x);
    case URSA_UNARY_asin:
        return asin(x);
    case URSA_UNARY_acos:
        return acos(x);
    case URSA_UNARY_atan:
        return atan(x);
    case URSA_UNARY_sinh:
        return sinh(x);
    case URSA_UNARY_cosh:
        return cosh(x);
    case URSA_UNARY_tanh:
        return tanh(x);
    case URSA_UNARY_erf:
        return erf(x);
    case URSA_UNARY_step:
        return x > 0;
    case URSA_UNARY_sigmoid:
        return sigmoid(x);
    case URSA_UNARY_log_sigmoid:
        return log_sigmoid(x);
    case URSA_UNARY_relu:
        return x < 0 ? 0 : x;
    case URSA_UNARY_relu6:
        return clamp(x, 0, 6);
    case URSA_UNARY_leaky_relu:
        return x > 0 ? x : a * x;
    case URSA_UNARY_elu:
        return x > 0 ? x : a * expm1(x);
    case URSA_UNARY_gelu:
        return x * normal_distribution(x);
    case URSA_UNARY_gelu_tanh:
        return x * sigmoid(2 * gelu_inner(x)); /* (1 + tanh u) / 2 without its cancellation */
    case URSA_UNARY_silu:
        return x * sigmoid(x);
    case URSA_UNARY_mish:
        return x * tanh(-log_sigmoid(-x));
    case URSA_UNARY_softplus:
        return a * x > b ? x : log1p(exp(a * x)) / a;
    case URSA_UNARY_hard_sigmoid:
        return clamp(x / 6 + 0.5, 0, 1);
    case URSA_UNARY_hard_swish:
        return x * clamp(x / 6 + 0.5, 0, 1);
    case URSA_UNARY_COUNT:
        break;
    }
    return NAN;
}

/* f'(x), for y = f(x); x matters where the kind needs X, y where it needs Y. */
double reference64_slope(ursa_unary_kind kind, double x, double y, double a, double b)
{
    switch (kind) {
    case URSA_UNARY_affine:
        return a;
    case URSA_UNARY_abs:
        return signum(x);
    case URSA_UNARY_reciprocal:
        return -y * y;
    case URSA_UNARY_square:
        return 2 * x;
    case URSA_UNARY_sqrt:
        return 0.5 / y;
    case URSA_UNARY_rsqrt:
        return -0.5 * y * y * y;
    case URSA_UNARY_pow:
        return a == 0 ? 0 : a * pow(x, a - 1);
    case URSA_UNARY_clamp:
        return x >= a && x <= b;
    case URSA_UNARY_exp:
        return y;
    case URSA_UNARY_expm1:
        return y + 1;
    case URSA_UNARY_log:
        return 1 / x;
    case URSA_UNARY_log1p:
        return 1 / (1 + x);
    case URSA_UNARY_log2:
        return 1 / (x * M_LN2);
    case URSA_UNARY_sin:
        return cos(x);
    case URSA_UNARY_cos:
        return -sin(x);
    case URSA_UNARY_tan:
        return 1 + y * y;
    case URSA_UNARY_asin:
        return 1 / sqrt((1 - x) * (1 + x));
    case URSA_UNARY_acos:
        return -1 / sqrt((1 - x) * (1 + x));
    case URSA_UNARY_atan:
        return 1 / (1 + x * x);
    case URSA_UNARY_sinh:
        return cosh(x);
    case URSA_UNARY_cosh:
        return sinh(x);
    case URSA_UNARY_tanh:
        return (1 - y) * (1 + y);
    case URSA_UNARY_erf:
        return M_2_SQRTPI * exp(-x * x);
    case URSA_UNARY_sigmoid:
        return y * (1 - y);
    case URSA_UNARY_log_sigmoid:
        return sigmoid(-x);
    case URSA_UNARY_relu:
        return y > 0;
    case URSA_UNARY_relu6:
        return y > 0 && y < 6;
    case URSA_UNARY_leaky_relu:
        return x > 0 ? 1 : a;
    case URSA_UNARY_elu:
        return x > 0 ? 1 : a * exp(x);
    case URSA_UNARY_gelu:
        return normal_distribution(x) + x * normal_density(x);
    case URSA_UNARY_gelu_tanh: {
        double s = sigmoid(2 * gelu_inner(x)), t = sigmoid(-2 * gelu_inner(x));
        return s + 2 * x * s * t * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
    }
    case URSA_UNARY_silu:
        return sigmoid(x) * (1 + x * sigmoid(-x));
    case URSA_UNARY_mish: {
        double t = tanh(-log_sigmoid(-x));
        return t + x * (1 - t * t) * sigmoid(x);
    }
    case URSA_UNARY_softplus:
        return a * x > b ? 1 : sigmoid(a * x);
    case URSA_UNARY_hard_sigmoid:
        return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case URSA_UNARY_hard_swish:
        return x < -3 ? 0 : x <= 3 ? x / 3 + 0.5 : 1;
    case URSA_UNARY_sign:
    case URSA_UNARY_floor:
    case URSA_UNARY_ceil:
    case URSA_UNARY_round:
    case URSA_UNARY_is_nan:
    case URSA_UNARY_is_finite:
    case URSA_UNARY_step:
        return 0;
    case URSA_UNARY_COUNT:
        break;
    }
    return NAN;
}

double reference64_activate(const ursa_activation *activation, double x)
{
    if (!activation->used)
        return x;
    return reference64_function(activation->kind, x, (double)activation->a, (double)activation->b);
}

bool reference64_unary(ursa_device *device, const struct ursa_unary_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++)
        put(&args->out, i, reference64_function(args->kind, get(&args->x, i), (double)args->a, (double)args->b));
    return true;
}

bool reference64_unary_grad(ursa_device *device, const struct ursa_unary_grad_args *args)
{
    (void)device;
    int64_t count = count_of(&args->dx);
    for (int64_t i = 0; i < count; i++) {
        double x = present(&args->x) ? get(&args->x, i) : NAN;
        double y = present(&args->y) ? get(&args->y, i) : NAN;
        double slope = reference64_slope(args->kind, x, y, (double)args->a, (double)args->b);
        put(&args->dx, i, slope * get(&args->dy, i));
    }
    return true;
}

static double binary_float(const struct ursa_binary_args *args, double x, double y)
{
    switch (args->kind) {
    case URSA_BINARY_add:
        return x + y;
    case URSA_BINARY_sub:
        return x - y;
    case URSA_BINARY_mul:
        return x * y;
    case URSA_BINARY_div:
        return x / y;
    case URSA_BINARY_max:
        return isnan(x) || isnan(y) ? NAN : x > y ? x : y;
    case URSA_BINARY_min:
        return isnan(x) || isnan(y) ? NAN : x < y ? x : y;
    case URSA_BINARY_pow:
        return pow(x, y);
    case URSA_BINARY_atan2:
        return atan2(x, y);
    case URSA_BINARY_lincomb:
        return (double)args->a * x + (double)args->b * y;
    case URSA_BINARY_eq:
        return x == y;
    case URSA_BINARY_ne:
        return x != y;
    case URSA_BINARY_lt:
        return x < y;
    case URSA_BINARY_le:
        return x <= y;
    case URSA_BINARY_gt:
        return x > y;
    case URSA_BINARY_ge:
        return x >= y;
    default:
        return NAN;
    }
}

/* Unsigned arithmetic wraps; the result is cut to the type when it is stored. */
static int64_t binary_integer(ursa_binary_kind kind, int64_t x, int64_t y)
{
    switch (kind) {
    case URSA_BINARY_add:
        return (int64_t)((uint64_t)x + (uint64_t)y);
    case URSA_BINARY_sub:
        return (int64_t)((uint64_t)x - (uint64_t)y);
    case URSA_BINARY_mul:
        return (int64_t)((uint64_t)x * (uint64_t)y);
    case URSA_BINARY_div:
        return y == 0 ? 0 : y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
    case URSA_BINARY_max:
        return x > y ? x : y;
    case URSA_BINARY_min:
        return x < y ? x : y;
    case URSA_BINARY_eq:
        return x == y;
    case URSA_BINARY_ne:
        return x != y;
    case URSA_BINARY_lt:
        return x < y;
    case URSA_BINARY_le:
        return x <= y;
    case URSA_BINARY_gt:
        return x > y;
    case URSA_BINARY_ge:
        return x >= y;
    case URSA_BINARY_and:
        return x && y;
    case URSA_BINARY_or:
        return x || y;
    case URSA_BINARY_xor:
        return !x != !y;
    default:
        return 0;
    }
}

bool reference64_binary(ursa_device *device, const struct ursa_binary_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++) {
        if (is_float(args->x.dtype))
            put(&args->out, i, binary_float(args, get(&args->x, i), get(&args->y, i)));
        else
            put_integer(&args->out, i, binary_integer(args->kind, get_integer(&args->x, i), get_integer(&args->y, i)));
    }
    return true;
}

bool reference64_where(ursa_device *device, const struct ursa_where_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++) {
        const ursa_array *from = get_integer(&args->condition, i) ? &args->x : &args->y;
        if (is_float(from->dtype))
            put(&args->out, i, get(from, i));
        else
            put_integer(&args->out, i, get_integer(from, i));
    }
    return true;
}

bool reference64_dropout(ursa_device *device, const struct ursa_dropout_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    double p = (double)args->p;
    for (int64_t i = 0; i < count; i++) {
        bool kept = !(reference64_uniform(args->key, args->counter, i) < p);
        put(&args->out, i, kept ? get(&args->x, i) / (1 - p) : 0);
    }
    return true;
}
