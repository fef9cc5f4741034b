/* groups.c — parameter groups of a learner: rates of their own, and freezing. */
#include "learner.h"
#include "optim/optimizer.h"

#include <math.h>
#include <string.h>

bool ursa_learner_split(ursa_learner *learner)
{
    int count = 0;
    while (count < URSA_GROUPS - 1 && learner->options.split[count])
        count++;
    return count == 0 || ursa_optimizer_split(learner->optimizer, learner->options.split, count);
}

void ursa_group_rates(const ursa_learner *learner, double lr, double first, double *rates)
{
    int groups = ursa_optimizer_groups(learner->optimizer);
    for (int i = 0; i < groups; i++) {
        bool last = i == groups - 1;
        if (last || first == 0)
            rates[i] = lr;
        else if (first < 0)
            rates[i] = lr / 10;
        else
            rates[i] = first * pow(lr / first, (double)i / (groups - 1));
    }
}

/* ---- freezing ------------------------------------------------------------------------ */

static bool is_norm(const ursa_parameter *parameter)
{
    const char *kind = ursa_module_kind(parameter->owner);
    size_t length = strlen(kind), suffix = strlen("_norm");
    return length >= suffix && strcmp(kind + length - suffix, "_norm") == 0;
}

bool ursa_freeze_to(ursa_learner *learner, int n)
{
    const ursa_parameter *list;
    int count = learner ? ursa_parameters(learner->model, &list) : -1, groups;
    if (count < 0)
        return false;
    groups = ursa_optimizer_groups(learner->optimizer);
    int first = n < 0 ? groups + n : n;
    if (first < 0 || first >= groups)
        return ursa_fail(URSA_ERROR_ARGUMENT, "freeze_to: group %d of %d; expected %d … %d", n, groups, -groups,
                         groups - 1);
    ursa_optimizer_clear_state(learner->optimizer);
    for (int i = 0; i < count; i++) {
        if (list[i].is_buffer)
            continue;
        int group = ursa_optimizer_group_of(learner->optimizer, list[i].tensor);
        bool trains = group >= first || (is_norm(&list[i]) && !learner->options.freeze_norms);
        if (!ursa_requires_grad(list[i].tensor, trains))
            return false;
        ursa_zero_grad(list[i].tensor);
    }
    return true;
}

bool ursa_freeze(ursa_learner *learner)
{
    if (learner && ursa_optimizer_groups(learner->optimizer) < 2)
        return ursa_fail(URSA_ERROR_STATE,
                         "freeze: all parameters are in one group; the learner's .split says where others begin");
    return ursa_freeze_to(learner, -1);
}

bool ursa_unfreeze(ursa_learner *learner)
{
    return ursa_freeze_to(learner, 0);
}
