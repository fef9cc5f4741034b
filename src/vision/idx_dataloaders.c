/* idx_dataloaders.c — loaders of IDX files, as MNIST and Fashion-MNIST come. */
#include "image_dataloaders.h"
#include "base/memory.h"

#include <ursa/io.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CLASSES = 256, LARGEST_SIDE = 4096 };

/* ---- reading -------------------------------------------------------------------- */

/* Images with their labels. */
struct part {
    ursa_idx images, labels;
    int64_t count;
};

static void clear_part(struct part *part)
{
    free(part->images.data);
    free(part->labels.data);
    *part = (struct part){0};
}

/* The path of folder/name or folder/name.gz, whichever there is; NULL, without
 * an error, when there is neither. */
static char *find(const char *folder, const char *name)
{
    for (int gzipped = 0; gzipped < 2; gzipped++) {
        char *path = ursa_format("%s/%s%s", folder, name, gzipped ? ".gz" : "");
        if (!path || access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

bool ursa_has_idx_files(const char *path)
{
    char *images = find(path, "train-images-idx3-ubyte");
    free(images);
    return images != NULL;
}

static bool read_pair(const char *images_path, const char *labels_path, struct part *part)
{
    if (!ursa_read_idx(images_path, &part->images) || !ursa_read_idx(labels_path, &part->labels))
        return false;
    const ursa_dims *images = &part->images.shape, *labels = &part->labels.shape;
    if (images->ndim != 3)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: %d dimensions; images have 3", images_path, images->ndim);
    if (images->dim[1] < 1 || images->dim[2] < 1 || images->dim[1] > LARGEST_SIDE || images->dim[2] > LARGEST_SIDE)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: images of %lld × %lld pixels; expected 1 to %d", images_path,
                         (long long)images->dim[2], (long long)images->dim[1], LARGEST_SIDE);
    if (labels->ndim != 1 || labels->dim[0] != images->dim[0])
        return ursa_fail(URSA_ERROR_FORMAT, "%s: %lld labels for the %lld images of %s", labels_path,
                         (long long)labels->dim[0], (long long)images->dim[0], images_path);
    part->count = images->dim[0];
    return true;
}

/* "train" or "t10k"; stays empty where it is not there. */
static bool read_part(const char *folder, const char *name, struct part *part)
{
    char images_name[48], labels_name[48];
    snprintf(images_name, sizeof images_name, "%s-images-idx3-ubyte", name);
    snprintf(labels_name, sizeof labels_name, "%s-labels-idx1-ubyte", name);
    char *images_path = find(folder, images_name), *labels_path = find(folder, labels_name);
    bool fine = true;
    if (images_path && !labels_path)
        fine = ursa_fail(URSA_ERROR_IO, "%s: has %s and no %s[.gz]", folder, images_name, labels_name);
    else if (images_path)
        fine = read_pair(images_path, labels_path, part);
    free(images_path);
    free(labels_path);
    return fine;
}

/* ---- names of classes ----------------------------------------------------------------- */

struct class_names {
    char text[MOST_CLASSES][64];
    const char *pointers[MOST_CLASSES + 1]; /* ending with NULL */
};

static bool read_names(const char *path, FILE *file, int classes, struct class_names *names)
{
    int count = 0;
    char line[256];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && count < classes)
            snprintf(names->text[count], sizeof names->text[count], "%.63s", line);
        count += *line != '\0';
    }
    return count == classes ||
           ursa_fail(URSA_ERROR_FORMAT, "%s: %d names for the %d classes of the labels", path, count, classes);
}

/* The lines of classes.txt, or numbers. */
static bool find_names(const char *folder, int classes, struct class_names *names)
{
    for (int i = 0; i < classes; i++) {
        snprintf(names->text[i], sizeof names->text[i], "%d", i);
        names->pointers[i] = names->text[i];
    }
    char *path = ursa_format("%s/classes.txt", folder);
    FILE *file = path ? fopen(path, "r") : NULL;
    bool found = path && (!file || read_names(path, file, classes, names));
    if (file)
        fclose(file);
    free(path);
    return found;
}

static int count_classes(const struct part *parts)
{
    int classes = 0;
    for (int p = 0; p < 2; p++)
        for (int64_t i = 0; i < parts[p].count; i++)
            classes = parts[p].labels.data[i] >= classes ? parts[p].labels.data[i] + 1 : classes;
    return classes;
}

/* ---- items ------------------------------------------------------------------------------- */

/* The images as values, which point into the files' memory. */
struct pixels {
    struct part parts[2];
    ursa_value *values;
};

static void free_pixels(void *memory)
{
    struct pixels *pixels = memory;
    clear_part(&pixels->parts[0]);
    clear_part(&pixels->parts[1]);
    free(pixels->values);
    free(pixels);
}

static void describe(struct pixels *pixels, const struct class_names *names, ursa_data_item *items)
{
    int64_t filled = 0;
    for (int p = 0; p < 2; p++) {
        const ursa_dims *shape = &pixels->parts[p].images.shape;
        for (int64_t i = 0; i < pixels->parts[p].count; i++, filled++) {
            pixels->values[filled] = (ursa_value){
                .kind = URSA_KIND_IMAGE,
                .dtype = URSA_U8,
                .shape = ursa_shape(shape->dim[1], shape->dim[2], 1),
                .data = pixels->parts[p].images.data + i * shape->dim[1] * shape->dim[2],
            };
            items[filled].value = &pixels->values[filled];
            items[filled].label = names->pointers[pixels->parts[p].labels.data[i]];
        }
    }
}

/* Where the items of the second part stand, to free(). */
static int64_t *second_part(const struct pixels *pixels)
{
    int64_t *indices = ursa_alloc_array((size_t)pixels->parts[1].count + 1, sizeof *indices);
    for (int64_t i = 0; indices && i < pixels->parts[1].count; i++)
        indices[i] = pixels->parts[0].count + i;
    return indices;
}

static ursa_dataloaders *load(struct pixels *pixels, const struct class_names *names, const char *path,
                              const ursa_image_dataloaders_options *options)
{
    int64_t count = pixels->parts[0].count + pixels->parts[1].count;
    ursa_data_item *items = ursa_alloc_array((size_t)count + 1, sizeof *items);
    int64_t *held_out = second_part(pixels);
    pixels->values = ursa_alloc_array((size_t)count + 1, sizeof *pixels->values);
    if (!items || !held_out || !pixels->values) {
        free(items);
        free(held_out);
        free_pixels(pixels);
        return NULL;
    }
    describe(pixels, names, items);
    ursa_image_dataloaders_options filled = *options;
    if (!filled.vocab)
        filled.vocab = names->pointers;
    ursa_datablock_options block = {.get_y = ursa_item_label, .splitter = ursa_image_random_splitter(options)};
    if (pixels->parts[1].count && !(options->valid_pct > 0))
        block.splitter = ursa_index_splitter(held_out, pixels->parts[1].count);
    ursa_dataloaders *loaders = ursa_image_dataloaders_make(
        &(ursa_source){.path = path, .items = items, .count = count, .memory = pixels, .free_memory = free_pixels},
        &block, &filled);
    free(items);
    free(held_out);
    return loaders;
}

ursa_dataloaders *ursa_image_dataloaders_from_idx_opt(const char *path, const ursa_image_dataloaders_options *options)
{
    struct pixels *pixels = path ? ursa_alloc(sizeof *pixels) : NULL;
    struct class_names *names = pixels ? ursa_alloc(sizeof *names) : NULL;
    bool read = names && read_part(path, "train", &pixels->parts[0]) && read_part(path, "t10k", &pixels->parts[1]);
    int classes = read ? count_classes(pixels->parts) : 0;
    if (read && pixels->parts[0].count == 0)
        read = ursa_fail(URSA_ERROR_ARGUMENT, "%s: no images in train-images-idx3-ubyte", path);
    if (read && classes < 2)
        read = ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d class in the labels; training needs two or more", path, classes);
    read = read && find_names(path, classes, names);
    ursa_dataloaders *loaders = read ? load(pixels, names, path, options) : NULL;
    if (!read && pixels)
        free_pixels(pixels);
    free(names);
    return loaders;
}
