/* data.h — datasets and the loaders that make batches of them.
 *
 * A dataset is anything with a length and a way to get an item; a loader
 * shuffles, splits into batches, fetches them on background threads and puts
 * them on the device. The order of items depends on the seed and the epoch
 * alone, never on threads.
 */
#ifndef URSA_DATA_H
#define URSA_DATA_H

#include <ursa/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- datasets -------------------------------------------------------------- */

/* What items look like: all of a dataset's inputs have one shape and type, and
 * so have the targets. */
typedef struct ursa_item_layout {
    ursa_dims x_shape; /* of one input: [H, W, C] for images */
    ursa_dtype x_dtype;
    ursa_dims y_shape;  /* of one target: [] for a class */
    ursa_dtype y_dtype; /* i64 for classes */
} ursa_item_layout;

typedef struct ursa_dataset ursa_dataset;

/* A dataset of one's own. `get` may be called on several threads at once. */
typedef struct ursa_dataset_class {
    int64_t (*count)(void *self);
    /* Writes item `index` into memory of the layout's size. Random transforms
     * draw from `rng`, which depends on seed, epoch and index. False, with an
     * error, when the item cannot be had. */
    bool (*get)(void *self, int64_t index, ursa_rng *rng, void *x, void *y);
    void (*free)(void *self); /* NULL: nothing to free */
} ursa_dataset_class;

/* `class` must outlive the dataset, which takes over `self`. */
URSA_API ursa_dataset *ursa_dataset_new(const ursa_dataset_class *class, void *self, const ursa_item_layout *layout);
URSA_API void ursa_dataset_free(ursa_dataset *dataset);           /* takes NULL */
URSA_API int64_t ursa_dataset_count(const ursa_dataset *dataset); /* -1 for NULL */
URSA_API const ursa_item_layout *ursa_dataset_layout(const ursa_dataset *dataset);
URSA_API bool ursa_dataset_get(ursa_dataset *dataset, int64_t index, ursa_rng *rng, void *x, void *y);

/* Names of the classes, copied. NULL and 0 where targets are no classes. */
URSA_API bool ursa_dataset_set_classes(ursa_dataset *dataset, const char *const *names, int count);
URSA_API int ursa_dataset_classes(const ursa_dataset *dataset, const char *const **names);

/* Arrays in memory, taken over and freed with free(): `count` items of the
 * layout, one after the other. */
URSA_API ursa_dataset *ursa_array_dataset(void *x, void *y, int64_t count, const ursa_item_layout *layout);

/* Items of `whole` by their positions, which are copied. Holds a reference to
 * `whole`, which may be freed before it. */
URSA_API ursa_dataset *ursa_subset(ursa_dataset *whole, const int64_t *indices, int64_t count);

/* Splits at random: a share of `valid_pct` to `valid`, the others, in their
 * order, to `train`. */
URSA_API bool ursa_random_split(ursa_dataset *whole, double valid_pct, uint64_t seed, ursa_dataset **train,
                                ursa_dataset **valid);

/* ---- loaders ------------------------------------------------------------------ */

typedef struct ursa_dataloader ursa_dataloader;

typedef struct ursa_dataloader_options {
    int batch_size;      /* default 64 */
    bool shuffle;        /* a new order every epoch */
    bool drop_last;      /* leave out a last batch that is not full */
    bool strict;         /* an item that cannot be had ends the epoch with its error; default: it is skipped, once
                            reported through the log, and counted */
    uint64_t seed;       /* 0: ursa_seed() */
    int prefetch;        /* batches fetched ahead; default 2 */
    ursa_device *device; /* default: the default device */
} ursa_dataloader_options;

/* Takes over the dataset. */
URSA_API ursa_dataloader *ursa_dataloader_new_opt(ursa_dataset *dataset, const ursa_dataloader_options *options);
#define ursa_dataloader_new(dataset, ...) ursa_dataloader_new_opt(dataset, &(ursa_dataloader_options){__VA_ARGS__})
URSA_API void ursa_dataloader_free(ursa_dataloader *loader); /* takes NULL */

typedef struct ursa_batch {
    ursa_tensor *x, *y; /* of the caller's current scope */
    int64_t count;
    const int64_t *indices; /* [count] positions in the dataset; the loader's, until its next batch */
} ursa_batch;

/* Starts an epoch; its number decides the order. */
URSA_API bool ursa_dataloader_start(ursa_dataloader *loader, int64_t epoch);
/* The same from a batch in its middle on; those before it are not fetched. */
URSA_API bool ursa_dataloader_start_at(ursa_dataloader *loader, int64_t epoch, int64_t batch);
/* The next batch; false at the end of the epoch and after an error. */
URSA_API bool ursa_dataloader_next(ursa_dataloader *loader, ursa_batch *batch);

URSA_API int64_t ursa_dataloader_batches(const ursa_dataloader *loader); /* per epoch */
URSA_API int64_t ursa_dataloader_items(const ursa_dataloader *loader);   /* of the dataset */
URSA_API int ursa_dataloader_batch_size(const ursa_dataloader *loader);
URSA_API ursa_dataset *ursa_dataloader_dataset(ursa_dataloader *loader);
URSA_API int64_t ursa_dataloader_skipped(const ursa_dataloader *loader); /* items skipped since it was made */

/* A training and a validation loader that belong together. */
typedef struct ursa_dataloaders {
    ursa_dataloader *train, *valid;
} ursa_dataloaders;
URSA_API void ursa_dataloaders_free(ursa_dataloaders *loaders); /* both, and the struct; takes NULL */

#ifdef __cplusplus
}
#endif
#endif
