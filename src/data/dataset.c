/* dataset.c — anything with a length and a way to get an item. */
#include "dataset.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

ursa_dataset *ursa_dataset_new(const ursa_dataset_class *class, void *self, const ursa_item_layout *layout)
{
    ursa_dataset *dataset = ursa_alloc(sizeof *dataset);
    if (!dataset) {
        if (class->free)
            class->free(self);
        return NULL;
    }
    *dataset = (ursa_dataset){.class = class, .self = self, .layout = *layout, .references = 1};
    return dataset;
}

ursa_dataset *ursa_dataset_retain(ursa_dataset *dataset)
{
    if (dataset)
        dataset->references++;
    return dataset;
}

static void free_classes(ursa_dataset *dataset)
{
    for (int i = 0; i < dataset->class_count; i++)
        free(dataset->classes[i]);
    free(dataset->classes);
    dataset->classes = NULL;
    dataset->class_count = 0;
}

void ursa_dataset_free(ursa_dataset *dataset)
{
    if (!dataset || --dataset->references > 0)
        return;
    if (dataset->class->free)
        dataset->class->free(dataset->self);
    free_classes(dataset);
    free(dataset);
}

int64_t ursa_dataset_count(const ursa_dataset *dataset)
{
    return dataset ? dataset->class->count(dataset->self) : -1;
}

const ursa_item_layout *ursa_dataset_layout(const ursa_dataset *dataset)
{
    return dataset ? &dataset->layout : NULL;
}

bool ursa_dataset_get(ursa_dataset *dataset, int64_t index, ursa_rng *rng, void *x, void *y)
{
    if (!dataset)
        return false;
    int64_t count = dataset->class->count(dataset->self);
    if (index < 0 || index >= count)
        return ursa_fail(URSA_ERROR_ARGUMENT, "dataset: item %lld is outside 0 … %lld", (long long)index,
                         (long long)count - 1);
    ursa_rng own = ursa_rng_new(0, URSA_PURPOSE_AUGMENT, (uint64_t)index);
    return dataset->class->get(dataset->self, index, rng ? rng : &own, x, y);
}

static bool has_item(const ursa_dataset *dataset, int64_t index)
{
    return dataset && index >= 0 && index < dataset->class->count(dataset->self);
}

const char *ursa_dataset_path(const ursa_dataset *dataset, int64_t index)
{
    return has_item(dataset, index) && dataset->class->path ? dataset->class->path(dataset->self, index) : NULL;
}

int64_t ursa_dataset_label(const ursa_dataset *dataset, int64_t index)
{
    return has_item(dataset, index) && dataset->class->label ? dataset->class->label(dataset->self, index) : -1;
}

ursa_dataset *ursa_dataset_with_training(ursa_dataset *dataset, bool training)
{
    if (!dataset || !dataset->class->with_training)
        return ursa_dataset_retain(dataset);
    return dataset->class->with_training(dataset->self, training);
}

bool ursa_dataset_set_classes(ursa_dataset *dataset, const char *const *names, int count)
{
    if (!dataset)
        return false;
    char **copies = ursa_alloc_array((size_t)count + 1, sizeof *copies);
    bool whole = copies;
    for (int i = 0; whole && i < count; i++)
        whole = (copies[i] = ursa_copy_string(names[i])) != NULL;
    if (!whole) {
        for (int i = 0; copies && i < count; i++)
            free(copies[i]);
        free(copies);
        return false;
    }
    free_classes(dataset);
    dataset->classes = copies;
    dataset->class_count = count;
    return true;
}

int ursa_dataset_classes(const ursa_dataset *dataset, const char *const **names)
{
    if (names)
        *names = dataset ? (const char *const *)dataset->classes : NULL;
    return dataset ? dataset->class_count : 0;
}

static size_t bytes_of(ursa_dims shape, ursa_dtype dtype)
{
    size_t bytes = ursa_dtype_size(dtype);
    for (int axis = 0; axis < shape.ndim; axis++)
        bytes *= (size_t)shape.dim[axis];
    return bytes;
}

size_t ursa_x_bytes(const ursa_item_layout *layout)
{
    return bytes_of(layout->x_shape, layout->x_dtype);
}

size_t ursa_y_bytes(const ursa_item_layout *layout)
{
    return layout->unlabelled ? 0 : bytes_of(layout->y_shape, layout->y_dtype);
}

/* ---- arrays in memory -------------------------------------------------------- */

struct arrays {
    char *x, *y;
    int64_t count;
    size_t x_bytes, y_bytes;
    bool classes; /* targets are i64 scalars */
};

static int64_t arrays_count(void *self)
{
    return ((const struct arrays *)self)->count;
}

static bool arrays_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    (void)rng;
    const struct arrays *arrays = self;
    memcpy(x, arrays->x + (size_t)index * arrays->x_bytes, arrays->x_bytes);
    if (arrays->y)
        memcpy(y, arrays->y + (size_t)index * arrays->y_bytes, arrays->y_bytes);
    return true;
}

static int64_t arrays_label(void *self, int64_t index)
{
    const struct arrays *arrays = self;
    return arrays->classes ? ((const int64_t *)(const void *)arrays->y)[index] : -1;
}

static void arrays_free(void *self)
{
    struct arrays *arrays = self;
    free(arrays->x);
    free(arrays->y);
    free(arrays);
}

static const ursa_dataset_class arrays_class = {
    .count = arrays_count, .get = arrays_get, .free = arrays_free, .label = arrays_label};

ursa_dataset *ursa_array_dataset(void *x, void *y, int64_t count, const ursa_item_layout *layout)
{
    struct arrays *arrays = x && (y || layout->unlabelled) ? ursa_alloc(sizeof *arrays) : NULL;
    if (!arrays) {
        free(x);
        free(y);
        return NULL;
    }
    bool classes = y && layout->y_dtype == URSA_I64 && layout->y_shape.ndim == 0;
    *arrays = (struct arrays){x, y, count, ursa_x_bytes(layout), ursa_y_bytes(layout), classes};
    return ursa_dataset_new(&arrays_class, arrays, layout);
}
