/* parameters.c — the parameters of a module, to and from a safetensors file. */
#include <ursa/io.h>
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_stored(ursa_stored_tensor *stored, int count)
{
    for (int i = 0; stored && i < count; i++)
        free((void *)stored[i].data);
    free(stored);
}

static bool fetch(const ursa_parameter *parameter, ursa_stored_tensor *stored)
{
    ursa_dtype dtype = ursa_dtype_of(parameter->tensor);
    int64_t count = ursa_count(parameter->tensor);
    size_t bytes = (size_t)count * ursa_dtype_size(dtype);
    void *data = ursa_alloc(bytes + 1);
    *stored = (ursa_stored_tensor){parameter->name, dtype, ursa_dims_of(parameter->tensor), data, bytes};
    return data && ursa_read(parameter->tensor, dtype, data, count);
}

bool ursa_save_parameters(ursa_module *module, const char *path, const ursa_metadata *metadata, int count)
{
    const ursa_parameter *list;
    int tensors = ursa_parameters(module, &list);
    ursa_stored_tensor *stored = tensors < 0 ? NULL : ursa_alloc_array((size_t)tensors + 1, sizeof *stored);
    bool fetched = stored;
    for (int i = 0; fetched && i < tensors; i++)
        fetched = fetch(&list[i], &stored[i]);
    bool saved = fetched && ursa_safetensors_write(path, stored, tensors, metadata, count);
    free_stored(stored, tensors);
    return saved;
}

static void shape_text(ursa_dims shape, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int axis = 0; axis < shape.ndim && used < size; axis++)
        used += (size_t)snprintf(text + used, size - used, axis ? ", %lld" : "%lld", (long long)shape.dim[axis]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

static bool same_shape(ursa_dims a, ursa_dims b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, (size_t)a.ndim * sizeof *a.dim) == 0;
}

static bool load(const ursa_parameter *parameter, const ursa_safetensors *file)
{
    const ursa_stored_tensor *stored = ursa_safetensors_find(file, parameter->name);
    ursa_dims expected = ursa_dims_of(parameter->tensor);
    if (!stored)
        return ursa_fail(URSA_ERROR_FORMAT, "the file has no tensor \"%s\"", parameter->name);
    if (!same_shape(stored->shape, expected)) {
        char found[96], wanted[96];
        shape_text(stored->shape, found, sizeof found);
        shape_text(expected, wanted, sizeof wanted);
        return ursa_fail(URSA_ERROR_SHAPE, "tensor \"%s\" is %s in the file, expected %s", parameter->name, found,
                         wanted);
    }
    return ursa_write_(parameter->tensor, stored->dtype, stored->data, ursa_count(parameter->tensor));
}

bool ursa_load_parameters(ursa_module *module, const ursa_safetensors *file)
{
    const ursa_parameter *list;
    int count = file ? ursa_parameters(module, &list) : -1;
    ursa_no_grad_begin();
    bool loaded = count >= 0;
    for (int i = 0; loaded && i < count; i++)
        loaded = load(&list[i], file);
    ursa_no_grad_end();
    return loaded;
}
