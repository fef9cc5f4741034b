/* metrics.h — numbers that people understand.
 *
 * A metric is a value that a learner computes over the whole validation set; a
 * metric with arguments fixed is one expression:
 *
 *     .metrics = { ursa_accuracy_multi(.threshold = 0.2),
 *                  ursa_fbeta(2, .average = URSA_SAMPLES, .threshold = 0.2) }
 *
 * Predictions are what the network puts out: logits for classes, numbers for
 * regression. Targets decide what a metric means:
 *  - classes i64 [...] beside predictions [..., C]: one class per item, the
 *    prediction is the largest output;
 *  - f32 [..., C] of 0 and 1 beside predictions [..., C]: any number of labels per
 *    item, the prediction is every label whose probability is above .threshold.
 *
 * Values are scikit-learn's, unless said otherwise. Where a number is not
 * defined — no positive to recall, say — it is what scikit-learn gives with
 * zero_division = 0, and NaN where scikit-learn gives NaN or refuses.
 *
 * A metric of one's own is a value of ursa_metric, see learner.h.
 */
#ifndef URSA_METRICS_H
#define URSA_METRICS_H

#include <ursa/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How numbers of classes become one. */
typedef enum ursa_average {
    URSA_AVERAGE_AUTO, /* binary for one class per item of two, else macro */
    URSA_BINARY,       /* of the class .positive alone */
    URSA_MICRO,        /* all decisions are counted together */
    URSA_MACRO,        /* the mean over classes; of classes that are neither predicted nor true nothing is counted
                          where there is one class per item */
    URSA_WEIGHTED,     /* the mean over classes, weighted by how often they are true */
    URSA_SAMPLES,      /* the mean over items; only for several labels per item */
} ursa_average;

typedef enum ursa_kappa_weights { URSA_UNWEIGHTED, URSA_LINEAR, URSA_QUADRATIC } ursa_kappa_weights;

typedef struct ursa_metric_options {
    const char *name; /* the column's; default: as the function's */
    ursa_average average;
    double threshold;           /* of probabilities of labels; default 0.5, below 0: 0 */
    bool no_sigmoid;            /* predictions of labels are probabilities already */
    int positive;               /* the class that counts in URSA_BINARY; 0: class 1; -1: class 0 */
    ursa_kappa_weights weights; /* Cohen's kappa: how far two classes are apart, by their numbers */
} ursa_metric_options;

/* ---- one class per item -------------------------------------------------------- */

/* ursa_accuracy, ursa_error_rate and ursa_top_k_accuracy(k) are in learner.h. */

/* The mean of the recalls of all classes that occur. */
URSA_API ursa_metric ursa_metric_balanced_accuracy(const ursa_metric_options *options);
#define ursa_balanced_accuracy(...) ursa_metric_balanced_accuracy(&(ursa_metric_options){__VA_ARGS__})
/* Cohen 1960 and 1968; NaN when there is one class only. */
URSA_API ursa_metric ursa_metric_cohen_kappa(const ursa_metric_options *options);
#define ursa_cohen_kappa(...) ursa_metric_cohen_kappa(&(ursa_metric_options){__VA_ARGS__})
/* Matthews 1975, for any number of classes as Gorodkin 2004; 0 when either side
 * has one class only. */
URSA_API ursa_metric ursa_metric_matthews(const ursa_metric_options *options);
#define ursa_matthews(...) ursa_metric_matthews(&(ursa_metric_options){__VA_ARGS__})
/* e to the mean cross-entropy. */
URSA_API ursa_metric ursa_metric_perplexity(const ursa_metric_options *options);
#define ursa_perplexity(...) ursa_metric_perplexity(&(ursa_metric_options){__VA_ARGS__})

/* ---- one class or several labels --------------------------------------------------- */

/* The share of labels that are right: fastai's accuracy_multi, which was
 * accuracy_thresh. Several labels only. */
URSA_API ursa_metric ursa_metric_accuracy_multi(const ursa_metric_options *options);
#define ursa_accuracy_multi(...) ursa_metric_accuracy_multi(&(ursa_metric_options){__VA_ARGS__})
/* The share of labels, or of items, that are wrong. */
URSA_API ursa_metric ursa_metric_hamming_loss(const ursa_metric_options *options);
#define ursa_hamming_loss(...) ursa_metric_hamming_loss(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_precision(const ursa_metric_options *options);
#define ursa_precision(...) ursa_metric_precision(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_recall(const ursa_metric_options *options);
#define ursa_recall(...) ursa_metric_recall(&(ursa_metric_options){__VA_ARGS__})
/* The harmonic mean of precision and recall, recall beta times as important
 * (van Rijsbergen 1979). */
URSA_API ursa_metric ursa_metric_fbeta(double beta, const ursa_metric_options *options);
#define ursa_fbeta(beta, ...) ursa_metric_fbeta(beta, &(ursa_metric_options){__VA_ARGS__})
#define ursa_f1_score(...)    ursa_metric_fbeta(1, &(ursa_metric_options){__VA_ARGS__})
/* True positives over all that is true or predicted (Jaccard 1901). */
URSA_API ursa_metric ursa_metric_jaccard(const ursa_metric_options *options);
#define ursa_jaccard(...) ursa_metric_jaccard(&(ursa_metric_options){__VA_ARGS__})
/* The area under the curve of true over false positive rate, from the order of
 * the probabilities. One class per item of two, or predictions [..., 1]: binary;
 * of more: every class against the rest. Classes that all items have, or none,
 * are left out of averages; NaN when nothing is left. */
URSA_API ursa_metric ursa_metric_roc_auc(const ursa_metric_options *options);
#define ursa_roc_auc(...) ursa_metric_roc_auc(&(ursa_metric_options){__VA_ARGS__})
/* The mean of the precisions at every recall; averages as ursa_roc_auc(), but
 * classes without positives count as 0. */
URSA_API ursa_metric ursa_metric_average_precision(const ursa_metric_options *options);
#define ursa_average_precision(...) ursa_metric_average_precision(&(ursa_metric_options){__VA_ARGS__})

/* ---- regression ---------------------------------------------------------------------- */

/* Predictions and targets have as many numbers. R² and explained variance are
 * means over the last axis where items have several numbers. */
URSA_API ursa_metric ursa_metric_mse(const ursa_metric_options *options);
#define ursa_mse_metric(...) ursa_metric_mse(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_rmse(const ursa_metric_options *options);
#define ursa_rmse(...) ursa_metric_rmse(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_mae(const ursa_metric_options *options);
#define ursa_mae(...) ursa_metric_mae(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_r2(const ursa_metric_options *options);
#define ursa_r2_score(...) ursa_metric_r2(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_explained_variance(const ursa_metric_options *options);
#define ursa_explained_variance(...) ursa_metric_explained_variance(&(ursa_metric_options){__VA_ARGS__})

/* ---- segmentation ---------------------------------------------------------------------- */

/* A class per pixel: predictions [..., C], targets i64 [...], C up to 256. Summed
 * up batch by batch. Of two classes: of class 1; of more: the mean over the
 * classes that occur on either side, as fastai's Dice, DiceMulti and
 * JaccardCoeff(Multi). NaN when no class does. */
URSA_API ursa_metric ursa_metric_dice(const ursa_metric_options *options);
#define ursa_dice(...) ursa_metric_dice(&(ursa_metric_options){__VA_ARGS__})
URSA_API ursa_metric ursa_metric_pixel_jaccard(const ursa_metric_options *options);
#define ursa_pixel_jaccard(...) ursa_metric_pixel_jaccard(&(ursa_metric_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
