/* vision_data.h — blocks of images and masks, and loaders of images in one call.
 *
 *     ursa_dataloaders *dls = ursa_image_dataloaders_from_folder("data/bears", .item_tfms = { ursa_resize(128) });
 */
#ifndef URSA_VISION_DATA_H
#define URSA_VISION_DATA_H

#include <ursa/datablock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- blocks ------------------------------------------------------------------ */

/* A picture from a file, or from memory: u8 [H, W, C]. Options: .channels. */
URSA_API extern const ursa_block_class ursa_image_block_class;
#define ursa_image_block(...) ((ursa_block){.class = &ursa_image_block_class, __VA_ARGS__})

/* A class per pixel from an image file, its grey levels taken as numbers: u8
 * [H, W]. Options: .vocab, the names of the classes. */
URSA_API extern const ursa_block_class ursa_mask_block_class;
#define ursa_mask_block(...) ((ursa_block){.class = &ursa_mask_block_class, __VA_ARGS__})

/* ---- loaders in one call ----------------------------------------------------------
 *
 * Each makes a data block of an image and, unless .y_block says otherwise, a
 * category, and loaders of it; ursa_dataloaders.block is that block. Images have
 * three channels if any of them has colours. Files that cannot be read are
 * reported and left out, as datablock.h says. */

typedef struct ursa_image_dataloaders_options {
    /* The split. */
    double valid_pct; /* default 0.2, where nothing else splits the items */
    uint64_t seed;    /* of the split and of the loaders; 0: ursa_seed() */
    /* What happens to items and batches. */
    ursa_transform item_tfms[URSA_TRANSFORMS];
    ursa_transform batch_tfms[URSA_TRANSFORMS];
    ursa_block y_block;       /* default: a category; several labels are a multi-category */
    const char *const *vocab; /* of the default y_block; default: what is found */
    int channels;             /* 1 or 3 */
    /* Folders. */
    const char *train, *valid; /* the names of the parts: train, and valid, val or test */
    const char *label_delim;   /* splits a label into several */
    /* Tables. */
    const char *image_column;         /* default: the first */
    const char *label_column;         /* default: the second */
    const char *const *label_columns; /* several, instead */
    const char *valid_column;         /* true for validation; default: a share at random */
    const char *folder;               /* in the path, where the images are */
    const char *suffix;               /* of file names: ".jpg" */
    char delimiter;                   /* of the CSV file; default: a comma */
    /* Loaders, as ursa_dataloaders_options. */
    int batch_size, valid_batch_size;
    const double *weights;
    bool balance, strict;
    int prefetch;
    ursa_device *device;
} ursa_image_dataloaders_options;

/* A folder of
 *  - folders of images, one per class; or
 *  - `train` and `valid` (or `val`, `test`) with such folders in each, which make
 *    the split, unless .valid_pct is given: then all are mixed and split anew; or
 *  - IDX files, see ursa_image_dataloaders_from_idx().
 * An error when it is empty, or has fewer than two classes. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_folder_opt(const char *path,
                                                                  const ursa_image_dataloaders_options *options);
#define ursa_image_dataloaders_from_folder(path, ...)                                                                  \
    ursa_image_dataloaders_from_folder_opt(path, &(ursa_image_dataloaders_options){__VA_ARGS__})

/* MNIST's files: train-images-idx3-ubyte and train-labels-idx1-ubyte, with t10k-…
 * as the validation set where it is there (unless .valid_pct is given, as above),
 * gzipped or not; names of the classes,
 * a line each, in classes.txt if they have any. One channel unless .channels
 * says 3. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_idx_opt(const char *path,
                                                               const ursa_image_dataloaders_options *options);
#define ursa_image_dataloaders_from_idx(path, ...)                                                                     \
    ursa_image_dataloaders_from_idx_opt(path, &(ursa_image_dataloaders_options){__VA_ARGS__})

/* Images anywhere in a folder, labelled by any getter. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_label_opt(const char *path, ursa_getter label,
                                                                 const ursa_image_dataloaders_options *options);
/* By a function of the name or the path, see ursa_name_label(); by a regular
 * expression searched in either, see ursa_regex_label(). */
#define ursa_image_dataloaders_from_name_func(path, f, context, ...)                                                   \
    ursa_image_dataloaders_from_label_opt(path, ursa_name_label(f, context),                                           \
                                          &(ursa_image_dataloaders_options){__VA_ARGS__})
#define ursa_image_dataloaders_from_path_func(path, f, context, ...)                                                   \
    ursa_image_dataloaders_from_label_opt(path, ursa_name_label(f, context, .whole_path = true),                       \
                                          &(ursa_image_dataloaders_options){__VA_ARGS__})
#define ursa_image_dataloaders_from_name_re(path, regex, ...)                                                          \
    ursa_image_dataloaders_from_label_opt(path, ursa_regex_label(regex), &(ursa_image_dataloaders_options){__VA_ARGS__})
#define ursa_image_dataloaders_from_path_re(path, regex, ...)                                                          \
    ursa_image_dataloaders_from_label_opt(path, ursa_regex_label(regex, .whole_path = true),                           \
                                          &(ursa_image_dataloaders_options){__VA_ARGS__})

/* A table with a column of names of images, relative to `path`, and one or more
 * of labels. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_frame_opt(const ursa_frame *frame, const char *path,
                                                                 const ursa_image_dataloaders_options *options);
#define ursa_image_dataloaders_from_frame(frame, path, ...)                                                            \
    ursa_image_dataloaders_from_frame_opt(frame, path, &(ursa_image_dataloaders_options){__VA_ARGS__})
/* The same with the table in the file path/csv. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_csv_opt(const char *path, const char *csv,
                                                               const ursa_image_dataloaders_options *options);
#define ursa_image_dataloaders_from_csv(path, csv, ...)                                                                \
    ursa_image_dataloaders_from_csv_opt(path, csv, &(ursa_image_dataloaders_options){__VA_ARGS__})

/* `count` names of images, relative to `path`, and a label for each. */
URSA_API ursa_dataloaders *ursa_image_dataloaders_from_lists_opt(const char *path, const char *const *names,
                                                                 const char *const *labels, int64_t count,
                                                                 const ursa_image_dataloaders_options *options);
#define ursa_image_dataloaders_from_lists(path, names, labels, count, ...)                                             \
    ursa_image_dataloaders_from_lists_opt(path, names, labels, count, &(ursa_image_dataloaders_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
