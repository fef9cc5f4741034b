/* metrics.c — numbers that people understand, summed on the device. */
#include <ursa/learner.h>

#include <math.h>

/* Adds how many predictions are of the target's class to state[0], and how many
 * targets there are to state[1]: for masks, more than items. */
static bool add_correct(ursa_tensor *state, ursa_tensor *is_right, ursa_tensor *target)
{
    ursa_tensor *right = ursa_sum(ursa_cast(is_right, URSA_F32), ursa_axes(), false);
    ursa_tensor *count = ursa_scalar_like(state, (double)ursa_count(target));
    return ursa_add_(ursa_select(state, 0, 0), right, 1) && ursa_add_(ursa_select(state, 0, 1), count, 1);
}

static bool accuracy_update(const ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target, ursa_tensor *state)
{
    (void)metric;
    return add_correct(state, ursa_eq(ursa_argmax(prediction, -1, false), target), target);
}

static double accuracy_finish(const ursa_metric *metric, const double *state, int64_t items)
{
    (void)metric;
    (void)items;
    return state[0] / state[1];
}

static double error_rate_finish(const ursa_metric *metric, const double *state, int64_t items)
{
    return 1 - accuracy_finish(metric, state, items);
}

const ursa_metric ursa_metric_accuracy = {"accuracy", accuracy_update, accuracy_finish, {0}};
const ursa_metric ursa_metric_error_rate = {"error_rate", accuracy_update, error_rate_finish, {0}};

static bool top_k_update(const ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target, ursa_tensor *state)
{
    ursa_tensor *indices;
    int64_t k = (int64_t)metric->argument[0], classes = ursa_dim(prediction, -1);
    if (!ursa_topk(prediction, -1, k < classes ? k : classes, true, NULL, &indices))
        return false;
    return add_correct(state, ursa_eq(indices, ursa_unsqueeze(target, -1)), target);
}

ursa_metric ursa_top_k_accuracy(int k)
{
    return (ursa_metric){"top_k_accuracy", top_k_update, accuracy_finish, {k}};
}
