/* subset.c — parts of a dataset, and splitting one into training and validation. */
#include "dataset.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct subset {
    ursa_dataset *whole;
    int64_t *indices, count;
};

static int64_t subset_count(void *self)
{
    return ((const struct subset *)self)->count;
}

static bool subset_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    const struct subset *subset = self;
    return ursa_dataset_get(subset->whole, subset->indices[index], rng, x, y);
}

static void subset_free(void *self)
{
    struct subset *subset = self;
    ursa_dataset_free(subset->whole);
    free(subset->indices);
    free(subset);
}

static const char *subset_path(void *self, int64_t index)
{
    const struct subset *subset = self;
    return ursa_dataset_path(subset->whole, subset->indices[index]);
}

static int64_t subset_label(void *self, int64_t index)
{
    const struct subset *subset = self;
    return ursa_dataset_label(subset->whole, subset->indices[index]);
}

static ursa_dataset *subset_with_training(void *self, bool training)
{
    const struct subset *subset = self;
    ursa_dataset *whole = ursa_dataset_with_training(subset->whole, training);
    ursa_dataset *same = ursa_subset(whole, subset->indices, subset->count);
    ursa_dataset_free(whole);
    return same;
}

static const ursa_dataset_class subset_class = {
    subset_count, subset_get, subset_free, subset_path, subset_label, subset_with_training,
};

static bool inside(const int64_t *indices, int64_t count, int64_t bound)
{
    for (int64_t i = 0; i < count; i++)
        if (indices[i] < 0 || indices[i] >= bound)
            return ursa_fail(URSA_ERROR_ARGUMENT, "subset: index %lld at position %lld is outside 0 … %lld",
                             (long long)indices[i], (long long)i, (long long)bound - 1);
    return true;
}

ursa_dataset *ursa_subset(ursa_dataset *whole, const int64_t *indices, int64_t count)
{
    if (!whole || !inside(indices, count, ursa_dataset_count(whole)))
        return NULL;
    struct subset *subset = ursa_alloc(sizeof *subset);
    int64_t *copy = ursa_alloc_array((size_t)count + 1, sizeof *copy);
    if (!subset || !copy) {
        free(subset);
        free(copy);
        return NULL;
    }
    memcpy(copy, indices, (size_t)count * sizeof *copy);
    *subset = (struct subset){ursa_dataset_retain(whole), copy, count};
    ursa_dataset *dataset = ursa_dataset_new(&subset_class, subset, &whole->layout);
    if (dataset && whole->class_count &&
        !ursa_dataset_set_classes(dataset, (const char *const *)whole->classes, whole->class_count)) {
        ursa_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

static int compare_indices(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

bool ursa_random_split(ursa_dataset *whole, double valid_pct, uint64_t seed, ursa_dataset **train, ursa_dataset **valid)
{
    *train = *valid = NULL;
    int64_t count = ursa_dataset_count(whole);
    if (count < 0)
        return false;
    if (!(valid_pct > 0 && valid_pct < 1))
        return ursa_fail(URSA_ERROR_ARGUMENT, "split: valid_pct is %g; it must be between 0 and 1", valid_pct);
    int64_t *order = ursa_alloc_array((size_t)count + 1, sizeof *order);
    if (!order)
        return false;
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    ursa_rng rng = ursa_rng_new(seed, URSA_PURPOSE_SPLIT, 0);
    ursa_rng_shuffle(&rng, order, count);
    int64_t held_out = (int64_t)(valid_pct * (double)count);
    qsort(order, (size_t)held_out, sizeof *order, compare_indices);
    qsort(order + held_out, (size_t)(count - held_out), sizeof *order, compare_indices);
    *valid = ursa_subset(whole, order, held_out);
    *train = ursa_subset(whole, order + held_out, count - held_out);
    free(order);
    if (*train && *valid)
        return true;
    ursa_dataset_free(*train);
    ursa_dataset_free(*valid);
    *train = *valid = NULL;
    return false;
}
