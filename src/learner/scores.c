/* scores.c — from tensors to decisions. */
#include "scores.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments ------------------------------------------------------------------- */

/* The last argument holds the rest: bit 0 no sigmoid, bits 1 and 2 the weights of
 * kappa, above them the positive class. */
ursa_metric ursa_metric_of(const char *name, const ursa_metric_options *options, double beta,
                           double (*compute)(const ursa_metric *metric, const ursa_outputs *all))
{
    int positive = options->positive < 0 ? 0 : options->positive > 0 ? options->positive : 1;
    double threshold = options->threshold < 0 ? 0 : options->threshold > 0 ? options->threshold : 0.5;
    return (ursa_metric){
        .name = options->name ? options->name : name,
        .compute = compute,
        .argument = {beta, threshold, options->average,
                     (options->no_sigmoid ? 1 : 0) + 2 * (int)options->weights + 8.0 * positive},
    };
}

ursa_average ursa_metric_average(const ursa_metric *metric)
{
    return (ursa_average)metric->argument[ARGUMENT_AVERAGE];
}

double ursa_metric_threshold(const ursa_metric *metric)
{
    return metric->argument[ARGUMENT_THRESHOLD];
}

bool ursa_metric_no_sigmoid(const ursa_metric *metric)
{
    return (int)metric->argument[ARGUMENT_CHOICE] & 1;
}

ursa_kappa_weights ursa_metric_weights(const ursa_metric *metric)
{
    return (ursa_kappa_weights)((int)metric->argument[ARGUMENT_CHOICE] >> 1 & 3);
}

int ursa_metric_positive(const ursa_metric *metric)
{
    return (int)metric->argument[ARGUMENT_CHOICE] >> 3;
}

/* ---- reading ------------------------------------------------------------------------ */

/* Whether targets are classes, or labels of 0 and 1. */
static bool check_shapes(struct ursa_scores *scores, const ursa_metric *metric, const ursa_outputs *all)
{
    int classes = all->shape.ndim > 0 ? (int)all->shape.dim[all->shape.ndim - 1] : 1;
    int64_t items = classes > 0 ? all->count * all->size / classes : 0;
    bool several = all->values && all->target_size == all->size;
    if (!several && (!all->classes || all->count * all->target_size != items))
        return ursa_fail(URSA_ERROR_SHAPE,
                         "%s: an item has %lld outputs, %d of them classes, and %lld %s; expected a class for each %d "
                         "outputs, or a label for each output",
                         metric->name, (long long)all->size, classes, (long long)all->target_size,
                         all->classes ? "classes" : "numbers as its target", classes);
    *scores = (struct ursa_scores){
        .items = items, .classes = classes, .several = several, .outputs = all->raw, .actual = all->classes};
    return true;
}

static bool mark_classes(struct ursa_scores *scores, const ursa_metric *metric)
{
    /* One output tells two classes apart. */
    int classes = scores->classes == 1 ? 2 : scores->classes;
    for (int64_t i = 0; i < scores->items; i++) {
        int64_t actual = scores->actual[i];
        if (actual < 0 || actual >= classes)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: target %lld is class %lld; expected 0 … %d", metric->name,
                             (long long)i, (long long)actual, classes - 1);
        if (scores->classes > 1)
            scores->truth[i * scores->classes + actual] = 1;
        else
            scores->truth[i] = (uint8_t)actual;
    }
    return true;
}

bool ursa_scores_read(struct ursa_scores *scores, const ursa_metric *metric, const ursa_outputs *all)
{
    *scores = (struct ursa_scores){0};
    if (!all || !check_shapes(scores, metric, all))
        return false;
    int64_t count = scores->items * scores->classes;
    scores->truth = ursa_alloc((size_t)count + 1);
    for (int64_t i = 0; scores->truth && scores->several && i < count; i++)
        scores->truth[i] = all->values[i] > 0.5f;
    if (scores->truth && (scores->several || mark_classes(scores, metric)))
        return true;
    ursa_scores_free(scores);
    return false;
}

void ursa_scores_free(struct ursa_scores *scores)
{
    free(scores->truth);
    *scores = (struct ursa_scores){0};
}

/* ---- deciding ------------------------------------------------------------------------- */

int ursa_scores_predicted(const struct ursa_scores *scores, int64_t item)
{
    const float *row = scores->outputs + item * scores->classes;
    int best = 0;
    for (int c = 1; c < scores->classes; c++)
        best = row[c] > row[best] ? c : best;
    return best;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

uint8_t *ursa_scores_decide(const struct ursa_scores *scores, const ursa_metric *metric)
{
    int64_t count = scores->items * scores->classes;
    uint8_t *decided = ursa_alloc((size_t)count + 1);
    if (!decided)
        return NULL;
    if (!scores->several && scores->classes > 1) {
        for (int64_t i = 0; i < scores->items; i++)
            decided[i * scores->classes + ursa_scores_predicted(scores, i)] = 1;
        return decided;
    }
    double threshold = ursa_metric_threshold(metric);
    bool plain = ursa_metric_no_sigmoid(metric);
    for (int64_t i = 0; i < count; i++)
        decided[i] = (plain ? (double)scores->outputs[i] : sigmoid((double)scores->outputs[i])) > threshold;
    return decided;
}

bool ursa_settle_average(const struct ursa_scores *scores, const ursa_metric *metric, ursa_average *average)
{
    static const char *const names[] = {"auto", "binary", "micro", "macro", "weighted", "samples"};
    bool two = !scores->several && scores->classes <= 2;
    *average = ursa_metric_average(metric);
    if (*average == URSA_AVERAGE_AUTO)
        *average = two ? URSA_BINARY : URSA_MACRO;
    if ((*average == URSA_SAMPLES && !scores->several) || (*average == URSA_BINARY && scores->several))
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: the average %s is not defined for %s per item", metric->name,
                         names[*average], scores->several ? "several labels" : "one class");
    if (*average == URSA_BINARY && scores->classes > 1 && ursa_metric_positive(metric) >= scores->classes)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: the positive class is %d; expected 0 … %d", metric->name,
                         ursa_metric_positive(metric), scores->classes - 1);
    return true;
}
