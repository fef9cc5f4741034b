/* metrics_counts.c — precision, recall, F-beta and Jaccard: ratios of how often
 * classes were predicted, true, or both. */
#include "scores.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* How often each class was predicted, true, or both. */
struct ursa_counts {
    double both, predicted, actual;
};

/* The ratio of a metric. */
typedef double count_ratio(const struct ursa_counts *counts, double beta);

static double over(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double precision_of(const struct ursa_counts *counts, double beta)
{
    (void)beta;
    return over(counts->both, counts->predicted);
}

static double recall_of(const struct ursa_counts *counts, double beta)
{
    (void)beta;
    return over(counts->both, counts->actual);
}

static double fbeta_of(const struct ursa_counts *counts, double beta)
{
    double square = beta * beta;
    return over((1 + square) * counts->both, square * counts->actual + counts->predicted);
}

static double jaccard_of(const struct ursa_counts *counts, double beta)
{
    (void)beta;
    return over(counts->both, counts->actual + counts->predicted - counts->both);
}

/* ---- counting ------------------------------------------------------------------------ */

struct decisions {
    struct ursa_scores scores;
    uint8_t *decided;
};

static void add(struct ursa_counts *counts, uint8_t decided, uint8_t truth)
{
    counts->both += decided & truth;
    counts->predicted += decided;
    counts->actual += truth;
}

static struct ursa_counts count_class(const struct decisions *all, int class)
{
    struct ursa_counts counts = {0};
    for (int64_t i = 0; i < all->scores.items; i++)
        add(&counts, all->decided[i * all->scores.classes + class], all->scores.truth[i * all->scores.classes + class]);
    return counts;
}

static struct ursa_counts count_item(const struct decisions *all, int64_t item)
{
    struct ursa_counts counts = {0};
    for (int c = 0; c < all->scores.classes; c++)
        add(&counts, all->decided[item * all->scores.classes + c], all->scores.truth[item * all->scores.classes + c]);
    return counts;
}

/* ---- averaging ------------------------------------------------------------------------- */

static double of_all(const struct decisions *all, count_ratio *ratio, double beta)
{
    struct ursa_counts sum = {0};
    for (int c = 0; c < all->scores.classes; c++) {
        struct ursa_counts counts = count_class(all, c);
        sum.both += counts.both;
        sum.predicted += counts.predicted;
        sum.actual += counts.actual;
    }
    return ratio(&sum, beta);
}

static double of_classes(const struct decisions *all, count_ratio *ratio, double beta, bool weighted)
{
    double sum = 0, weights = 0;
    for (int c = 0; c < all->scores.classes; c++) {
        struct ursa_counts counts = count_class(all, c);
        bool occurs = all->scores.several || counts.predicted + counts.actual > 0;
        double weight = weighted ? counts.actual : occurs;
        sum += weight * ratio(&counts, beta);
        weights += weight;
    }
    return over(sum, weights);
}

static double of_items(const struct decisions *all, count_ratio *ratio, double beta)
{
    double sum = 0;
    for (int64_t i = 0; i < all->scores.items; i++) {
        struct ursa_counts counts = count_item(all, i);
        sum += ratio(&counts, beta);
    }
    return over(sum, (double)all->scores.items);
}

/* Of one output that tells two classes apart, class 0 is what is not class 1. */
static double of_one(const struct decisions *all, count_ratio *ratio, double beta, int positive)
{
    if (all->scores.classes > 1 || positive == 1) {
        struct ursa_counts counts = count_class(all, all->scores.classes > 1 ? positive : 0);
        return ratio(&counts, beta);
    }
    struct ursa_counts counts = {0};
    for (int64_t i = 0; i < all->scores.items; i++)
        add(&counts, !all->decided[i], !all->scores.truth[i]);
    return ratio(&counts, beta);
}

static double averaged(const ursa_metric *metric, const ursa_outputs *all, count_ratio *ratio)
{
    double beta = metric->argument[ARGUMENT_BETA], result = NAN;
    struct decisions made = {0};
    ursa_average average;
    if (ursa_scores_read(&made.scores, metric, all) && ursa_settle_average(&made.scores, metric, &average) &&
        (made.decided = ursa_scores_decide(&made.scores, metric)) != NULL)
        result = average == URSA_BINARY    ? of_one(&made, ratio, beta, ursa_metric_positive(metric))
                 : average == URSA_MICRO   ? of_all(&made, ratio, beta)
                 : average == URSA_SAMPLES ? of_items(&made, ratio, beta)
                                           : of_classes(&made, ratio, beta, average == URSA_WEIGHTED);
    free(made.decided);
    ursa_scores_free(&made.scores);
    return result;
}

/* ---- the metrics -------------------------------------------------------------------------- */

static double precision(const ursa_metric *metric, const ursa_outputs *all)
{
    return averaged(metric, all, precision_of);
}

static double recall(const ursa_metric *metric, const ursa_outputs *all)
{
    return averaged(metric, all, recall_of);
}

static double fbeta(const ursa_metric *metric, const ursa_outputs *all)
{
    return averaged(metric, all, fbeta_of);
}

static double jaccard(const ursa_metric *metric, const ursa_outputs *all)
{
    return averaged(metric, all, jaccard_of);
}

ursa_metric ursa_metric_precision(const ursa_metric_options *options)
{
    return ursa_metric_of("precision", options, 0, precision);
}

ursa_metric ursa_metric_recall(const ursa_metric_options *options)
{
    return ursa_metric_of("recall", options, 0, recall);
}

ursa_metric ursa_metric_fbeta(double beta, const ursa_metric_options *options)
{
    return ursa_metric_of(beta == 1 ? "f1_score" : beta == 2 ? "f2_score" : "fbeta", options, beta, fbeta);
}

ursa_metric ursa_metric_jaccard(const ursa_metric_options *options)
{
    return ursa_metric_of("jaccard", options, 0, jaccard);
}
