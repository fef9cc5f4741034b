/* interpret.h — looking at data and at what a network makes of it: batches,
 * results, confusion, the items it is most wrong about, where it looks, what it
 * is made of.
 *
 * Pictures are PNG or SVG, by the suffix of their path, see plot.h. Functions
 * that draw return false with an error when they cannot.
 */
#ifndef URSA_INTERPRET_H
#define URSA_INTERPRET_H

#include <ursa/plot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data and results ------------------------------------------------------------ */

typedef struct ursa_show_options {
    int max_n;      /* items; default 9 */
    int rows;       /* default: one of up to five items, else nearly a square */
    bool unique;    /* show_batch: one item again and again, as training would see it */
    bool valid;     /* show_batch: of the validation set; show_results is always */
    uint64_t epoch; /* show_batch: which epoch's order and augmentation */
} ursa_show_options;

/* Items of a training batch as the network gets them, normalisation undone, with
 * their targets: classes as captions, points as dots, masks as a colour over the
 * picture. */
URSA_API bool ursa_show_batch_opt(ursa_dataloaders *data, const char *path, const ursa_show_options *options);
#define ursa_show_batch(data, path, ...) ursa_show_batch_opt(data, path, &(ursa_show_options){__VA_ARGS__})

/* Items of the validation set with what they are and what the learner makes of
 * them: wrong captions are vermilion; predicted points are crosses; of masks the
 * true one is on the left and the predicted one on the right. */
URSA_API bool ursa_show_results_opt(ursa_learner *learner, const char *path, const ursa_show_options *options);
#define ursa_show_results(learner, path, ...) ursa_show_results_opt(learner, path, &(ursa_show_options){__VA_ARGS__})

/* ---- interpretations ---------------------------------------------------------------- */

/* What a learner makes of all items of a set, kept in host memory. */
typedef struct ursa_interpretation ursa_interpretation;

typedef struct ursa_interpret_options {
    ursa_dataloader *loader; /* default: the validation set. It must outlive the interpretation */
} ursa_interpret_options;

/* Runs the network over the set. The learner must outlive it. One that is not
 * freed is freed by ursa_finish(). */
URSA_API ursa_interpretation *ursa_interpret_opt(ursa_learner *learner, const ursa_interpret_options *options);
#define ursa_interpret(learner, ...) ursa_interpret_opt(learner, &(ursa_interpret_options){__VA_ARGS__})
URSA_API void ursa_interpretation_free(ursa_interpretation *interp); /* takes NULL */

/* Predictions, targets and losses; the interpretation's own. */
URSA_API const ursa_outputs *ursa_interpretation_outputs(const ursa_interpretation *interp);
/* How many classes there are, and their names. 0 where targets are no classes. */
URSA_API int ursa_interpretation_classes(const ursa_interpretation *interp, const char *const **names);

/* How often each class (row) was taken for each (column): [classes, classes],
 * the interpretation's own; of masks, pixels. An error where an item is not of
 * one class. */
URSA_API const int64_t *ursa_confusion_matrix(ursa_interpretation *interp);

typedef struct ursa_confusion {
    int actual, predicted;
    const char *actual_name, *predicted_name;
    int64_t count;
} ursa_confusion;
/* The mistakes that were made `least` times or more (0: 1), most frequent first. Returns
 * how many, or -1; the list is the interpretation's, until the next call. */
URSA_API int ursa_most_confused(ursa_interpretation *interp, int64_t least, const ursa_confusion **list);

typedef struct ursa_top_loss {
    int64_t item;          /* position in the outputs */
    int64_t index;         /* position in the dataset */
    double loss;           /* of masks: the mean over pixels */
    double probability;    /* of the predicted class; NaN where there is no such thing */
    int predicted, actual; /* classes; -1 where there are none */
    const char *path;      /* of the item's file, or NULL */
} ursa_top_loss;
/* The k items with the largest (or smallest) losses; k 0: all. NaN counts as the largest.
 * Returns how many, or -1; the list is the interpretation's, until the next call. */
URSA_API int ursa_top_losses(ursa_interpretation *interp, int64_t k, bool largest, const ursa_top_loss **list);

/* Precision, recall, F1 and how often each class (or label) occurs, with their
 * means, as a table: scikit-learn's classification_report. To free(). */
URSA_API char *ursa_classification_report(ursa_interpretation *interp);

typedef struct ursa_confusion_options {
    bool normalize; /* shares of the row in place of counts */
    const char *title;
} ursa_confusion_options;
URSA_API bool ursa_plot_confusion_matrix_opt(ursa_interpretation *interp, const char *path,
                                             const ursa_confusion_options *options);
#define ursa_plot_confusion_matrix(interp, path, ...)                                                                  \
    ursa_plot_confusion_matrix_opt(interp, path, &(ursa_confusion_options){__VA_ARGS__})

typedef struct ursa_top_losses_options {
    bool smallest;
    int rows; /* default: one of up to five items, else nearly a square */
} ursa_top_losses_options;
/* The k items with the largest losses: prediction, what it is, loss and probability. */
URSA_API bool ursa_plot_top_losses_opt(ursa_interpretation *interp, int k, const char *path,
                                       const ursa_top_losses_options *options);
#define ursa_plot_top_losses(interp, k, path, ...)                                                                     \
    ursa_plot_top_losses_opt(interp, k, path, &(ursa_top_losses_options){__VA_ARGS__})

/* Predicted over actual numbers, for regression and points. */
URSA_API bool ursa_plot_regression(ursa_interpretation *interp, const char *path);

/* ---- where a network looks ------------------------------------------------------------- */

/* Grad-CAM (Selvaraju et al. 2017): which places of the validation item `index`
 * speak for a class, drawn over its picture; class -1 is the predicted one. The
 * network must be a sequence of modules, of which some put out maps [N, H, W, C]:
 * the last of these that has more than one place is looked at. */
URSA_API bool ursa_grad_cam(ursa_learner *learner, int64_t index, int class, const char *path);
/* The map itself: [H, W] of 0 … 1, on the device; in the current scope. `x` is
 * one input of the network, [1, H, W, C]. `class` -1 becomes the predicted one. */
URSA_API ursa_tensor *ursa_grad_cam_map(ursa_module *model, ursa_tensor *x, int *class);

/* ---- what a network is made of ----------------------------------------------------------- */

/* A table of all layers: what they are, what they put out for an input of a
 * shape ([64, 224, 224, 3]), how many parameters they have and whether these are
 * trained; then totals and memory. To free(). */
URSA_API char *ursa_module_summary(ursa_module *module, ursa_dims input);
/* The same for a learner's network and a batch of its data. */
URSA_API char *ursa_summary(ursa_learner *learner);

/* ---- a report ------------------------------------------------------------------------------- */

/* Writes a page, index.html, that holds all of it, pictures too: settings, the
 * table of epochs, loss and learning rate curves, a batch, results, the
 * confusion matrix, what is confused most, top losses. The pictures are left
 * beside it. Makes the folder. */
URSA_API bool ursa_report(ursa_learner *learner, const char *folder);

#ifdef __cplusplus
}
#endif
#endif
