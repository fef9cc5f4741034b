/* image_dataloaders.c — loaders of images in one call. */
#include "image_dataloaders.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what all have in common ----------------------------------------------------- */

ursa_splitter ursa_image_random_splitter(const ursa_image_dataloaders_options *options)
{
    return ursa_random_splitter(.valid_pct = options->valid_pct, .seed = options->seed);
}

ursa_dataloaders *ursa_image_dataloaders_make(const ursa_source *source, const ursa_datablock_options *block,
                                              const ursa_image_dataloaders_options *options)
{
    ursa_datablock_options filled = *block;
    filled.blocks[0] = ursa_image_block(.channels = options->channels);
    filled.blocks[1] = options->y_block;
    if (!options->y_block.class)
        filled.blocks[1] = options->label_delim || options->label_columns
                               ? ursa_multi_category_block(.vocab = options->vocab)
                               : ursa_category_block(.vocab = options->vocab);
    memcpy(filled.item_tfms, options->item_tfms, sizeof filled.item_tfms);
    memcpy(filled.batch_tfms, options->batch_tfms, sizeof filled.batch_tfms);
    ursa_datablock *made = ursa_datablock_new_opt(&filled);
    if (!made) {
        if (source->free_memory)
            source->free_memory(source->memory);
        return NULL;
    }
    const ursa_dataloaders_options loading = {
        .batch_size = options->batch_size,
        .valid_batch_size = options->valid_batch_size,
        .weights = options->weights,
        .balance = options->balance,
        .strict = options->strict,
        .seed = options->seed,
        .prefetch = options->prefetch,
        .device = options->device,
    };
    ursa_dataloaders *loaders = ursa_dataloaders_new_opt(made, source, &loading);
    ursa_datablock_free(made);
    return loaders;
}

/* ---- folders ------------------------------------------------------------------------ */

struct folders {
    const char **names; /* sorted, ending with NULL */
    int count;
};

static void free_folders(struct folders *folders)
{
    for (int i = 0; i < folders->count; i++)
        free((char *)folders->names[i]);
    free(folders->names);
}

static bool is_folder(const char *path, const char *name)
{
    struct stat status;
    char *full = ursa_format("%s/%s", path, name);
    bool is = full && stat(full, &status) == 0 && S_ISDIR(status.st_mode);
    free(full);
    return is;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_folder(struct folders *folders, const char *name)
{
    const char **grown = ursa_grow(folders->names, (size_t)(folders->count + 2) * sizeof *grown);
    char *copy = ursa_copy_string(name);
    if (grown)
        folders->names = grown;
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    grown[folders->count++] = copy;
    grown[folders->count] = NULL;
    return true;
}

static bool list_folders(const char *path, struct folders *folders)
{
    DIR *open = opendir(path);
    if (!open && errno == ENOTDIR)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "%s: not a folder; expected one with a folder of images per class, or with IDX files", path);
    if (!open)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bool fine = true;
    for (struct dirent *entry; fine && (entry = readdir(open));)
        fine = entry->d_name[0] == '.' || !is_folder(path, entry->d_name) || add_folder(folders, entry->d_name);
    closedir(open);
    if (folders->count > 1)
        qsort(folders->names, (size_t)folders->count, sizeof *folders->names, by_name);
    return fine;
}

/* The name of the validation part that is in a folder beside the training part;
 * NULL when there are no such parts. */
static const char *find_parts(const char *path, const ursa_image_dataloaders_options *options)
{
    const char *const candidates[] = {options->valid ? options->valid : "valid", "val", "test"};
    if (!is_folder(path, options->train ? options->train : "train"))
        return NULL;
    for (int i = 0; i < (options->valid ? 1 : 3); i++)
        if (is_folder(path, candidates[i]))
            return candidates[i];
    return NULL;
}

static bool check_classes(const char *path, struct folders *folders)
{
    if (!list_folders(path, folders))
        return false;
    if (folders->count == 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: empty of data: expected a folder of images per class, or IDX files",
                         path);
    return folders->count > 1 ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: one class (\"%s\"); training needs two or more folders of images", path,
                     folders->names[0]);
}

/* The classes of path/train. */
static bool check_train_part(const char *path, const char *train)
{
    struct folders classes = {0};
    char *root = ursa_format("%s/%s", path, train);
    bool fine = root && check_classes(root, &classes);
    free_folders(&classes);
    free(root);
    return fine;
}

static ursa_dataloaders *from_parts(const char *path, const char *train, const char *valid,
                                    const ursa_image_dataloaders_options *options)
{
    if (!check_train_part(path, train))
        return NULL;
    ursa_datablock_options block = {
        .get_items = ursa_get_files(.extensions = ursa_image_extensions, .folders = ursa_names(train, valid)),
        .get_y = ursa_parent_label,
        .splitter = ursa_grandparent_splitter(.train = train, .valid = valid),
    };
    if (options->valid_pct > 0)
        block.splitter = ursa_image_random_splitter(options);
    return ursa_image_dataloaders_make(&(ursa_source){.path = path}, &block, options);
}

static ursa_dataloaders *from_classes(const char *path, const ursa_image_dataloaders_options *options)
{
    struct folders classes = {0};
    ursa_dataloaders *loaders = NULL;
    if (check_classes(path, &classes)) {
        const ursa_datablock_options block = {
            .get_items = {.list = ursa_list_files,
                          .name = "image files",
                          .extensions = ursa_image_extensions,
                          .folders = classes.names},
            .get_y = ursa_parent_label,
            .splitter = ursa_image_random_splitter(options),
        };
        loaders = ursa_image_dataloaders_make(&(ursa_source){.path = path}, &block, options);
    }
    free_folders(&classes);
    return loaders;
}

ursa_dataloaders *ursa_image_dataloaders_from_folder_opt(const char *path,
                                                         const ursa_image_dataloaders_options *options)
{
    if (!path)
        return NULL;
    if (ursa_has_idx_files(path))
        return ursa_image_dataloaders_from_idx_opt(path, options);
    const char *valid = find_parts(path, options);
    return valid ? from_parts(path, options->train ? options->train : "train", valid, options)
                 : from_classes(path, options);
}

ursa_dataloaders *ursa_image_dataloaders_from_label_opt(const char *path, ursa_getter label,
                                                        const ursa_image_dataloaders_options *options)
{
    ursa_datablock_options block = {
        .get_items = ursa_get_image_files,
        .get_y = label,
        .splitter = ursa_image_random_splitter(options),
    };
    if (!label.delim)
        block.get_y.delim = options->label_delim;
    return path ? ursa_image_dataloaders_make(&(ursa_source){.path = path}, &block, options) : NULL;
}

/* ---- tables ---------------------------------------------------------------------------- */

/* The name of a column by its position. */
static const char *column_name(const ursa_frame *frame, int position)
{
    if (position < ursa_frame_columns(frame))
        return ursa_frame_column_at(frame, position)->name;
    ursa_fail(URSA_ERROR_ARGUMENT,
              "image_dataloaders: the table has %d columns; expected one of images and one of labels",
              ursa_frame_columns(frame));
    return NULL;
}

ursa_dataloaders *ursa_image_dataloaders_from_frame_opt(const ursa_frame *frame, const char *path,
                                                        const ursa_image_dataloaders_options *options)
{
    if (!frame)
        return NULL;
    const char *image = options->image_column ? options->image_column : column_name(frame, 0);
    const char *label = options->label_column || options->label_columns ? options->label_column : column_name(frame, 1);
    if (!image || (!label && !options->label_columns))
        return NULL;
    char *prefix = ursa_format(options->folder ? "%s/" : "%s", options->folder ? options->folder : "");
    ursa_datablock_options block = {
        .get_x = ursa_column(image, .prefix = prefix, .suffix = options->suffix),
        .get_y = options->label_columns ? ursa_columns(options->label_columns, .delim = options->label_delim)
                                        : ursa_column(label, .delim = options->label_delim),
        .splitter =
            options->valid_column ? ursa_column_splitter(options->valid_column) : ursa_image_random_splitter(options),
    };
    ursa_dataloaders *loaders =
        prefix ? ursa_image_dataloaders_make(&(ursa_source){.path = path, .frame = frame}, &block, options) : NULL;
    free(prefix);
    return loaders;
}

ursa_dataloaders *ursa_image_dataloaders_from_csv_opt(const char *path, const char *csv,
                                                      const ursa_image_dataloaders_options *options)
{
    if (!path || !csv)
        return NULL;
    char *file = *csv == '/' ? ursa_copy_string(csv) : ursa_format("%s/%s", path, csv);
    ursa_frame *frame = file ? ursa_read_csv(file, .delimiter = options->delimiter) : NULL;
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_frame_opt(frame, path, options);
    ursa_frame_free(frame);
    free(file);
    return loaders;
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool join(const char *path, const char *const *names, const char *const *labels, int64_t count,
                 ursa_data_item *items)
{
    for (int64_t i = 0; i < count; i++) {
        items[i].label = labels[i];
        items[i].path = *names[i] == '/' || !path ? ursa_copy_string(names[i]) : ursa_format("%s/%s", path, names[i]);
        if (!items[i].path)
            return false;
    }
    return true;
}

ursa_dataloaders *ursa_image_dataloaders_from_lists_opt(const char *path, const char *const *names,
                                                        const char *const *labels, int64_t count,
                                                        const ursa_image_dataloaders_options *options)
{
    ursa_data_item *items = names && labels ? ursa_alloc_array((size_t)count + 1, sizeof *items) : NULL;
    ursa_datablock_options block = {
        .get_y = ursa_item_label,
        .splitter = ursa_image_random_splitter(options),
    };
    block.get_y.delim = options->label_delim;
    ursa_dataloaders *loaders = NULL;
    if (items && join(path, names, labels, count, items))
        loaders =
            ursa_image_dataloaders_make(&(ursa_source){.path = path, .items = items, .count = count}, &block, options);
    for (int64_t i = 0; items && i < count; i++)
        free((char *)items[i].path);
    free(items);
    return loaders;
}
