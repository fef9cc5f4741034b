/* task.h — small tasks for learners, shared by the tests of this room. */
#ifndef URSA_TESTS_LEARNER_TASK_H
#define URSA_TESTS_LEARNER_TASK_H

#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Points around a circle, [N, 2]. */
static inline float *circle(int count)
{
    float *x = malloc((size_t)count * 2 * sizeof *x);
    for (int i = 0; i < count; i++) {
        x[2 * i] = cosf(0.1f * (float)i);
        x[2 * i + 1] = sinf(0.1f * (float)i);
    }
    return x;
}

/* Their halves as classes. */
static inline ursa_dataset *halves(int count)
{
    float *x = circle(count);
    int64_t *y = malloc((size_t)count * sizeof *y);
    for (int i = 0; i < count; i++)
        y[i] = x[2 * i] > 0;
    ursa_item_layout layout = {
        .x_shape = ursa_shape(2), .x_dtype = URSA_F32, .y_shape = ursa_shape(), .y_dtype = URSA_I64};
    return ursa_array_dataset(x, y, count, &layout);
}

/* Floats as targets, `outputs` of them, of some kind. */
static inline ursa_dataset *numbers(int count, int outputs, ursa_kind kind)
{
    float *x = circle(count), *y = malloc((size_t)(count * outputs) * sizeof *y);
    for (int i = 0; i < count * outputs; i++)
        y[i] = kind == URSA_KIND_MULTI_CATEGORY ? (float)(i % 3 == 0) : 0.1f * (float)(i % 7);
    ursa_item_layout layout = {.x_shape = ursa_shape(2),
                               .x_dtype = URSA_F32,
                               .y_shape = ursa_shape(outputs),
                               .y_dtype = URSA_F32,
                               .y_kind = kind};
    return ursa_array_dataset(x, y, count, &layout);
}

static inline ursa_dataloaders loaders_of(ursa_dataset *train, ursa_dataset *valid, int batch_size)
{
    return (ursa_dataloaders){.train = ursa_dataloader_new(train, .batch_size = batch_size, .shuffle = true),
                              .valid = ursa_dataloader_new(valid, .batch_size = batch_size)};
}

static inline void free_loaders(ursa_dataloaders *data)
{
    ursa_dataloader_free(data->train);
    ursa_dataloader_free(data->valid);
}

/* Two groups, with a batch norm in the first and dropout. */
static inline ursa_module *two_parts(int outputs)
{
    return ursa_nn_sequential(
        ursa_named("body", ursa_nn_sequential(ursa_nn_linear(2, 8), ursa_nn_batch_norm(8), ursa_nn_activation("relu"))),
        ursa_named("head", ursa_nn_sequential(ursa_nn_dropout(0.2), ursa_nn_linear(8, outputs))));
}

/* All parameters and buffers, one after the other; `count` numbers, to free(). */
static inline float *weights_of(ursa_module *model, int64_t *count)
{
    const ursa_parameter *list;
    int parameters = ursa_parameters(model, &list);
    *count = 0;
    for (int i = 0; i < parameters; i++)
        *count += ursa_count(list[i].tensor);
    float *weights = malloc((size_t)*count * sizeof *weights), *next = weights;
    for (int i = 0; i < parameters; i++) {
        assert_true(ursa_read(list[i].tensor, URSA_F32, next, ursa_count(list[i].tensor)));
        next += ursa_count(list[i].tensor);
    }
    return weights;
}

static inline void assert_same_weights(ursa_module *model, const float *expected)
{
    int64_t count;
    float *found = weights_of(model, &count);
    assert_memory_equal(found, expected, (size_t)count * sizeof *found);
    free(found);
}

#endif
