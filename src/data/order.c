/* order.c — which items an epoch has, and in which order: as they stand, shuffled,
 * drawn by weight, or with rare classes repeated. It depends on seed and epoch
 * alone. */
#include "order.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ------------------------------------------------------------------- */

static bool sum_weights(ursa_order *order, const double *weights)
{
    order->sums = ursa_alloc_array((size_t)order->items + 1, sizeof *order->sums);
    double sum = 0;
    for (int64_t i = 0; order->sums && i < order->items; i++) {
        if (!(weights[i] >= 0) || isinf(weights[i]))
            return ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: weights[%lld] is %g; expected 0 or more", (long long)i,
                             weights[i]);
        order->sums[i] = sum += weights[i];
    }
    return order->sums &&
           (sum > 0 || order->items == 0 || ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: all weights are 0"));
}

/* How many items each class has, to free(). */
static int64_t *count_classes(const ursa_order *order)
{
    int64_t *counts = ursa_alloc_array((size_t)order->classes + 1, sizeof *counts);
    for (int64_t i = 0; counts && i < order->items; i++)
        counts[order->class_of[i]]++;
    return counts;
}

static bool find_classes(ursa_order *order, const ursa_dataset *dataset)
{
    order->class_of = ursa_alloc_array((size_t)order->items + 1, sizeof *order->class_of);
    for (int64_t i = 0; order->class_of && i < order->items; i++) {
        int64_t class = ursa_dataset_label(dataset, i);
        if (class < 0)
            return ursa_fail(URSA_ERROR_ARGUMENT,
                             "dataloader: balance needs items that have one class each; item %lld has none",
                             (long long)i);
        order->class_of[i] = class;
        order->classes = class >= order->classes ? class + 1 : order->classes;
    }
    int64_t *counts = order->class_of ? count_classes(order) : NULL;
    order->count = 0;
    for (int64_t c = 0; counts && c < order->classes; c++)
        order->largest = counts[c] > order->largest ? counts[c] : order->largest;
    for (int64_t c = 0; counts && c < order->classes; c++)
        order->count += counts[c] ? order->largest : 0;
    free(counts);
    return counts;
}

bool ursa_order_make(ursa_order *order, const ursa_dataset *dataset, const ursa_dataloader_options *options)
{
    *order = (ursa_order){.items = ursa_dataset_count(dataset), .count = ursa_dataset_count(dataset)};
    if (options->shuffle + options->balance + (options->weights != NULL) > 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: of shuffle, weights and balance one can be asked for");
    if (options->weights && !sum_weights(order, options->weights))
        return false;
    if (options->balance && !find_classes(order, dataset))
        return false;
    if (options->weights || options->balance)
        order->seen = ursa_alloc_array((size_t)order->items + 1, sizeof *order->seen);
    order->index = ursa_alloc_array((size_t)order->count + 1, sizeof *order->index);
    order->stream = ursa_alloc_array((size_t)order->count + 1, sizeof *order->stream);
    return order->index && order->stream && (order->seen || !(options->weights || options->balance));
}

void ursa_order_clear(ursa_order *order)
{
    free(order->index);
    free(order->stream);
    free(order->sums);
    free(order->class_of);
    free(order->seen);
    *order = (ursa_order){0};
}

/* ---- drawing ------------------------------------------------------------------- */

/* The first item whose running sum is above `mark`. */
static int64_t find_sum(const ursa_order *order, double mark)
{
    int64_t low = 0, high = order->items - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (order->sums[middle] > mark)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void draw_by_weight(ursa_order *order, ursa_rng *rng)
{
    for (int64_t i = 0; i < order->count; i++)
        order->index[i] = find_sum(order, ursa_rng_uniform(rng) * order->sums[order->items - 1]);
}

/* The items of a class, as often as it takes; the last, partial round is a random
 * choice. Returns how many were written. */
static int64_t repeat_class(const ursa_order *order, int64_t class, ursa_rng *rng, int64_t *members, int64_t *out)
{
    int64_t count = 0, written = 0;
    for (int64_t i = 0; i < order->items; i++)
        if (order->class_of[i] == class)
            members[count++] = i;
    if (count == 0)
        return 0;
    ursa_rng_shuffle(rng, members, count);
    for (; written < order->largest; written++)
        out[written] = members[written % count];
    return written;
}

static bool draw_balanced(ursa_order *order, ursa_rng *rng)
{
    int64_t *members = ursa_alloc_array((size_t)order->items + 1, sizeof *members), filled = 0;
    for (int64_t c = 0; members && c < order->classes; c++)
        filled += repeat_class(order, c, rng, members, order->index + filled);
    free(members);
    ursa_rng_shuffle(rng, order->index, order->count);
    return members;
}

/* An item that comes twice in an epoch is not augmented in the same way twice. */
static void name_streams(ursa_order *order, int64_t epoch)
{
    if (order->seen)
        memset(order->seen, 0, (size_t)order->items * sizeof *order->seen);
    for (int64_t i = 0; i < order->count; i++) {
        int64_t index = order->index[i];
        uint64_t again = order->seen ? (uint64_t)order->seen[index]++ : 0;
        order->stream[i] = (again << 40) + (uint64_t)epoch * (uint64_t)order->items + (uint64_t)index;
    }
}

bool ursa_order_draw(ursa_order *order, const ursa_dataloader_options *options, int64_t epoch)
{
    bool by_weight = order->sums && order->items > 0;
    ursa_purpose purpose = by_weight ? URSA_PURPOSE_SAMPLE : URSA_PURPOSE_SHUFFLE;
    ursa_rng rng = ursa_rng_new(options->seed, purpose, (uint64_t)epoch);
    bool drawn = true;
    for (int64_t i = 0; i < order->count && !by_weight && !order->class_of; i++)
        order->index[i] = i;
    if (by_weight)
        draw_by_weight(order, &rng);
    else if (order->class_of)
        drawn = draw_balanced(order, &rng);
    else if (options->shuffle)
        ursa_rng_shuffle(&rng, order->index, order->count);
    if (drawn)
        name_streams(order, epoch);
    return drawn;
}
