/* data.h — datasets and the loaders that make batches of them.
 *
 * A dataset is anything with a length and a way to get an item; a loader
 * orders items, fetches them on background threads, puts batches of them on the
 * device and runs the transforms of batches there. The order of items and what
 * is random about them depend on the seed and the epoch alone, never on
 * threads, batch size or prefetch.
 *
 * datablock.h makes datasets and loaders from files and tables.
 */
#ifndef URSA_DATA_H
#define URSA_DATA_H

#include <ursa/tensor.h>
#include <ursa/transform.h>

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
    ursa_kind x_kind, y_kind;
    bool unlabelled; /* there are no targets: y is NULL everywhere */
} ursa_item_layout;

typedef struct ursa_dataset ursa_dataset;

/* A dataset of one's own; all but count and get may be NULL. `get`, `path` and
 * `label` may be called on several threads at once. */
typedef struct ursa_dataset_class {
    int64_t (*count)(void *self);
    /* Writes item `index` into memory of the layout's size. Random transforms
     * draw from `rng`, which depends on seed, epoch and index. False, with an
     * error, when the item cannot be had: of kind IO or FORMAT when it is this
     * item's fault, and loaders may go on without it. */
    bool (*get)(void *self, int64_t index, ursa_rng *rng, void *x, void *y);
    void (*free)(void *self);
    /* The file an item comes from; NULL for none. */
    const char *(*path)(void *self, int64_t index);
    /* The class of an item, without reading it; -1: it has none. */
    int64_t (*label)(void *self, int64_t index);
    /* The same items, new, with random transforms or without. */
    ursa_dataset *(*with_training)(void *self, bool training);
} ursa_dataset_class;

/* `class` must outlive the dataset, which takes over `self`. */
URSA_API ursa_dataset *ursa_dataset_new(const ursa_dataset_class *class, void *self, const ursa_item_layout *layout);
URSA_API void ursa_dataset_free(ursa_dataset *dataset);           /* takes NULL */
URSA_API int64_t ursa_dataset_count(const ursa_dataset *dataset); /* -1 for NULL */
URSA_API const ursa_item_layout *ursa_dataset_layout(const ursa_dataset *dataset);
/* `rng` NULL: a stream of the item's own. `y` NULL where there are no targets. */
URSA_API bool ursa_dataset_get(ursa_dataset *dataset, int64_t index, ursa_rng *rng, void *x, void *y);
/* The file an item comes from, the dataset's own; NULL where there is none. */
URSA_API const char *ursa_dataset_path(const ursa_dataset *dataset, int64_t index);
/* The class of an item, without reading it; -1 where that is not known. */
URSA_API int64_t ursa_dataset_label(const ursa_dataset *dataset, int64_t index);
/* The same items with random transforms (training) or with their sure variants:
 * a new dataset that shares what it can. Datasets that know no difference are
 * the same either way. */
URSA_API ursa_dataset *ursa_dataset_with_training(ursa_dataset *dataset, bool training);

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
    int batch_size; /* default 64 */
    /* The order of items; in the dataset's own order unless one of these is set. */
    bool shuffle;          /* each once, in a new order every epoch */
    const double *weights; /* [items], copied: as many draws as there are items, with replacement, each item with a
                              chance proportional to its weight */
    bool balance;          /* oversampled: all items, those of rarer classes again until every class is as frequent as
                              the most frequent; shuffled */
    bool drop_last;        /* leave out a last batch that is not full */
    bool training;         /* random transforms of batches apply */
    bool strict;           /* an item that cannot be had ends the epoch with its error; default: where the item is at
                              fault (an error of kind IO or FORMAT), it is skipped, reported once through the log, and
                              counted */
    uint64_t seed;         /* 0: ursa_seed() */
    int prefetch;          /* batches fetched ahead, each by one thread; default: as many as threads, 2 to 16 */
    ursa_device *device;   /* default: the default device */
    ursa_transform batch_tfms[URSA_TRANSFORMS];
} ursa_dataloader_options;

/* Takes over the dataset. */
URSA_API ursa_dataloader *ursa_dataloader_new_opt(ursa_dataset *dataset, const ursa_dataloader_options *options);
#define ursa_dataloader_new(dataset, ...) ursa_dataloader_new_opt(dataset, &(ursa_dataloader_options){__VA_ARGS__})
URSA_API void ursa_dataloader_free(ursa_dataloader *loader); /* takes NULL */

typedef struct ursa_batch {
    ursa_tensor *x, *y; /* of the caller's current scope, transformed; y NULL where there are no targets */
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
URSA_API const ursa_dataloader_options *ursa_dataloader_options_of(const ursa_dataloader *loader);
URSA_API int64_t ursa_dataloader_skipped(const ursa_dataloader *loader); /* items skipped since it was made */

/* Adds a transform of batches behind those there are. */
URSA_API bool ursa_dataloader_append_batch_tfm(ursa_dataloader *loader, ursa_transform transform);
/* x of a batch as it was before what can be undone (normalisation): for images
 * f32 0 … 1. */
URSA_API ursa_tensor *ursa_dataloader_decode(const ursa_dataloader *loader, ursa_tensor *x);
/* A loader of the same items in the dataset's order, once each, with random
 * transforms or without: those of the validation set with training transforms
 * for test-time augmentation, those of the training set without for its
 * statistics. */
URSA_API ursa_dataloader *ursa_dataloader_in_order(const ursa_dataloader *loader, bool training);

/* ---- loaders that belong together ---------------------------------------------- */

typedef struct ursa_datablock ursa_datablock; /* datablock.h */

typedef struct ursa_dataloaders_options {
    int batch_size;       /* of training; default 64, and no more than there are items */
    int valid_batch_size; /* default: twice batch_size */
    const double
        *weights; /* of sampling, see ursa_dataloader_options; one per item of the source, before it is split */
    bool balance;
    bool keep_order; /* training items come in their order; default: shuffled */
    bool keep_last;  /* the last training batch is used even if it is not full; default: it is left out, as fastai's */
    bool strict;     /* items that cannot be read are errors; default: they are reported and left out */
    uint64_t seed;   /* 0: ursa_seed() */
    int prefetch;    /* as of ursa_dataloader_options */
    ursa_device *device;
    ursa_transform batch_tfms[URSA_TRANSFORMS]; /* ursa_dataloaders_from_datasets() only: else the block's */
} ursa_dataloaders_options;

typedef struct ursa_dataloaders {
    ursa_dataloader *train, *valid;   /* NULL where there are no such items */
    ursa_dataloader *test;            /* NULL unless one was put here; freed with the others */
    ursa_datablock *block;            /* what they were made of, settled: vocabularies and channels are known. NULL for
                                         ursa_dataloaders_from_datasets() */
    ursa_dataloaders_options options; /* what they were made with, but for weights */
    int64_t skipped;                  /* files left out because they could not be read */
} ursa_dataloaders;

/* Loaders of datasets of one's own, which are taken over; either may be NULL.
 * `weights` are those of the training items. */
URSA_API ursa_dataloaders *ursa_dataloaders_from_datasets_opt(ursa_dataset *train, ursa_dataset *valid,
                                                              const ursa_dataloaders_options *options);
#define ursa_dataloaders_from_datasets(train, valid, ...)                                                              \
    ursa_dataloaders_from_datasets_opt(train, valid, &(ursa_dataloaders_options){__VA_ARGS__})

/* Frees the loaders, the block they came from and the struct; takes NULL. What
 * was made by a function and is not freed is freed by ursa_finish(). */
URSA_API void ursa_dataloaders_free(ursa_dataloaders *loaders);

/* The names of classes, and how many: 0 where targets are no classes. */
URSA_API int ursa_dataloaders_vocab(const ursa_dataloaders *loaders, const char *const **names);
/* The numbers a network has to put out: per item, or per pixel for masks. -1,
 * with an error, where the targets do not say. */
URSA_API int64_t ursa_dataloaders_outputs(const ursa_dataloaders *loaders);
/* What items look like; NULL where there are none. */
URSA_API const ursa_item_layout *ursa_dataloaders_layout(const ursa_dataloaders *loaders);
/* Adds a transform of batches to all loaders and to the block. */
URSA_API bool ursa_dataloaders_append_batch_tfm(ursa_dataloaders *loaders, ursa_transform transform);

#ifdef __cplusplus
}
#endif
#endif
