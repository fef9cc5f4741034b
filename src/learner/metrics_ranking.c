/* metrics_ranking.c — what the order of the probabilities is worth: area under the
 * ROC curve, average precision. */
#include "scores.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* A score, and whether it is one of a positive. */
struct ranked {
    double score;
    uint8_t positive;
};

static int by_score(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
    return (x < y) - (x > y);
}

/* A number of a ranking, best first. */
typedef double rank_number(const struct ranked *ranked, int64_t count);

/* The end of the items that have the score of item `from`. */
static int64_t tie_end(const struct ranked *ranked, int64_t count, int64_t from)
{
    int64_t end = from + 1;
    while (end < count && ranked[end].score == ranked[from].score)
        end++;
    return end;
}

static double area(const struct ranked *ranked, int64_t count)
{
    double positives = 0, negatives = 0, sum = 0;
    for (int64_t from = 0, end; from < count; from = end) {
        double rise = 0, run = 0;
        end = tie_end(ranked, count, from);
        for (int64_t i = from; i < end; i++)
            *(ranked[i].positive ? &rise : &run) += 1;
        sum += run * (positives + rise / 2);
        positives += rise;
        negatives += run;
    }
    return sum / (positives * negatives);
}

static double mean_precision(const struct ranked *ranked, int64_t count)
{
    double positives = 0, sum = 0;
    for (int64_t from = 0, end; from < count; from = end) {
        double before = positives;
        end = tie_end(ranked, count, from);
        for (int64_t i = from; i < end; i++)
            positives += ranked[i].positive;
        sum += (positives - before) * positives / (double)end;
    }
    return positives > 0 ? sum / positives : 0;
}

/* ---- scores ------------------------------------------------------------------------------ */

/* What orders the items of a class. Labels stand alone, so their outputs will do;
 * one class of several needs its probability, of two the difference. */
static double score_of(const struct ursa_scores *scores, int64_t item, int class)
{
    const float *row = scores->outputs + item * scores->classes;
    if (scores->several || scores->classes == 1)
        return (double)row[class];
    if (scores->classes == 2)
        return (double)row[class] - (double)row[1 - class];
    double sum = 0;
    for (int c = 0; c < scores->classes; c++)
        sum += exp((double)row[c] - (double)row[class]);
    return 1 / sum;
}

/* The classes or items that a ranking takes in. */
struct part {
    int first_class, classes;
    int64_t first_item, items;
    bool inverted; /* what is not the class counts */
};

static double number_of(const struct ursa_scores *scores, const struct part *part, rank_number *number,
                        struct ranked *room, double *positives)
{
    int64_t count = 0;
    *positives = 0;
    for (int64_t i = part->first_item; i < part->first_item + part->items; i++)
        for (int c = part->first_class; c < part->first_class + part->classes; c++) {
            double score = score_of(scores, i, c);
            if (isnan(score))
                return NAN;
            uint8_t truth = scores->truth[i * scores->classes + c];
            room[count] = part->inverted ? (struct ranked){-score, !truth} : (struct ranked){score, truth};
            *positives += room[count++].positive;
        }
    qsort(room, (size_t)count, sizeof *room, by_score);
    return number(room, count);
}

static double mean_of(const struct ursa_scores *scores, rank_number *number, struct ranked *room, ursa_average average)
{
    int64_t parts = average == URSA_SAMPLES ? scores->items : scores->classes;
    double sum = 0, weights = 0, positives;
    for (int64_t i = 0; i < parts; i++) {
        struct part part = average == URSA_SAMPLES ? (struct part){0, scores->classes, i, 1, false}
                                                   : (struct part){(int)i, 1, 0, scores->items, false};
        double value = number_of(scores, &part, number, room, &positives);
        double weight = average == URSA_WEIGHTED ? positives : 1;
        if (isnan(value) || weight == 0)
            continue;
        sum += weight * value;
        weights += weight;
    }
    return sum / weights;
}

static double ranked_average(const ursa_metric *metric, const ursa_outputs *all, rank_number *number)
{
    struct ursa_scores scores;
    ursa_average average;
    double result = NAN, positives;
    if (!ursa_scores_read(&scores, metric, all))
        return NAN;
    struct ranked *room = ursa_alloc_array((size_t)(scores.items * scores.classes) + 1, sizeof *room);
    if (room && ursa_settle_average(&scores, metric, &average)) {
        int positive = ursa_metric_positive(metric), class = scores.classes > 1 ? positive : 0;
        struct part one = {class, 1, 0, scores.items, scores.classes == 1 && positive == 0};
        struct part whole = {0, scores.classes, 0, scores.items, false};
        result = average == URSA_BINARY  ? number_of(&scores, &one, number, room, &positives)
                 : average == URSA_MICRO ? number_of(&scores, &whole, number, room, &positives)
                                         : mean_of(&scores, number, room, average);
    }
    free(room);
    ursa_scores_free(&scores);
    return result;
}

/* ---- the metrics ---------------------------------------------------------------------------- */

static double roc_auc(const ursa_metric *metric, const ursa_outputs *all)
{
    return ranked_average(metric, all, area);
}

static double average_precision(const ursa_metric *metric, const ursa_outputs *all)
{
    return ranked_average(metric, all, mean_precision);
}

ursa_metric ursa_metric_roc_auc(const ursa_metric_options *options)
{
    return ursa_metric_of("roc_auc", options, 0, roc_auc);
}

ursa_metric ursa_metric_average_precision(const ursa_metric_options *options)
{
    return ursa_metric_of("average_precision", options, 0, average_precision);
}
