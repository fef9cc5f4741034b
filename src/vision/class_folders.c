/* class_folders.c — a folder with one folder of images per class. */
#include "image_data.h"
#include "base/log.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct item {
    char *path;
    int class;
};

struct folder_set {
    struct item *items;
    int64_t count;
    int size, channels;
};

/* ---- names --------------------------------------------------------------------- */

struct names {
    char **list;
    int64_t count;
};

static void free_names(struct names *names)
{
    for (int64_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct names){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct names *names, const char *name)
{
    char **grown = ursa_grow(names->list, (size_t)(names->count + 1) * sizeof *grown);
    char *copy = ursa_copy_string(name);
    if (grown)
        names->list = grown;
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    grown[names->count++] = copy;
    return true;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool looks_like_image(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

/* The folders (or the images) in a folder, sorted; hidden ones are left out. */
static bool list_folder(const char *path, bool folders, struct names *names)
{
    *names = (struct names){0};
    DIR *folder = opendir(path);
    if (!folder)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bool listed = true;
    for (struct dirent *entry; listed && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char *full = ursa_format("%s/%s", path, entry->d_name);
        bool wanted = full && is_folder(full) == folders && (folders || looks_like_image(entry->d_name));
        listed = full && (!wanted || add_name(names, entry->d_name));
        free(full);
    }
    closedir(folder);
    if (names->count)
        qsort(names->list, (size_t)names->count, sizeof *names->list, by_name);
    return listed;
}

/* ---- the dataset ------------------------------------------------------------------ */

static int64_t folder_count(void *self)
{
    return ((const struct folder_set *)self)->count;
}

static bool folder_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    (void)rng;
    const struct folder_set *set = self;
    const struct item *item = &set->items[index];
    *(int64_t *)y = item->class;
    return ursa_read_square(item->path, set->size, set->channels, x);
}

static void free_set(struct folder_set *set)
{
    for (int64_t i = 0; i < set->count; i++)
        free(set->items[i].path);
    free(set->items);
    free(set);
}

static void folder_free(void *self)
{
    free_set(self);
}

static const ursa_dataset_class folder_class = {folder_count, folder_get, folder_free};

/* ---- looking through the folders ---------------------------------------------------- */

static bool add_item(struct folder_set *set, const char *path, int class)
{
    struct item *grown = ursa_grow(set->items, (size_t)(set->count + 1) * sizeof *grown);
    char *copy = ursa_copy_string(path);
    if (grown)
        set->items = grown;
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    grown[set->count++] = (struct item){copy, class};
    return true;
}

static bool add_class(struct folder_set *set, const char *folder, int class)
{
    struct names images;
    bool added = list_folder(folder, false, &images);
    for (int64_t i = 0; added && i < images.count; i++) {
        char *path = ursa_format("%s/%s", folder, images.list[i]);
        added = path && add_item(set, path, class);
        free(path);
    }
    free_names(&images);
    return added;
}

/* Every file is decoded once, in parallel. */
struct inspection {
    const struct folder_set *set;
    char **problems;  /* NULL for a good one */
    uint8_t *colours; /* whether a picture has colours */
};

static void inspect(void *context, int64_t index)
{
    struct inspection *inspection = context;
    ursa_image image;
    if (ursa_image_read(inspection->set->items[index].path, 0, &image)) {
        inspection->colours[index] = image.channels == 3;
        ursa_image_free(&image);
        return;
    }
    ursa_error_kind kind;
    inspection->problems[index] = ursa_error_take(&kind);
}

/* Leaves out the files that are no images, or fails on the first. */
static bool sift(struct folder_set *set, struct inspection *inspection, bool strict, int64_t *skipped)
{
    int64_t kept = 0;
    bool fine = true;
    for (int64_t i = 0; i < set->count; i++) {
        char *problem = inspection->problems[i];
        if (!problem) {
            set->channels = inspection->colours[i] ? 3 : set->channels;
            set->items[kept++] = set->items[i];
            continue;
        }
        if (strict)
            fine = ursa_fail(URSA_ERROR_FORMAT, "%s", problem) && fine;
        else
            ursa_log_line(URSA_LOG_WARN, "skipped %s", problem);
        ++*skipped;
        free(set->items[i].path);
        free(problem);
    }
    set->count = kept;
    return fine;
}

static bool inspect_all(struct folder_set *set, bool strict, int64_t *skipped)
{
    struct inspection inspection = {set, ursa_alloc_array((size_t)set->count + 1, sizeof(char *)),
                                    ursa_alloc_array((size_t)set->count + 1, 1)};
    set->channels = 1;
    bool done = inspection.problems && inspection.colours && ursa_parallel(set->count, inspect, &inspection) &&
                sift(set, &inspection, strict, skipped);
    free(inspection.problems);
    free(inspection.colours);
    return done;
}

/* The images of `path`, in folders named as `classes`. channels 0: 3 when any
 * picture has colours, else 1. */
static ursa_dataset *open_set(const char *path, const struct names *classes, const ursa_image_data_options *options,
                              int channels, int64_t *skipped)
{
    struct folder_set *set = ursa_alloc(sizeof *set);
    bool found = set;
    for (int i = 0; found && i < classes->count; i++) {
        char *folder = ursa_format("%s/%s", path, classes->list[i]);
        found = folder && (!is_folder(folder) || add_class(set, folder, i));
        free(folder);
    }
    found = found && inspect_all(set, options->strict, skipped);
    if (found && set->count == 0)
        found = ursa_fail(URSA_ERROR_ARGUMENT, "%s: no image in its %lld folders; expected JPEG, PNG, BMP or GIF", path,
                          (long long)classes->count);
    if (!found) {
        if (set)
            free_set(set);
        return NULL;
    }
    set->size = options->size ? options->size : 64;
    set->channels = channels ? channels : set->channels;
    ursa_item_layout layout = {ursa_shape(set->size, set->size, set->channels), URSA_U8, ursa_shape(), URSA_I64};
    ursa_dataset *dataset = ursa_dataset_new(&folder_class, set, &layout);
    if (dataset && !ursa_dataset_set_classes(dataset, (const char *const *)classes->list, (int)classes->count)) {
        ursa_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

/* path/train and path/valid (val, test), where both are folders. */
static bool has_parts(const char *path, char **train, char **valid)
{
    static const char *const names[] = {"valid", "val", "test"};
    *train = ursa_format("%s/train", path);
    *valid = NULL;
    for (int i = 0; *train && is_folder(*train) && i < 3; i++) {
        char *candidate = ursa_format("%s/%s", path, names[i]);
        if (candidate && is_folder(candidate)) {
            *valid = candidate;
            return true;
        }
        free(candidate);
    }
    return false;
}

bool ursa_open_class_folders(const char *path, const ursa_image_data_options *options, struct image_sets *sets)
{
    *sets = (struct image_sets){0};
    char *train, *valid;
    bool parts = has_parts(path, &train, &valid);
    const char *root = parts ? train : path;
    struct names classes;
    bool opened = list_folder(root, true, &classes);
    if (opened && classes.count == 0)
        opened = ursa_fail(URSA_ERROR_ARGUMENT,
                           "%s: empty of data: expected a folder of images per class, or IDX files", root);
    if (opened && classes.count == 1)
        opened = ursa_fail(URSA_ERROR_ARGUMENT, "%s: one class (\"%s\"); training needs two or more folders of images",
                           root, classes.list[0]);
    opened = opened && (sets->train = open_set(root, &classes, options, 0, &sets->skipped));
    if (opened && parts) {
        int channels = (int)ursa_dataset_layout(sets->train)->x_shape.dim[2];
        sets->valid = open_set(valid, &classes, options, channels, &sets->skipped);
        opened = sets->valid;
    }
    free_names(&classes);
    free(train);
    free(valid);
    return opened;
}
