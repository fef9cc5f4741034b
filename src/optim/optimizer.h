/* optimizer.h — the inside of an optimizer. */
#ifndef URSA_OPTIM_OPTIMIZER_H
#define URSA_OPTIM_OPTIMIZER_H

#include <ursa/optim.h>

/* State per parameter: what m and v mean depends on the kind. */
enum { SLOT_MOMENTUM, SLOT_SQUARE, SLOT_MEAN, SLOT_SLOW, SLOT_COUNT };

struct slot_parameter {
    char *name;
    ursa_tensor *tensor;
    int group;
    int64_t steps;                  /* taken so far: fewer than the optimizer's while it was frozen */
    bool decays;                    /* whether weight decay applies */
    ursa_tensor *slots[SLOT_COUNT]; /* made by the first step that needs them */
};

struct parameter_group {
    double lr, momentum, weight_decay;
};

struct ursa_optimizer {
    ursa_optimizer_kind kind;
    ursa_optimizer_options options; /* with the defaults filled in */
    struct slot_parameter *parameters;
    int count;
    struct parameter_group *groups;
    int group_count;
    int64_t steps;
    ursa_tensor *skip; /* [1] on the device: where it is not 0, a step leaves everything as it is; or NULL, not owned */
    int lookahead_every;
    double lookahead_alpha;
    ursa_optimizer_state *states; /* what ursa_optimizer_states() handed out */
    int state_count;
};

/* The state of a parameter, made and zeroed on first use; NULL after an error. */
ursa_tensor *ursa_optimizer_slot(struct slot_parameter *parameter, int slot);

/* The state of a name as ursa_optimizer_states() has it, made where it is not yet there; NULL without an error when
 * there can be none of this name. */
ursa_tensor *ursa_optimizer_state_by_name(ursa_optimizer *optimizer, const char *name);

/* One step of one parameter; step is 1 for its first. */
bool ursa_optimizer_update(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step);

#endif
