/* update.c — one step of one parameter: from the options of an optimizer to the
 * arguments of the fused operators. */
#include "optimizer.h"
#include "tensor/tensor.h"

#include <math.h>

static ursa_array array_of(const ursa_tensor *tensor)
{
    return tensor->array;
}

static ursa_array skip_of(const ursa_optimizer *optimizer)
{
    return optimizer->skip ? optimizer->skip->array : (ursa_array){0};
}

/* The decay of a parameter, on the one side or the other. */
struct decay {
    float l2, weights;
};

static struct decay decay_of(const ursa_optimizer *optimizer, const struct slot_parameter *parameter)
{
    if (!parameter->decays)
        return (struct decay){0};
    float decay = (float)optimizer->groups[parameter->group].weight_decay;
    return optimizer->options.true_decay ? (struct decay){.weights = decay} : (struct decay){.l2 = decay};
}

static bool step_sgd(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step)
{
    const struct parameter_group *group = &optimizer->groups[parameter->group];
    struct decay decay = decay_of(optimizer, parameter);
    bool fresh = !parameter->slots[SLOT_MOMENTUM];
    (void)step; /* a parameter's first step may come later than the optimizer's */
    struct ursa_sgd_step_args args = {
        .param = array_of(parameter->tensor),
        .grad = array_of(ursa_grad(parameter->tensor)),
        .skip = skip_of(optimizer),
        .lr = (float)group->lr,
        .mu = (float)group->momentum,
        .dampening = (float)optimizer->options.dampening,
        .l2 = decay.l2,
        .decay = decay.weights,
        .nesterov = optimizer->options.nesterov,
        .first = fresh,
    };
    if (group->momentum > 0) {
        if (!ursa_optimizer_slot(parameter, SLOT_MOMENTUM))
            return false;
        args.momentum = array_of(parameter->slots[SLOT_MOMENTUM]);
    }
    return ursa_op_sgd_step(ursa_device_of(parameter->tensor), &args);
}

/* RAdam's rectification, or 0 while the variance of the adaptive rate is not
 * yet tractable (Liu et al. 2020, algorithm 2). */
static double rectification(double beta2, int64_t step)
{
    double power = pow(beta2, (double)step), limit = 2 / (1 - beta2) - 1;
    double length = limit - 2 * (double)step * power / (1 - power);
    if (length <= 5)
        return 0;
    return sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));
}

static bool step_adam(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step)
{
    const struct parameter_group *group = &optimizer->groups[parameter->group];
    struct decay decay = decay_of(optimizer, parameter);
    ursa_tensor *m = ursa_optimizer_slot(parameter, SLOT_MOMENTUM), *v = ursa_optimizer_slot(parameter, SLOT_SQUARE);
    if (!m || !v)
        return false;
    double beta1 = group->momentum, beta2 = optimizer->options.beta2;
    double rate = group->lr / (1 - pow(beta1, (double)step)), root = sqrt(1 - pow(beta2, (double)step));
    bool rectifies = optimizer->kind == URSA_RADAM;
    double rectified = rectifies ? rectification(beta2, step) : 1;
    if (rectifies && rectified > 0)
        rate *= rectified * root; /* here eps stands beside the uncorrected √v */
    struct ursa_adam_step_args args = {
        .param = array_of(parameter->tensor),
        .grad = array_of(ursa_grad(parameter->tensor)),
        .skip = skip_of(optimizer),
        .m = array_of(m),
        .v = array_of(v),
        .lr = (float)group->lr,
        .beta1 = (float)beta1,
        .beta2 = (float)beta2,
        .eps = (float)optimizer->options.eps,
        .l2 = decay.l2,
        .decay = decay.weights,
        .step_size = (float)rate,
        .denom_scale = rectifies ? 1 : (float)root,
        .no_denom = rectified == 0,
    };
    return ursa_op_adam_step(ursa_device_of(parameter->tensor), &args);
}

static bool step_rmsprop(ursa_optimizer *optimizer, struct slot_parameter *parameter)
{
    const struct parameter_group *group = &optimizer->groups[parameter->group];
    struct decay decay = decay_of(optimizer, parameter);
    ursa_tensor *v = ursa_optimizer_slot(parameter, SLOT_SQUARE);
    if (!v)
        return false;
    struct ursa_rmsprop_step_args args = {
        .param = array_of(parameter->tensor),
        .grad = array_of(ursa_grad(parameter->tensor)),
        .skip = skip_of(optimizer),
        .v = array_of(v),
        .lr = (float)group->lr,
        .alpha = (float)optimizer->options.alpha,
        .eps = (float)optimizer->options.eps,
        .mu = (float)group->momentum,
        .l2 = decay.l2,
        .decay = decay.weights,
    };
    if (optimizer->options.centered) {
        if (!ursa_optimizer_slot(parameter, SLOT_MEAN))
            return false;
        args.mean = array_of(parameter->slots[SLOT_MEAN]);
    }
    if (group->momentum > 0) {
        if (!ursa_optimizer_slot(parameter, SLOT_MOMENTUM))
            return false;
        args.momentum = array_of(parameter->slots[SLOT_MOMENTUM]);
    }
    return ursa_op_rmsprop_step(ursa_device_of(parameter->tensor), &args);
}

static bool step_lamb(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step)
{
    const struct parameter_group *group = &optimizer->groups[parameter->group];
    struct decay decay = decay_of(optimizer, parameter);
    ursa_tensor *m = ursa_optimizer_slot(parameter, SLOT_MOMENTUM), *v = ursa_optimizer_slot(parameter, SLOT_SQUARE);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *update = ursa_empty_like(parameter->tensor);
    bool done = m && v && update;
    if (done) {
        struct ursa_lamb_step_args args = {
            .param = array_of(parameter->tensor),
            .grad = array_of(ursa_grad(parameter->tensor)),
            .skip = skip_of(optimizer),
            .m = array_of(m),
            .v = array_of(v),
            .update = array_of(update),
            .lr = (float)group->lr,
            .beta1 = (float)group->momentum,
            .beta2 = (float)optimizer->options.beta2,
            .eps = (float)optimizer->options.eps,
            .decay = decay.weights,
            .c1 = (float)(1 - pow(group->momentum, (double)step)),
            .c2 = (float)(1 - pow(optimizer->options.beta2, (double)step)),
            .max_ratio = (float)optimizer->options.max_ratio,
        };
        done = ursa_op_lamb_step(ursa_device_of(parameter->tensor), &args);
    }
    ursa_scope_end(scope);
    return done;
}

static bool run(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step)
{
    switch (optimizer->kind) {
    case URSA_SGD:
        return step_sgd(optimizer, parameter, step);
    case URSA_ADAM:
    case URSA_ADAMW:
    case URSA_RADAM:
        return step_adam(optimizer, parameter, step);
    case URSA_RMSPROP:
        return step_rmsprop(optimizer, parameter);
    case URSA_LAMB:
        return step_lamb(optimizer, parameter, step);
    }
    return false;
}

bool ursa_optimizer_update(ursa_optimizer *optimizer, struct slot_parameter *parameter, int64_t step)
{
    bool done = run(optimizer, parameter, step);
    ursa_tensor_changed(parameter->tensor);
    return done;
}
