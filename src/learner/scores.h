/* scores.h — predictions and targets of a whole validation set, as metrics see them. */
#ifndef URSA_LEARNER_SCORES_H
#define URSA_LEARNER_SCORES_H

#include <ursa/metrics.h>

/* What the options of metrics.h become in ursa_metric.argument. */
enum { ARGUMENT_BETA, ARGUMENT_THRESHOLD, ARGUMENT_AVERAGE, ARGUMENT_CHOICE };

ursa_metric ursa_metric_of(const char *name, const ursa_metric_options *options, double beta,
                           double (*compute)(const ursa_metric *metric, const ursa_outputs *all));
ursa_average ursa_metric_average(const ursa_metric *metric);
double ursa_metric_threshold(const ursa_metric *metric);
bool ursa_metric_no_sigmoid(const ursa_metric *metric);
int ursa_metric_positive(const ursa_metric *metric);
ursa_kappa_weights ursa_metric_weights(const ursa_metric *metric);

/* Outputs as items with classes; a pixel of a mask is an item. */
struct ursa_scores {
    int64_t items;
    int classes;
    bool several;          /* labels per item; else one class */
    const float *outputs;  /* [items, classes] */
    const int64_t *actual; /* [items], NULL when there are several labels */
    uint8_t *truth;        /* [items, classes], 0 or 1 */
};

/* False with an error when the two do not fit. */
bool ursa_scores_read(struct ursa_scores *scores, const ursa_metric *metric, const ursa_outputs *all);
void ursa_scores_free(struct ursa_scores *scores);

/* What is predicted, [items, classes] of 0 and 1; free() it. */
uint8_t *ursa_scores_decide(const struct ursa_scores *scores, const ursa_metric *metric);
/* The class of an item with the largest output. */
int ursa_scores_predicted(const struct ursa_scores *scores, int64_t item);

/* How to average a metric of classes; false with an error for one that does not fit the scores. */
bool ursa_settle_average(const struct ursa_scores *scores, const ursa_metric *metric, ursa_average *average);

#endif
