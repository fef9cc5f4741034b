/* metrics_regression.c — distances between numbers. */
#include "scores.h"

#include <math.h>

struct numbers {
    int64_t items, columns;
    const float *predicted, *actual; /* [items, columns] */
};

/* Shapes may differ: [N] beside [N, 1]. */
static double of_numbers(const ursa_metric *metric, const ursa_outputs *all,
                         double (*function)(const struct numbers *numbers))
{
    if (!all)
        return NAN;
    if (!all->values || all->target_size != all->size) {
        ursa_fail(URSA_ERROR_SHAPE, "%s: an item has %lld outputs and %lld %s; expected as many numbers", metric->name,
                  (long long)all->size, (long long)all->target_size, all->values ? "numbers" : "classes");
        return NAN;
    }
    return function(&(struct numbers){all->count, all->size, all->raw, all->values});
}

/* ---- means over all numbers ----------------------------------------------------------------- */

static double mean_square(const struct numbers *numbers)
{
    int64_t count = numbers->items * numbers->columns;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double apart = (double)numbers->predicted[i] - (double)numbers->actual[i];
        sum += apart * apart;
    }
    return sum / (double)count;
}

static double mean_root(const struct numbers *numbers)
{
    return sqrt(mean_square(numbers));
}

static double mean_distance(const struct numbers *numbers)
{
    int64_t count = numbers->items * numbers->columns;
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += fabs((double)numbers->predicted[i] - (double)numbers->actual[i]);
    return sum / (double)count;
}

/* ---- shares of the variance ------------------------------------------------------------------- */

static double column_mean(const float *values, const float *minus, const struct numbers *numbers, int64_t column)
{
    double sum = 0;
    for (int64_t i = column; i < numbers->items * numbers->columns; i += numbers->columns)
        sum += (double)values[i] - (minus ? (double)minus[i] : 0);
    return sum / (double)numbers->items;
}

/* 1 - what is left of the variance; what a constant column has not is either all there or all lost. */
static double share(double left, double whole)
{
    return whole > 0 ? 1 - left / whole : left > 0 ? 0 : 1;
}

/* `centred`: a constant error is forgiven. */
static double explained(const struct numbers *numbers, bool centred)
{
    double sum = 0;
    for (int64_t column = 0; column < numbers->columns; column++) {
        double mean = column_mean(numbers->actual, NULL, numbers, column), left = 0, whole = 0;
        double bias = centred ? column_mean(numbers->actual, numbers->predicted, numbers, column) : 0;
        for (int64_t i = column; i < numbers->items * numbers->columns; i += numbers->columns) {
            double error = (double)numbers->actual[i] - (double)numbers->predicted[i] - bias;
            double spread = (double)numbers->actual[i] - mean;
            left += error * error;
            whole += spread * spread;
        }
        sum += share(left, whole);
    }
    return sum / (double)numbers->columns;
}

static double r2_of(const struct numbers *numbers)
{
    return numbers->items < 2 ? NAN : explained(numbers, false);
}

static double explained_of(const struct numbers *numbers)
{
    return numbers->items < 1 ? NAN : explained(numbers, true);
}

/* ---- the metrics --------------------------------------------------------------------------------- */

static double mse(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_numbers(metric, all, mean_square);
}

static double rmse(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_numbers(metric, all, mean_root);
}

static double mae(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_numbers(metric, all, mean_distance);
}

static double r2(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_numbers(metric, all, r2_of);
}

static double explained_variance(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_numbers(metric, all, explained_of);
}

ursa_metric ursa_metric_mse(const ursa_metric_options *options)
{
    return ursa_metric_of("mse", options, 0, mse);
}

ursa_metric ursa_metric_rmse(const ursa_metric_options *options)
{
    return ursa_metric_of("rmse", options, 0, rmse);
}

ursa_metric ursa_metric_mae(const ursa_metric_options *options)
{
    return ursa_metric_of("mae", options, 0, mae);
}

ursa_metric ursa_metric_r2(const ursa_metric_options *options)
{
    return ursa_metric_of("r2_score", options, 0, r2);
}

ursa_metric ursa_metric_explained_variance(const ursa_metric_options *options)
{
    return ursa_metric_of("explained_variance", options, 0, explained_variance);
}
