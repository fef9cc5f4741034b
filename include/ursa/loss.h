/* loss.h — what is trained for: a loss as a value, with what belongs to it.
 *
 * A loss knows, beside its number, what turns the network's raw outputs into
 * predictions (softmax, sigmoid) and predictions into decisions (the class,
 * the set of classes above a threshold), so that predicting and explaining
 * need not be told again. As fastai's loss functions: activation and decodes.
 */
#ifndef URSA_LOSS_H
#define URSA_LOSS_H

#include <ursa/transform.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_loss ursa_loss;

typedef struct ursa_loss_class {
    const char *name; /* "cross_entropy": in model files */
    /* Of raw predictions [N, ...]: a scalar, or with URSA_EACH a loss per item, [N] or more axes behind it. */
    ursa_tensor *(*value)(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target,
                          ursa_reduction reduction);
    /* Raw outputs → predictions; NULL: they are the same. */
    ursa_tensor *(*activation)(const ursa_loss *loss, ursa_tensor *prediction);
    /* Predictions → decisions: i64 classes, or f32 0 and 1; NULL: predictions are decisions. */
    ursa_tensor *(*decode)(const ursa_loss *loss, ursa_tensor *prediction);
    bool classes; /* targets are numbers of classes, which cannot be mixed as numbers are */
} ursa_loss_class;

struct ursa_loss {
    const ursa_loss_class *class; /* NULL: the learner chooses by its targets */
    ursa_loss_options options;    /* a learner keeps options.weight */
    double thresh;                /* BCE: decisions are predictions above it */
    ursa_tensor *(*function)(ursa_tensor *prediction, ursa_tensor *target); /* ursa_loss_of() */
};

/* Classes i64 [N, ...] for raw outputs [N, ..., C]: softmax, argmax. Options:
 * .weight = a tensor [C], .smoothing = 0.1, .ignore. For pictures [N, H, W, C]
 * this is the loss over pixels. */
URSA_API ursa_loss ursa_cross_entropy_loss_opt(const ursa_loss_options *options);
#define ursa_cross_entropy_loss(...) ursa_cross_entropy_loss_opt(&(ursa_loss_options){__VA_ARGS__})
/* (1 - p)^γ times the cross-entropy (Lin et al. 2017), as fastai's: .gamma, default 2, .weight. */
URSA_API ursa_loss ursa_focal_loss_opt(const ursa_loss_options *options);
#define ursa_focal_loss(...) ursa_focal_loss_opt(&(ursa_loss_options){__VA_ARGS__})
/* Targets f32 [N, C] of 0 and 1: sigmoid, then what lies above `thresh` (0: 0.5). Options: .positive_weight. */
URSA_API ursa_loss ursa_bce_loss_opt(double thresh, const ursa_loss_options *options);
#define ursa_bce_loss(thresh, ...) ursa_bce_loss_opt(thresh, &(ursa_loss_options){__VA_ARGS__})
/* Targets f32 of the predictions' elements; shapes may differ ([N] and [N, 1], points [N, K, 2] and [N, 2 K]). */
URSA_API ursa_loss ursa_mse_loss(void);
URSA_API ursa_loss ursa_l1_loss(void);
/* A function of one's own, without activation and decisions; a mean. */
URSA_API ursa_loss ursa_loss_of(ursa_tensor *(*function)(ursa_tensor *prediction, ursa_tensor *target));
/* What suits targets of a kind: categories and masks cross-entropy, several categories BCE, points and numbers
 * MSE. For anything else: integers cross-entropy, floats MSE. */
URSA_API ursa_loss ursa_loss_for(ursa_kind kind, ursa_dtype dtype);
/* A loss by the name of its class and its threshold, as a model file keeps them. An unknown name is an error that
 * lists them. */
URSA_API bool ursa_loss_by_name(const char *name, double thresh, ursa_loss *out);

/* The mean over the items (URSA_MEAN), or the other ways of `reduction`. */
URSA_API ursa_tensor *ursa_loss_value(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target,
                                      ursa_reduction reduction);
URSA_API ursa_tensor *ursa_loss_activation(const ursa_loss *loss, ursa_tensor *prediction);
URSA_API ursa_tensor *ursa_loss_decode(const ursa_loss *loss, ursa_tensor *prediction); /* of activated ones */

#ifdef __cplusplus
}
#endif
#endif
