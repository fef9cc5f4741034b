/* metrics_pixels.c — metrics of sets too large to be kept: summed up on the
 * device, batch by batch. */
#include "scores.h"

#include <math.h>

/* ---- segmentation ------------------------------------------------------------------- */

/* The state: true positives, predicted and actual pixels by class; how many classes there are. */
enum { CLASSES = 256, CLASS_COUNT = 3 * CLASSES };
_Static_assert((int)CLASS_COUNT < (int)URSA_METRIC_STATE, "the state must hold three counts per class");

/* How often each class occurs in [...] i64. */
static ursa_tensor *occurrences(ursa_tensor *hot, ursa_tensor *also)
{
    ursa_tensor *flat = ursa_reshape(also ? ursa_mul(hot, also) : hot, ursa_shape(-1, ursa_dim(hot, -1)));
    return ursa_sum(flat, ursa_axes(0), false);
}

static bool add_counts(ursa_tensor *state, int part, ursa_tensor *counts)
{
    int64_t first = (int64_t)part * CLASSES;
    return ursa_add_(ursa_slice(state, 0, first, first + ursa_dim(counts, 0), 1), counts, 1);
}

static bool pixels_update(const ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target, ursa_tensor *state)
{
    int64_t classes = ursa_dim(prediction, -1);
    if (classes < 2 || classes > CLASSES || ursa_ndim(target) != ursa_ndim(prediction) - 1)
        return ursa_fail(URSA_ERROR_SHAPE,
                         "%s: predictions have %lld outputs and %d axes, targets %d axes; expected 2 to %d outputs and "
                         "a class for each pixel",
                         metric->name, (long long)classes, ursa_ndim(prediction), ursa_ndim(target), CLASSES);
    ursa_tensor *predicted = ursa_one_hot(ursa_argmax(prediction, -1, false), classes);
    ursa_tensor *actual = ursa_one_hot(target, classes);
    return add_counts(state, 0, occurrences(predicted, actual)) && add_counts(state, 1, occurrences(predicted, NULL)) &&
           add_counts(state, 2, occurrences(actual, NULL)) &&
           ursa_fill_(ursa_select(state, 0, CLASS_COUNT), (double)classes);
}

/* The mean over classes that occur; of two classes, of the second alone. */
static double mean_ratio(const double *state, double (*ratio)(double both, double predicted, double actual))
{
    double sum = 0, occurring = 0;
    for (int c = state[CLASS_COUNT] == 2 ? 1 : 0; c < CLASSES; c++) {
        double predicted = state[CLASSES + c], actual = state[2 * CLASSES + c];
        if (predicted + actual == 0)
            continue;
        sum += ratio(state[c], predicted, actual);
        occurring++;
    }
    return sum / occurring;
}

static double dice_of(double both, double predicted, double actual)
{
    return 2 * both / (predicted + actual);
}

static double jaccard_of(double both, double predicted, double actual)
{
    return both / (predicted + actual - both);
}

static double dice_finish(const ursa_metric *metric, const double *state, int64_t items)
{
    (void)metric;
    (void)items;
    return mean_ratio(state, dice_of);
}

static double jaccard_finish(const ursa_metric *metric, const double *state, int64_t items)
{
    (void)metric;
    (void)items;
    return mean_ratio(state, jaccard_of);
}

static ursa_metric summed(const char *name, const ursa_metric_options *options)
{
    return ursa_metric_of(name, options, 0, NULL);
}

ursa_metric ursa_metric_dice(const ursa_metric_options *options)
{
    ursa_metric metric = summed("dice", options);
    metric.update = pixels_update;
    metric.finish = dice_finish;
    return metric;
}

ursa_metric ursa_metric_pixel_jaccard(const ursa_metric_options *options)
{
    ursa_metric metric = summed("jaccard", options);
    metric.update = pixels_update;
    metric.finish = jaccard_finish;
    return metric;
}

/* ---- perplexity: state is the sum of cross-entropies, and how many --------------------- */

static bool perplexity_update(const ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target,
                              ursa_tensor *state)
{
    (void)metric;
    ursa_tensor *loss = ursa_cross_entropy(prediction, target, .reduction = URSA_SUM);
    ursa_tensor *count = ursa_scalar_like(state, (double)ursa_count(target));
    return ursa_add_(ursa_select(state, 0, 0), loss, 1) && ursa_add_(ursa_select(state, 0, 1), count, 1);
}

static double perplexity_finish(const ursa_metric *metric, const double *state, int64_t items)
{
    (void)metric;
    (void)items;
    return exp(state[0] / state[1]);
}

ursa_metric ursa_metric_perplexity(const ursa_metric_options *options)
{
    ursa_metric metric = summed("perplexity", options);
    metric.update = perplexity_update;
    metric.finish = perplexity_finish;
    return metric;
}
