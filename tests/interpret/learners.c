/* learners.c — small learners whose predictions are known. */
#include "learners.h"

#include <stdlib.h>
#include <string.h>

static void *copy(const void *data, size_t bytes)
{
    void *memory = malloc(bytes + 1);
    return memcpy(memory, data, bytes);
}

static struct known know(ursa_dataset *train, ursa_dataset *valid, ursa_module *model, const char *const *names,
                         int classes)
{
    if (classes > 0) {
        assert_true(ursa_dataset_set_classes(valid, names, classes));
        assert_true(!train || ursa_dataset_set_classes(train, names, classes));
    }
    struct known known = {.data = ursa_dataloaders_from_datasets(train, valid, .batch_size = 3)};
    known.learner = ursa_learner_new(known.data, model, .metrics = {ursa_mae()});
    assert_non_null(known.learner);
    return known;
}

struct known know_outputs(const float *outputs, int64_t count, int64_t classes, const int64_t *actual,
                          const float *values, ursa_kind kind, const char *const *names)
{
    ursa_item_layout layout = {
        .x_shape = ursa_shape(classes), .x_dtype = URSA_F32, .y_dtype = actual ? URSA_I64 : URSA_F32, .y_kind = kind};
    layout.y_shape = actual ? ursa_shape() : ursa_shape(classes);
    size_t numbers = (size_t)(count * classes);
    ursa_dataset *set = ursa_array_dataset(
        copy(outputs, numbers * sizeof(float)),
        actual ? copy(actual, (size_t)count * sizeof(int64_t)) : copy(values, numbers * sizeof(float)), count, &layout);
    /* The optimizer wants a parameter: one that nothing depends on. */
    ursa_module *model = ursa_nn_sequential(ursa_nn_identity());
    assert_true(ursa_module_add_parameter(model, "unused", ursa_zeros(ursa_shape(1))));
    return know(NULL, set, model, names, names ? (int)classes : 0);
}

static ursa_dataset *pictures(int64_t count, int rows, int columns, int channels, ursa_kind kind, int64_t y_size,
                              int classes)
{
    bool numbers = kind == URSA_KIND_POINTS || kind == URSA_KIND_REGRESSION || kind == URSA_KIND_MULTI_CATEGORY;
    int64_t each = (int64_t)rows * columns * channels;
    uint8_t *x = malloc((size_t)(count * each));
    float *values = numbers ? malloc((size_t)(count * y_size) * sizeof *values) : NULL;
    int64_t *actual = numbers ? NULL : malloc((size_t)(count * y_size) * sizeof *actual);
    ursa_rng rng = ursa_rng_new(3, URSA_PURPOSE_USER, 0);
    for (int64_t i = 0; i < count * each; i++)
        x[i] = (uint8_t)ursa_rng_below(&rng, 256);
    for (int64_t i = 0; i < count * y_size; i++) {
        if (numbers)
            values[i] = kind == URSA_KIND_MULTI_CATEGORY ? (float)(i % 2) : 0.5f;
        else
            actual[i] = kind == URSA_KIND_MASK ? i % y_size >= y_size / 2 : i % classes;
    }
    ursa_item_layout layout = {.x_shape = ursa_shape(rows, columns, channels),
                               .x_dtype = URSA_U8,
                               .x_kind = URSA_KIND_IMAGE,
                               .y_dtype = numbers ? URSA_F32 : URSA_I64,
                               .y_kind = kind};
    layout.y_shape = kind == URSA_KIND_MASK     ? ursa_shape(rows, columns)
                     : kind == URSA_KIND_POINTS ? ursa_shape(y_size / 2, 2)
                     : numbers                  ? ursa_shape(y_size)
                                                : ursa_shape();
    return ursa_array_dataset(x, numbers ? (void *)values : (void *)actual, count, &layout);
}

struct known know_pictures(int64_t count, int rows, int columns, int channels, ursa_kind kind, int64_t y_size,
                           const char *const *names, int classes)
{
    ursa_set_seed(7);
    int outputs = kind == URSA_KIND_POINTS || kind == URSA_KIND_REGRESSION ? (int)y_size : classes;
    ursa_module *model =
        kind == URSA_KIND_MASK
            ? ursa_nn_sequential(ursa_nn_conv2d(channels, outputs, 3, .padding = {1, 1}))
            : ursa_nn_sequential(ursa_nn_conv2d(channels, 4, 3, .stride = {2, 2}), ursa_nn_batch_norm(4),
                                 ursa_nn_activation("relu"), ursa_nn_adaptive_avg_pool2d(1, 1), ursa_nn_flatten(),
                                 ursa_named("head", ursa_nn_linear(4, outputs)));
    return know(pictures(count, rows, columns, channels, kind, y_size, classes),
                pictures(count, rows, columns, channels, kind, y_size, classes), model, names, names ? classes : 0);
}

void forget(struct known *known)
{
    ursa_learner_free(known->learner);
    ursa_dataloaders_free(known->data);
}
