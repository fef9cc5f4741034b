/* loss.c — cross-entropy and the elementwise losses, with their gradients. */
#include "reference64.h"
#include "view.h"

static double log_sum_exp(const double *x, int64_t count)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t c = 0; c < count; c++)
        largest = fmax(largest, x[c]);
    for (int64_t c = 0; c < count; c++)
        sum += exp(x[c] - largest);
    return largest + log(sum);
}

/* The target of class c in a row of class `class`, weighted: q_c v_c. */
static double target(const double *weight, double smoothing, int64_t class, int64_t c, int64_t classes)
{
    double q = (1 - smoothing) * (c == class) + smoothing / (double)classes;
    return q * (weight ? weight[c] : 1);
}

static bool class_of(const char *operator, const ursa_array * classes, int64_t row, int64_t ignore, int64_t limit,
                     int64_t *class)
{
    *class = get_integer(classes, row);
    if (*class == ignore || (*class >= 0 && *class < limit))
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT,
                     "%s: class %lld of row %lld is outside 0 … %lld", operator,(long long) * class, (long long)row,
                     (long long)limit - 1);
}

bool reference64_cross_entropy(ursa_device *device, const struct ursa_cross_entropy_args *args)
{
    (void)device;
    int64_t rows = args->x.shape[0], classes = args->x.shape[1], class;
    const double *weight = doubles(&args->weight);
    for (int64_t m = 0; m < rows; m++) {
        const double *x = doubles(&args->x) + m * classes;
        double log_sum = log_sum_exp(x, classes), loss = 0;
        if (!class_of("cross_entropy", &args->classes, m, args->ignore, classes, &class))
            return false;
        bool ignored = class == args->ignore;
        for (int64_t c = 0; c < classes && !ignored; c++)
            loss -= target(weight, (double)args->smoothing, class, c, classes) * (x[c] - log_sum);
        put(&args->loss, m, loss);
        put(&args->row_weight, m, ignored ? 0 : weight ? weight[class] : 1);
        put(&args->log_sum, m, log_sum);
    }
    return true;
}

bool reference64_cross_entropy_grad(ursa_device *device, const struct ursa_cross_entropy_grad_args *args)
{
    (void)device;
    int64_t rows = args->x.shape[0], classes = args->x.shape[1], class;
    const double *weight = doubles(&args->weight);
    for (int64_t m = 0; m < rows; m++) {
        const double *x = doubles(&args->x) + m * classes;
        double *dx = doubles(&args->dx) + m * classes, total = 0;
        if (!class_of("cross_entropy_grad", &args->classes, m, args->ignore, classes, &class))
            return false;
        bool ignored = class == args->ignore;
        for (int64_t c = 0; c < classes && !ignored; c++)
            total += target(weight, (double)args->smoothing, class, c, classes);
        for (int64_t c = 0; c < classes; c++) {
            double softmax = exp(x[c] - get(&args->log_sum, m));
            double slope = softmax * total - target(weight, (double)args->smoothing, class, c, classes);
            dx[c] = ignored ? 0 : get(&args->dloss, m) * slope;
        }
    }
    return true;
}

static double log_sigmoid(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double bce(double x, double t, double positive)
{
    return -(positive * t * log_sigmoid(x) + (1 - t) * log_sigmoid(-x));
}

/* The chance given to what is not the target: 1 - p_t. */
static double miss(double x, double t)
{
    return t * sigmoid(-x) + (1 - t) * sigmoid(x);
}

static double balance(double t, double alpha)
{
    return alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
}

static double loss_of(ursa_loss_kind kind, double x, double t, double a, double b)
{
    double d = x - t, size = fabs(d);
    switch (kind) {
    case URSA_LOSS_mse:
        return d * d;
    case URSA_LOSS_l1:
        return size;
    case URSA_LOSS_smooth_l1:
        return size < a ? d * d / (2 * a) : size - a / 2;
    case URSA_LOSS_huber:
        return size < a ? d * d / 2 : a * (size - a / 2);
    case URSA_LOSS_bce_logits:
        return bce(x, t, a);
    case URSA_LOSS_focal:
        return bce(x, t, 1) * pow(miss(x, t), b) * balance(t, a);
    case URSA_LOSS_COUNT:
        break;
    }
    return NAN;
}

static double loss_slope(ursa_loss_kind kind, double x, double t, double a, double b)
{
    double d = x - t, sign = (d > 0) - (d < 0);
    switch (kind) {
    case URSA_LOSS_mse:
        return 2 * d;
    case URSA_LOSS_l1:
        return sign;
    case URSA_LOSS_smooth_l1:
        return fabs(d) < a ? d / a : sign;
    case URSA_LOSS_huber:
        return fabs(d) < a ? d : a * sign;
    case URSA_LOSS_bce_logits:
        return (1 - t) * sigmoid(x) - a * t * sigmoid(-x);
    case URSA_LOSS_focal: {
        double m = miss(x, t), by_x = (1 - 2 * t) * sigmoid(x) * sigmoid(-x);
        double bce_slope = (1 - t) * sigmoid(x) - t * sigmoid(-x);
        double power_slope = b == 0 ? 0 : b * pow(m, b - 1) * by_x;
        return (bce_slope * pow(m, b) + bce(x, t, 1) * power_slope) * balance(t, a);
    }
    case URSA_LOSS_COUNT:
        break;
    }
    return NAN;
}

bool reference64_loss(ursa_device *device, const struct ursa_loss_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++)
        put(&args->out, i,
            loss_of(args->kind, get(&args->x, i), get(&args->target, i), (double)args->a, (double)args->b));
    return true;
}

bool reference64_loss_grad(ursa_device *device, const struct ursa_loss_grad_args *args)
{
    (void)device;
    int64_t count = count_of(&args->dx);
    for (int64_t i = 0; i < count; i++) {
        double x = get(&args->x, i), t = get(&args->target, i);
        put(&args->dx, i, get(&args->dout, i) * loss_slope(args->kind, x, t, (double)args->a, (double)args->b));
    }
    return true;
}
