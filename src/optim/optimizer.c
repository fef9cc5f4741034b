/* optimizer.c — parameters in groups, their state, and the step over all of them. */
#include "optimizer.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double lr, eps, weight_decay;
    bool true_decay;
} standard[] = {
    [URSA_SGD] = {"sgd", 1e-2, 0, 0, false},          [URSA_ADAM] = {"adam", 1e-3, 1e-8, 0, false},
    [URSA_ADAMW] = {"adamw", 1e-3, 1e-8, 1e-2, true}, [URSA_RMSPROP] = {"rmsprop", 1e-2, 1e-8, 0, false},
    [URSA_RADAM] = {"radam", 1e-3, 1e-8, 0, false},   [URSA_LAMB] = {"lamb", 1e-3, 1e-6, 1e-2, true},
};

static double choose(double value, double fallback)
{
    return value < 0 ? 0 : value > 0 ? value : fallback;
}

static bool fill_options(ursa_optimizer *optimizer, ursa_optimizer_kind kind, const ursa_optimizer_options *given)
{
    if ((int)kind < 0 || kind > URSA_LAMB)
        return ursa_fail(URSA_ERROR_ARGUMENT, "optimizer: there is no kind %d", (int)kind);
    ursa_optimizer_options *o = &optimizer->options;
    *o = *given;
    o->lr = choose(given->lr, standard[kind].lr);
    o->beta1 = choose(given->beta1, 0.9);
    o->beta2 = choose(given->beta2, 0.999);
    o->eps = choose(given->eps, standard[kind].eps);
    o->alpha = choose(given->alpha, 0.99);
    o->momentum = choose(given->momentum, 0);
    o->weight_decay = choose(given->weight_decay, standard[kind].weight_decay);
    o->true_decay = given->true_decay || (standard[kind].true_decay && !given->l2);
    if (given->l2 && given->true_decay)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: l2 and true_decay exclude each other", standard[kind].name);
    if (kind == URSA_LAMB && !o->true_decay)
        return ursa_fail(URSA_ERROR_ARGUMENT, "lamb: weight decay belongs to its update; l2 is not one of its options");
    if (o->beta1 >= 1 || o->beta2 >= 1 || o->alpha >= 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: beta1 %g, beta2 %g and alpha %g must be below 1",
                         standard[kind].name, o->beta1, o->beta2, o->alpha);
    if (o->nesterov && (o->momentum <= 0 || o->dampening != 0))
        return ursa_fail(URSA_ERROR_ARGUMENT, "sgd: nesterov needs a momentum above 0 and no dampening");
    optimizer->kind = kind;
    return true;
}

/* What a group's `momentum` is: the number that schedules move against the learning rate. */
static double initial_momentum(const ursa_optimizer *optimizer)
{
    bool plain = optimizer->kind == URSA_SGD || optimizer->kind == URSA_RMSPROP;
    return plain ? optimizer->options.momentum : optimizer->options.beta1;
}

static bool add_parameter(ursa_optimizer *optimizer, const char *name, ursa_tensor *tensor, bool decays)
{
    struct slot_parameter *grown =
        ursa_grow(optimizer->parameters, (size_t)(optimizer->count + 1) * sizeof *optimizer->parameters);
    char *copy = ursa_copy_string(name);
    if (grown)
        optimizer->parameters = grown;
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    grown[optimizer->count++] = (struct slot_parameter){.name = copy, .tensor = ursa_keep(tensor), .decays = decays};
    return true;
}

static int new_group(ursa_optimizer *optimizer)
{
    struct parameter_group *grown =
        ursa_grow(optimizer->groups, (size_t)(optimizer->group_count + 1) * sizeof *optimizer->groups);
    if (!grown)
        return -1;
    optimizer->groups = grown;
    grown[optimizer->group_count] =
        (struct parameter_group){optimizer->options.lr, initial_momentum(optimizer), optimizer->options.weight_decay};
    return optimizer->group_count++;
}

static ursa_optimizer *make(ursa_optimizer_kind kind, const ursa_optimizer_options *options)
{
    ursa_optimizer *optimizer = ursa_alloc(sizeof *optimizer);
    if (optimizer && fill_options(optimizer, kind, options) && new_group(optimizer) == 0)
        return optimizer;
    ursa_optimizer_free(optimizer);
    return NULL;
}

ursa_optimizer *ursa_optimizer_new(ursa_optimizer_kind kind, ursa_module *module, const ursa_optimizer_options *options)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    ursa_optimizer *optimizer = count < 0 ? NULL : make(kind, options);
    for (int i = 0; optimizer && i < count; i++) {
        bool decays = options->decay_norms || !list[i].is_norm_or_bias;
        if (!list[i].is_buffer && !add_parameter(optimizer, list[i].name, list[i].tensor, decays)) {
            ursa_optimizer_free(optimizer);
            return NULL;
        }
    }
    return optimizer;
}

ursa_optimizer *ursa_optimizer_of(ursa_optimizer_kind kind, ursa_tensor *const *tensors, int count,
                                  const ursa_optimizer_options *options)
{
    ursa_optimizer *optimizer = make(kind, options);
    for (int i = 0; optimizer && i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        if (!tensors[i] || !add_parameter(optimizer, name, tensors[i], true)) {
            ursa_optimizer_free(optimizer);
            return NULL;
        }
    }
    return optimizer;
}

void ursa_optimizer_free(ursa_optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (int i = 0; i < optimizer->state_count; i++)
        free((char *)optimizer->states[i].name);
    for (int i = 0; i < optimizer->count; i++) {
        struct slot_parameter *parameter = &optimizer->parameters[i];
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            ursa_free(parameter->slots[slot]);
        ursa_free(parameter->tensor);
        free(parameter->name);
    }
    free(optimizer->states);
    free(optimizer->parameters);
    free(optimizer->groups);
    free(optimizer);
}

/* ---- groups ---------------------------------------------------------------- */

static bool belongs(const ursa_tensor *tensor, const ursa_parameter *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i].tensor == tensor)
            return true;
    return false;
}

int ursa_optimizer_add_group(ursa_optimizer *optimizer, ursa_module *module)
{
    const ursa_parameter *list;
    int count = optimizer ? ursa_parameters(module, &list) : -1;
    if (count < 0)
        return -1;
    int group = new_group(optimizer);
    for (int i = 0; group >= 0 && i < optimizer->count; i++)
        if (belongs(optimizer->parameters[i].tensor, list, count))
            optimizer->parameters[i].group = group;
    return group;
}

static bool begins(const char *name, const char *start)
{
    size_t length = strlen(start);
    return strncmp(name, start, length) == 0 && (name[length] == '.' || !name[length]);
}

bool ursa_optimizer_split(ursa_optimizer *optimizer, const char *const *starts, int count)
{
    if (!optimizer)
        return false;
    int found = 0;
    for (int i = 0; i < optimizer->count; i++) {
        if (found < count && begins(optimizer->parameters[i].name, starts[found]))
            found++;
        optimizer->parameters[i].group = found;
    }
    if (found < count)
        return ursa_fail(URSA_ERROR_ARGUMENT, "optimizer: no parameter's name begins with \"%s.\"%s%s", starts[found],
                         found ? " behind " : "", found ? starts[found - 1] : "");
    while (optimizer->group_count <= count)
        if (new_group(optimizer) < 0)
            return false;
    optimizer->group_count = count + 1;
    return true;
}

int ursa_optimizer_group_of(const ursa_optimizer *optimizer, const ursa_tensor *parameter)
{
    for (int i = 0; optimizer && i < optimizer->count; i++)
        if (optimizer->parameters[i].tensor == parameter)
            return optimizer->parameters[i].group;
    return -1;
}

int ursa_optimizer_groups(const ursa_optimizer *optimizer)
{
    return optimizer ? optimizer->group_count : 0;
}

static bool group_exists(const ursa_optimizer *optimizer, int group)
{
    if (!optimizer)
        return false;
    if (group < -1 || group >= optimizer->group_count)
        return ursa_fail(URSA_ERROR_ARGUMENT, "optimizer: there is no group %d among %d", group,
                         optimizer->group_count);
    return true;
}

#define SETTER(function, member)                                                                                       \
    bool function(ursa_optimizer *optimizer, int group, double value)                                                  \
    {                                                                                                                  \
        if (!group_exists(optimizer, group))                                                                           \
            return false;                                                                                              \
        for (int i = 0; i < optimizer->group_count; i++)                                                               \
            if (group < 0 || i == group)                                                                               \
                optimizer->groups[i].member = value;                                                                   \
        return true;                                                                                                   \
    }
SETTER(ursa_optimizer_set_lr, lr)
SETTER(ursa_optimizer_set_momentum, momentum)
SETTER(ursa_optimizer_set_decay, weight_decay)
#undef SETTER

double ursa_optimizer_lr(const ursa_optimizer *optimizer, int group)
{
    return group_exists(optimizer, group) ? optimizer->groups[group < 0 ? 0 : group].lr : 0;
}

double ursa_optimizer_momentum(const ursa_optimizer *optimizer, int group)
{
    return group_exists(optimizer, group) ? optimizer->groups[group < 0 ? 0 : group].momentum : 0;
}

/* ---- stepping --------------------------------------------------------------- */

ursa_tensor *ursa_optimizer_slot(struct slot_parameter *parameter, int slot)
{
    if (!parameter->slots[slot]) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *zeros = ursa_zeros_like(parameter->tensor);
        parameter->slots[slot] = zeros ? ursa_keep(zeros) : NULL;
        ursa_scope_end(scope);
    }
    return parameter->slots[slot];
}

bool ursa_lookahead(ursa_optimizer *optimizer, int k, double alpha)
{
    if (!optimizer)
        return false;
    if (k < 1 || !(alpha > 0 && alpha <= 1))
        return ursa_fail(URSA_ERROR_ARGUMENT, "lookahead: k is %d and alpha %g; expected 1 or more, and 0 … 1", k,
                         alpha);
    optimizer->lookahead_every = k;
    optimizer->lookahead_alpha = alpha;
    return true;
}

/* The slow weights begin where the parameter is when first asked for. */
static ursa_tensor *slow_weights(struct slot_parameter *parameter)
{
    bool fresh = !parameter->slots[SLOT_SLOW];
    ursa_tensor *slow = ursa_optimizer_slot(parameter, SLOT_SLOW);
    if (slow && fresh && !ursa_copy_(slow, parameter->tensor))
        return NULL;
    return slow;
}

static bool look_ahead(ursa_optimizer *optimizer, struct slot_parameter *parameter)
{
    ursa_tensor *slow = slow_weights(parameter);
    return ursa_lerp_(slow, parameter->tensor, optimizer->lookahead_alpha) && ursa_copy_(parameter->tensor, slow);
}

bool ursa_optimizer_step(ursa_optimizer *optimizer)
{
    if (!optimizer)
        return false;
    int64_t step = optimizer->steps + 1;
    bool looks_ahead = optimizer->lookahead_every > 0 && step % optimizer->lookahead_every == 0;
    ursa_no_grad_begin();
    bool done = true;
    for (int i = 0; done && i < optimizer->count; i++) {
        struct slot_parameter *parameter = &optimizer->parameters[i];
        if (!ursa_grad(parameter->tensor))
            continue;
        if (optimizer->lookahead_every && !slow_weights(parameter))
            done = false;
        done = done && ursa_optimizer_update(optimizer, parameter, parameter->steps + 1);
        parameter->steps += done;
        done = done && (!looks_ahead || look_ahead(optimizer, parameter));
    }
    ursa_no_grad_end();
    if (done)
        optimizer->steps = step;
    return done;
}

void ursa_optimizer_zero_grad(ursa_optimizer *optimizer)
{
    for (int i = 0; optimizer && i < optimizer->count; i++)
        ursa_zero_grad(optimizer->parameters[i].tensor);
}

/* ---- state ------------------------------------------------------------------ */

static const char *const slot_names[SLOT_COUNT] = {"momentum", "square", "mean", "slow"};

static bool kind_has_slot(const ursa_optimizer *optimizer, int slot)
{
    const ursa_optimizer_options *options = &optimizer->options;
    switch (slot) {
    case SLOT_MOMENTUM:
        return (optimizer->kind != URSA_SGD && optimizer->kind != URSA_RMSPROP) || options->momentum > 0;
    case SLOT_SQUARE:
        return optimizer->kind != URSA_SGD;
    case SLOT_MEAN:
        return optimizer->kind == URSA_RMSPROP && options->centered;
    default:
        return optimizer->lookahead_every > 0;
    }
}

static bool list_state(ursa_optimizer *optimizer, struct slot_parameter *parameter, int slot, bool allocate)
{
    bool wanted = allocate && kind_has_slot(optimizer, slot);
    if (wanted && !(slot == SLOT_SLOW ? slow_weights(parameter) : ursa_optimizer_slot(parameter, slot)))
        return false;
    if (!parameter->slots[slot])
        return true;
    char *name = ursa_format("%s.%s", parameter->name, slot_names[slot]);
    if (!name)
        return false;
    optimizer->states[optimizer->state_count++] = (ursa_optimizer_state){name, parameter->slots[slot]};
    return true;
}

int ursa_optimizer_states(ursa_optimizer *optimizer, bool allocate, const ursa_optimizer_state **list)
{
    if (!optimizer)
        return -1;
    for (int i = 0; i < optimizer->state_count; i++)
        free((char *)optimizer->states[i].name);
    optimizer->state_count = 0;
    ursa_optimizer_state *grown =
        ursa_grow(optimizer->states, ((size_t)optimizer->count * SLOT_COUNT + 1) * sizeof *optimizer->states);
    if (!grown)
        return -1;
    optimizer->states = grown;
    for (int i = 0; i < optimizer->count; i++)
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            if (!list_state(optimizer, &optimizer->parameters[i], slot, allocate))
                return -1;
    *list = optimizer->states;
    return optimizer->state_count;
}

int64_t ursa_optimizer_steps(const ursa_optimizer *optimizer)
{
    return optimizer ? optimizer->steps : 0;
}

void ursa_optimizer_set_steps(ursa_optimizer *optimizer, int64_t steps)
{
    for (int i = 0; optimizer && i < optimizer->count; i++)
        optimizer->parameters[i].steps = steps;
    if (optimizer)
        optimizer->steps = steps;
}

void ursa_optimizer_clear_state(ursa_optimizer *optimizer)
{
    ursa_optimizer_set_steps(optimizer, 0);
    for (int i = 0; optimizer && i < optimizer->count; i++) {
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            ursa_free(optimizer->parameters[i].slots[slot]);
            optimizer->parameters[i].slots[slot] = NULL;
        }
    }
}

/* The part of `name` behind "<parameter>."; NULL when it is not the parameter's. */
static const char *state_of(const struct slot_parameter *parameter, const char *name)
{
    size_t length = strlen(parameter->name);
    return strncmp(name, parameter->name, length) == 0 && name[length] == '.' ? name + length + 1 : NULL;
}

ursa_tensor *ursa_optimizer_state_by_name(ursa_optimizer *optimizer, const char *name)
{
    for (int i = 0; i < optimizer->count; i++) {
        const char *state = state_of(&optimizer->parameters[i], name);
        for (int slot = 0; state && slot < SLOT_COUNT; slot++)
            if (strcmp(state, slot_names[slot]) == 0)
                return ursa_optimizer_slot(&optimizer->parameters[i], slot);
    }
    return NULL;
}
