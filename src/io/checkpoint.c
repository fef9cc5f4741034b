/* checkpoint.c — weights from elsewhere: finds out what a file is, and hands out
 * its tensors by name. */
#include "checkpoint.h"
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

static bool open_file(ursa_checkpoint *file)
{
    file->safetensors = ursa_safetensors_open(file->path);
    file->format = "safetensors";
    file->layout = layout_of(file->safetensors);
    return file->safetensors;
}

ursa_checkpoint *ursa_checkpoint_open(const char *path)
{
    ursa_checkpoint *file = path ? ursa_alloc(sizeof *file) : NULL;
    if (!file)
        return NULL;
    file->path = ursa_copy_string(path);
    if (!file->path || !open_file(file)) {
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
    return file ? ursa_safetensors_count(file->safetensors) : 0;
}

const ursa_stored_tensor *ursa_checkpoint_at(const ursa_checkpoint *file, int index)
{
    return file ? ursa_safetensors_at(file->safetensors, index) : NULL;
}

const ursa_stored_tensor *ursa_checkpoint_find(const ursa_checkpoint *file, const char *name)
{
    return file ? ursa_safetensors_find(file->safetensors, name) : NULL;
}

const char *ursa_checkpoint_metadata(const ursa_checkpoint *file, const char *key)
{
    return file ? ursa_safetensors_metadata(file->safetensors, key) : NULL;
}
