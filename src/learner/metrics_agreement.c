/* metrics_agreement.c — how well two labellings agree: shares of right labels,
 * balanced accuracy, Cohen's kappa and Matthews's correlation. */
#include "scores.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* ---- labels --------------------------------------------------------------------------- */

/* The share of labels, or of items with one class, that are wrong. */
static double wrong_share(const ursa_metric *metric, const ursa_outputs *all)
{
    struct ursa_scores scores;
    if (!ursa_scores_read(&scores, metric, all))
        return NAN;
    uint8_t *decided = ursa_scores_decide(&scores, metric);
    int64_t count = scores.items * scores.classes, wrong = 0;
    for (int64_t i = 0; decided && i < count; i++)
        wrong += decided[i] != scores.truth[i];
    /* One class that is wrong differs in two places. */
    double whole = scores.several || scores.classes == 1 ? (double)count : 2 * (double)scores.items;
    double share = decided && whole > 0 ? (double)wrong / whole : NAN;
    free(decided);
    ursa_scores_free(&scores);
    return share;
}

static double accuracy_multi(const ursa_metric *metric, const ursa_outputs *all)
{
    if (all && !all->values) {
        ursa_fail(URSA_ERROR_TYPE, "%s: the targets are classes; expected a label of 0 or 1 for each output",
                  metric->name);
        return NAN;
    }
    return 1 - wrong_share(metric, all);
}

ursa_metric ursa_metric_accuracy_multi(const ursa_metric_options *options)
{
    return ursa_metric_of("accuracy_multi", options, 0, accuracy_multi);
}

ursa_metric ursa_metric_hamming_loss(const ursa_metric_options *options)
{
    return ursa_metric_of("hamming_loss", options, 0, wrong_share);
}

/* ---- confusion -------------------------------------------------------------------------- */

/* Counts [classes, classes], actual by predicted. */
struct confusion {
    int classes;
    double items, *counts, *actual, *predicted;
};

static void free_confusion(struct confusion *confusion)
{
    free(confusion->counts);
    free(confusion->actual);
    free(confusion->predicted);
}

static bool fill(struct confusion *confusion, const struct ursa_scores *scores, const ursa_metric *metric)
{
    size_t classes = (size_t)(scores->classes == 1 ? 2 : scores->classes);
    confusion->classes = (int)classes;
    confusion->items = (double)scores->items;
    confusion->counts = ursa_alloc_array(classes * classes, sizeof(double));
    confusion->actual = ursa_alloc_array(classes, sizeof(double));
    confusion->predicted = ursa_alloc_array(classes, sizeof(double));
    uint8_t *decided = ursa_scores_decide(scores, metric);
    bool done = confusion->counts && confusion->actual && confusion->predicted && decided;
    for (int64_t i = 0; done && i < scores->items; i++) {
        int64_t predicted = scores->classes == 1 ? decided[i] : ursa_scores_predicted(scores, i);
        confusion->counts[scores->actual[i] * (int64_t)classes + predicted]++;
        confusion->actual[scores->actual[i]]++;
        confusion->predicted[predicted]++;
    }
    free(decided);
    return done;
}

static double of_confusion(const ursa_metric *metric, const ursa_outputs *all,
                           double (*function)(const ursa_metric *metric, const struct confusion *confusion))
{
    struct ursa_scores scores;
    struct confusion confusion = {0};
    double result = NAN;
    if (!ursa_scores_read(&scores, metric, all))
        return NAN;
    if (scores.several)
        ursa_fail(URSA_ERROR_SHAPE, "%s: there are several labels per item; expected one class", metric->name);
    else if (fill(&confusion, &scores, metric))
        result = function(metric, &confusion);
    free_confusion(&confusion);
    ursa_scores_free(&scores);
    return result;
}

static double balanced(const ursa_metric *metric, const struct confusion *confusion)
{
    (void)metric;
    double sum = 0, occurring = 0;
    for (int c = 0; c < confusion->classes; c++)
        if (confusion->actual[c] > 0) {
            sum += confusion->counts[c * (confusion->classes + 1)] / confusion->actual[c];
            occurring++;
        }
    return sum / occurring;
}

static double distance(ursa_kappa_weights weights, int a, int b)
{
    double apart = abs(a - b);
    return weights == URSA_QUADRATIC ? apart * apart : weights == URSA_LINEAR ? apart : a != b;
}

static double kappa(const ursa_metric *metric, const struct confusion *confusion)
{
    double found = 0, expected = 0;
    for (int a = 0; a < confusion->classes; a++)
        for (int p = 0; p < confusion->classes; p++) {
            double weight = distance(ursa_metric_weights(metric), a, p);
            found += weight * confusion->counts[a * confusion->classes + p];
            expected += weight * confusion->actual[a] * confusion->predicted[p] / confusion->items;
        }
    return 1 - found / expected;
}

static double matthews(const ursa_metric *metric, const struct confusion *confusion)
{
    (void)metric;
    double right = 0, chance = 0, actual = 0, predicted = 0, items = confusion->items;
    for (int c = 0; c < confusion->classes; c++) {
        right += confusion->counts[c * (confusion->classes + 1)];
        chance += confusion->actual[c] * confusion->predicted[c];
        actual += confusion->actual[c] * confusion->actual[c];
        predicted += confusion->predicted[c] * confusion->predicted[c];
    }
    double spread = (items * items - actual) * (items * items - predicted);
    return spread > 0 ? (right * items - chance) / sqrt(spread) : 0;
}

static double compute_balanced(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_confusion(metric, all, balanced);
}

static double compute_kappa(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_confusion(metric, all, kappa);
}

static double compute_matthews(const ursa_metric *metric, const ursa_outputs *all)
{
    return of_confusion(metric, all, matthews);
}

ursa_metric ursa_metric_balanced_accuracy(const ursa_metric_options *options)
{
    return ursa_metric_of("balanced_accuracy", options, 0, compute_balanced);
}

ursa_metric ursa_metric_cohen_kappa(const ursa_metric_options *options)
{
    return ursa_metric_of("cohen_kappa", options, 0, compute_kappa);
}

ursa_metric ursa_metric_matthews(const ursa_metric_options *options)
{
    return ursa_metric_of("matthews", options, 0, compute_matthews);
}
