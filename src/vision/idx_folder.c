/* idx_folder.c — folders of IDX files, as MNIST and Fashion-MNIST come. */
#include "image_data.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

bool ursa_is_idx_folder(const char *path)
{
    char *images = find(path, "train-images-idx3-ubyte");
    free(images);
    return images != NULL;
}

/* Labels as 64-bit classes, and how many classes they make. */
static int64_t *widen(const uint8_t *labels, int64_t count, int *classes)
{
    int64_t *wide = ursa_alloc_array((size_t)count + 1, sizeof *wide);
    for (int64_t i = 0; wide && i < count; i++) {
        wide[i] = labels[i];
        *classes = labels[i] >= *classes ? labels[i] + 1 : *classes;
    }
    return wide;
}

/* Squares of another size, if another is asked for. Frees the old pixels. */
static uint8_t *resize_all(uint8_t *pixels, const ursa_dims *shape, int size)
{
    int rows = (int)shape->dim[1], columns = (int)shape->dim[2];
    if (rows == size && columns == size)
        return pixels;
    size_t bytes = (size_t)size * (size_t)size;
    uint8_t *resized = ursa_alloc_array((size_t)shape->dim[0] + 1, bytes);
    for (int64_t i = 0; resized && i < shape->dim[0]; i++) {
        ursa_image image = {rows, columns, 1, pixels + (size_t)i * (size_t)(rows * columns)}, scaled;
        if (!ursa_image_resize(&image, size, size, &scaled)) {
            free(resized);
            resized = NULL;
            break;
        }
        memcpy(resized + (size_t)i * bytes, scaled.pixels, bytes);
        ursa_image_free(&scaled);
    }
    free(pixels);
    return resized;
}

static bool read_pair(const char *images_path, const char *labels_path, ursa_idx *images, ursa_idx *labels)
{
    if (!ursa_read_idx(images_path, images) || !ursa_read_idx(labels_path, labels))
        return false;
    if (images->shape.ndim != 3)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: %d dimensions; images have 3", images_path, images->shape.ndim);
    if (images->shape.dim[1] < 1 || images->shape.dim[2] < 1 || images->shape.dim[1] > 4096 ||
        images->shape.dim[2] > 4096)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: images of %lld × %lld pixels; expected 1 to 4096", images_path,
                         (long long)images->shape.dim[2], (long long)images->shape.dim[1]);
    if (labels->shape.ndim != 1 || labels->shape.dim[0] != images->shape.dim[0])
        return ursa_fail(URSA_ERROR_FORMAT, "%s: %lld labels for the %lld images of %s", labels_path,
                         (long long)labels->shape.dim[0], (long long)images->shape.dim[0], images_path);
    return true;
}

static ursa_dataset *dataset_of(ursa_idx *images, ursa_idx *labels, int size, int *classes)
{
    int64_t count = images->shape.dim[0];
    int side = size ? size : (int)images->shape.dim[1];
    uint8_t *pixels = resize_all(images->data, &images->shape, side);
    int64_t *wide = widen(labels->data, count, classes);
    images->data = NULL;
    ursa_item_layout layout = {ursa_shape(side, side, 1), URSA_U8, ursa_shape(), URSA_I64};
    return ursa_array_dataset(pixels, wide, count, &layout);
}

/* One part, "train" or "t10k"; NULL, without an error, when it is not there. */
static ursa_dataset *open_part(const char *folder, const char *part, int size, int *classes)
{
    char images_name[48], labels_name[48];
    snprintf(images_name, sizeof images_name, "%s-images-idx3-ubyte", part);
    snprintf(labels_name, sizeof labels_name, "%s-labels-idx1-ubyte", part);
    char *images_path = find(folder, images_name), *labels_path = find(folder, labels_name);
    ursa_idx images = {0}, labels = {0};
    ursa_dataset *dataset = NULL;
    if (images_path && !labels_path)
        ursa_fail(URSA_ERROR_IO, "%s: has %s and no %s[.gz]", folder, images_name, labels_name);
    else if (images_path && read_pair(images_path, labels_path, &images, &labels))
        dataset = dataset_of(&images, &labels, size, classes);
    free(images.data);
    free(labels.data);
    free(images_path);
    free(labels_path);
    return dataset;
}

/* Names of classes: lines of classes.txt, or their numbers. */
struct class_names {
    char text[256][64];
    const char *pointers[256];
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

bool ursa_open_idx_folder(const char *path, const ursa_image_data_options *options, struct image_sets *sets)
{
    int classes = 0;
    *sets = (struct image_sets){0};
    sets->train = open_part(path, "train", options->size, &classes);
    if (sets->train)
        sets->valid = open_part(path, "t10k", options->size, &classes);
    bool opened = sets->train && !ursa_error();
    if (opened && classes < 2)
        opened =
            ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d class in the labels; training needs two or more", path, classes);
    struct class_names names;
    return opened && find_names(path, classes, &names) &&
           ursa_dataset_set_classes(sets->train, names.pointers, classes) &&
           (!sets->valid || ursa_dataset_set_classes(sets->valid, names.pointers, classes));
}
