/* optim.h — optimizers, gradient clipping and schedules.
 *
 * Formulas are PyTorch's where PyTorch has the method. Steps run on the
 * parameters' device and never wait for it.
 */
#ifndef URSA_OPTIM_H
#define URSA_OPTIM_H

#include <ursa/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- optimizers ----------------------------------------------------------- */

typedef struct ursa_optimizer ursa_optimizer;

typedef enum ursa_optimizer_kind {
    URSA_SGD,     /* with momentum (Polyak) or Nesterov's */
    URSA_ADAM,    /* Kingma and Ba 2015; weight decay as L2 */
    URSA_ADAMW,   /* Loshchilov and Hutter 2019; true weight decay */
    URSA_RMSPROP, /* Tieleman and Hinton 2012 */
    URSA_RADAM,   /* Liu et al. 2020 */
    URSA_LAMB,    /* You et al. 2020 */
} ursa_optimizer_kind;

/* Zero means the default; a number below 0 means zero. */
typedef struct ursa_optimizer_options {
    double lr;           /* default 1e-3; SGD 1e-2, RMSProp 1e-2 */
    double momentum;     /* SGD, RMSProp: default 0 */
    double dampening;    /* SGD */
    bool nesterov;       /* SGD */
    double beta1, beta2; /* default 0.9, 0.999 */
    double eps;          /* default 1e-8; LAMB 1e-6 */
    double alpha;        /* RMSProp: default 0.99 */
    bool centered;       /* RMSProp */
    double weight_decay; /* default 0; AdamW and LAMB 0.01 */
    bool l2;             /* decay through the gradient; implied by Adam, SGD and RMSProp as in PyTorch */
    bool true_decay;     /* decay of the weights themselves, times lr; implied by AdamW, LAMB */
    bool decay_norms;    /* decay scales, shifts and biases too; default: weights only, unlike PyTorch */
    double max_ratio;    /* LAMB: bound of the trust ratio; default none */
} ursa_optimizer_options;

/* An optimizer of all parameters of a module, in one group. The module must
 * outlive it. */
URSA_API ursa_optimizer *ursa_optimizer_new(ursa_optimizer_kind kind, ursa_module *module,
                                            const ursa_optimizer_options *options);
/* Of bare tensors, which must outlive it. */
URSA_API ursa_optimizer *ursa_optimizer_of(ursa_optimizer_kind kind, ursa_tensor *const *tensors, int count,
                                           const ursa_optimizer_options *options);
#define ursa_sgd(module, ...)     ursa_optimizer_new(URSA_SGD, module, &(ursa_optimizer_options){__VA_ARGS__})
#define ursa_adam(module, ...)    ursa_optimizer_new(URSA_ADAM, module, &(ursa_optimizer_options){__VA_ARGS__})
#define ursa_adamw(module, ...)   ursa_optimizer_new(URSA_ADAMW, module, &(ursa_optimizer_options){__VA_ARGS__})
#define ursa_rmsprop(module, ...) ursa_optimizer_new(URSA_RMSPROP, module, &(ursa_optimizer_options){__VA_ARGS__})
#define ursa_radam(module, ...)   ursa_optimizer_new(URSA_RADAM, module, &(ursa_optimizer_options){__VA_ARGS__})
#define ursa_lamb(module, ...)    ursa_optimizer_new(URSA_LAMB, module, &(ursa_optimizer_options){__VA_ARGS__})
URSA_API void ursa_optimizer_free(ursa_optimizer *optimizer); /* takes NULL */

/* One step from the gradients there are; parameters without one stay. */
URSA_API bool ursa_optimizer_step(ursa_optimizer *optimizer);
URSA_API void ursa_optimizer_zero_grad(ursa_optimizer *optimizer);

/* Lookahead (Zhang et al. 2019) around any optimizer: every k steps the slow
 * weights move by alpha towards the fast ones, which restart from there. */
URSA_API bool ursa_lookahead(ursa_optimizer *optimizer, int k, double alpha);

/* Parameter groups: each has a learning rate, momentum and decay of its own.
 * Moves the parameters of a module out of the groups they are in to a new one
 * and returns its number, or -1. Groups are numbered from 0, the one that
 * ursa_optimizer_new() made. */
URSA_API int ursa_optimizer_add_group(ursa_optimizer *optimizer, ursa_module *module);
/* Regroups all parameters by their names: those from the first whose name is
 * starts[0], or begins with it and a dot, on are the second group, and so on.
 * The names must come in the order of the network. */
URSA_API bool ursa_optimizer_split(ursa_optimizer *optimizer, const char *const *starts, int count);
URSA_API int ursa_optimizer_groups(const ursa_optimizer *optimizer);
/* The group of a parameter; -1 when the optimizer does not have it. */
URSA_API int ursa_optimizer_group_of(const ursa_optimizer *optimizer, const ursa_tensor *parameter);
/* group -1: all of them. */
URSA_API bool ursa_optimizer_set_lr(ursa_optimizer *optimizer, int group, double lr);
URSA_API bool ursa_optimizer_set_momentum(ursa_optimizer *optimizer, int group, double momentum); /* or beta1 */
URSA_API bool ursa_optimizer_set_decay(ursa_optimizer *optimizer, int group, double weight_decay);
URSA_API double ursa_optimizer_lr(const ursa_optimizer *optimizer, int group);
URSA_API double ursa_optimizer_momentum(const ursa_optimizer *optimizer, int group);

/* What a checkpoint keeps: tensors named "<parameter>.<state>", and the number
 * of steps. The list belongs to the optimizer and is valid until its next
 * call. `allocate` makes state that no step has needed yet. */
typedef struct ursa_optimizer_state {
    const char *name;
    ursa_tensor *tensor;
} ursa_optimizer_state;
URSA_API int ursa_optimizer_states(ursa_optimizer *optimizer, bool allocate, const ursa_optimizer_state **list);
URSA_API int64_t ursa_optimizer_steps(const ursa_optimizer *optimizer);
URSA_API void ursa_optimizer_set_steps(ursa_optimizer *optimizer, int64_t steps);
/* Forgets momenta, squares and steps, as if it were new; rates and groups stay. */
URSA_API void ursa_optimizer_clear_state(ursa_optimizer *optimizer);

/* ---- gradient clipping ------------------------------------------------------ */

/* Scales all gradients so that their common L2 norm is at most `max_norm`;
 * returns the norm before, a scalar tensor on the device (NULL after an
 * error): nothing waits unless it is read. */
URSA_API ursa_tensor *ursa_clip_grad_norm(ursa_optimizer *optimizer, double max_norm);
URSA_API bool ursa_clip_grad_value(ursa_optimizer *optimizer, double limit);

/* ---- schedules ---------------------------------------------------------------- *
 *
 * A value as a function of the position in training, 0 … 1. */
typedef struct ursa_schedule ursa_schedule;

URSA_API ursa_schedule *ursa_schedule_constant(double value);
URSA_API ursa_schedule *ursa_schedule_linear(double start, double end);
URSA_API ursa_schedule *ursa_schedule_cosine(double start, double end);
URSA_API ursa_schedule *ursa_schedule_exponential(double start, double end);
URSA_API ursa_schedule *ursa_schedule_polynomial(double start, double end, double power);
/* Pieces one after the other, each over its share of the whole; shares add up
 * to 1. Takes over the pieces. */
URSA_API ursa_schedule *ursa_schedule_combine(const double *shares, ursa_schedule *const *pieces, int count);
/* Smith's one-cycle as fastai does it: cosine from max / div up to max over
 * pct_start, then cosine down to max / div_final. Zeros mean 0.25, 25, 1e5. */
URSA_API ursa_schedule *ursa_schedule_one_cycle(double max, double pct_start, double div, double div_final);
URSA_API double ursa_schedule_at(const ursa_schedule *schedule, double position);
URSA_API void ursa_schedule_free(ursa_schedule *schedule); /* takes NULL */

#ifdef __cplusplus
}
#endif
#endif
