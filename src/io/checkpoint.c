/* checkpoint.c — weights from elsewhere: finds out what a file is, and hands out
 * its tensors by name. */
#include "checkpoint.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Whose layout a safetensors file has: PyTorch's tools write "format": "pt",
 * we write formats of our own name. */
static ursa_weight_layout layout_of(const ursa_safetensors *file)
{
    const char *format = ursa_safetensors_metadata(file, "format");
    if (format && strcmp(format, "pt") == 0)
        return URSA_LAYOUT_TORCH;
    return format && strncmp(format, "ursa", 4) == 0 ? URSA_LAYOUT_OURS : URSA_LAYOUT_UNKNOWN;
}

static bool open_torch(ursa_checkpoint *file)
{
    ursa_context_push("%s", file->path);
    file->torch = ursa_torch_file_open(file->mapped.data, file->mapped.bytes);
    ursa_context_pop();
    if (!file->torch)
        return false;
    file->tensors = ursa_torch_file_tensors(file->torch, &file->count);
    file->format = ursa_torch_file_format(file->torch);
    file->layout = URSA_LAYOUT_TORCH;
    return true;
}

static bool open_safetensors(ursa_checkpoint *file)
{
    file->safetensors = ursa_safetensors_open(file->path);
    if (!file->safetensors)
        return false;
    file->count = ursa_safetensors_count(file->safetensors);
    file->tensors = ursa_safetensors_at(file->safetensors, 0);
    file->format = "safetensors";
    file->layout = layout_of(file->safetensors);
    return true;
}

static bool open_file(ursa_checkpoint *file)
{
    if (!ursa_mapped_open(file->path, &file->mapped))
        return false;
    if (ursa_torch_file_is(file->mapped.data, file->mapped.bytes))
        return open_torch(file);
    ursa_mapped_close(&file->mapped);
    return open_safetensors(file);
}

/* ---- finding by name ---------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const ursa_stored_tensor *x = *(const ursa_stored_tensor *const *)a, *y = *(const ursa_stored_tensor *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static bool sort_names(ursa_checkpoint *file)
{
    file->by_name = ursa_alloc_array((size_t)file->count + 1, sizeof *file->by_name);
    if (!file->by_name)
        return false;
    for (int i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    return true;
}

const ursa_stored_tensor *ursa_checkpoint_find(const ursa_checkpoint *file, const char *name)
{
    int low = 0, high = file && name ? file->count : 0;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(file->by_name[middle]->name, name);
        if (order == 0)
            return file->by_name[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- opening ------------------------------------------------------------------- */

ursa_checkpoint *ursa_checkpoint_open(const char *path)
{
    ursa_checkpoint *file = path ? ursa_alloc(sizeof *file) : NULL;
    if (!file)
        return NULL;
    file->path = ursa_copy_string(path);
    if (!file->path || !open_file(file) || !sort_names(file)) {
        ursa_checkpoint_close(file);
        return NULL;
    }
    return file;
}

void ursa_checkpoint_close(ursa_checkpoint *file)
{
    if (!file)
        return;
    ursa_safetensors_close(file->safetensors);
    ursa_torch_file_close(file->torch);
    ursa_mapped_close(&file->mapped);
    free(file->by_name);
    free(file->path);
    free(file);
}

const char *ursa_checkpoint_path(const ursa_checkpoint *file)
{
    return file ? file->path : NULL;
}

const char *ursa_checkpoint_format(const ursa_checkpoint *file)
{
    return file ? file->format : NULL;
}

int ursa_checkpoint_count(const ursa_checkpoint *file)
{
    return file ? file->count : 0;
}

const ursa_stored_tensor *ursa_checkpoint_at(const ursa_checkpoint *file, int index)
{
    return file && index >= 0 && index < file->count ? &file->tensors[index] : NULL;
}

const char *ursa_checkpoint_metadata(const ursa_checkpoint *file, const char *key)
{
    return file && file->safetensors ? ursa_safetensors_metadata(file->safetensors, key) : NULL;
}

bool ursa_checkpoint_convert(const ursa_checkpoint *file, const char *path)
{
    static const ursa_metadata torch = {"format", "pt"}, ours = {"format", "ursa-weights"};
    if (!file || !path)
        return false;
    bool known = file->layout != URSA_LAYOUT_UNKNOWN;
    return ursa_safetensors_write(path, file->tensors, file->count, file->layout == URSA_LAYOUT_TORCH ? &torch : &ours,
                                  known);
}
