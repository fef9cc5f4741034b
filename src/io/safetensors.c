/* safetensors.c — reading and writing safetensors files.
 *
 * The header is JSON by cJSON; whatever it claims is checked against the
 * file's size before anything is handed out.
 */
#include <ursa/io.h>
#include "base/memory.h"
#include "mapped.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };
static const uint64_t LONGEST_HEADER = 100u << 20; /* as the reference reader */

static const struct {
    const char *name;
    ursa_dtype dtype;
} types[] = {
    {"F32", URSA_F32}, {"F16", URSA_F16}, {"BF16", URSA_BF16}, {"I32", URSA_I32},
    {"I64", URSA_I64}, {"U8", URSA_U8},   {"BOOL", URSA_BOOL},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

struct ursa_safetensors {
    char *path;
    const uint8_t *data; /* the whole file */
    size_t bytes;
    ursa_mapped mapped; /* what holds it: a map, or a copy */
    uint8_t *copy;
    cJSON *header;
    ursa_stored_tensor *tensors;
    int count;
};

/* ---- writing ------------------------------------------------------------------- */

static const char *type_name(ursa_dtype dtype)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (types[i].dtype == dtype)
            return types[i].name;
    return "";
}

static bool describe_tensor(cJSON *header, const ursa_stored_tensor *tensor, uint64_t begin)
{
    cJSON *entry = cJSON_AddObjectToObject(header, tensor->name);
    cJSON *shape = NULL, *offsets = NULL;
    bool made = entry && cJSON_AddStringToObject(entry, "dtype", type_name(tensor->dtype)) &&
                (shape = cJSON_AddArrayToObject(entry, "shape")) != NULL &&
                (offsets = cJSON_AddArrayToObject(entry, "data_offsets")) != NULL;
    for (int axis = 0; made && axis < tensor->shape.ndim; axis++)
        made = cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->shape.dim[axis]));
    return made && cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)begin)) &&
           cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(begin + tensor->bytes)));
}

static char *make_header(const ursa_stored_tensor *tensors, int count, const ursa_metadata *metadata,
                         int metadata_count)
{
    cJSON *header = cJSON_CreateObject();
    cJSON *strings = metadata_count ? cJSON_AddObjectToObject(header, "__metadata__") : NULL;
    bool made = header && (strings || !metadata_count);
    for (int i = 0; made && i < metadata_count; i++)
        made = cJSON_AddStringToObject(strings, metadata[i].key, metadata[i].value) != NULL;
    uint64_t begin = 0;
    for (int i = 0; made && i < count; i++) {
        made = describe_tensor(header, &tensors[i], begin);
        begin += tensors[i].bytes;
    }
    char *text = made ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (!text)
        ursa_fail(URSA_ERROR_MEMORY, "out of memory for the header of a model file");
    return text;
}

/* The header's length, the header, and spaces up to the alignment. */
static bool write_header(ursa_file_writer *writer, const char *text)
{
    uint64_t length = strlen(text), padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint8_t prefix[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++)
        prefix[i] = (uint8_t)(padded >> (8 * i));
    return ursa_file_writer_write(writer, prefix, sizeof prefix) && ursa_file_writer_write(writer, text, length) &&
           ursa_file_writer_write(writer, "        ", padded - length);
}

bool ursa_safetensors_write(const char *path, const ursa_stored_tensor *tensors, int count,
                            const ursa_metadata *metadata, int metadata_count)
{
    char *header = make_header(tensors, count, metadata, metadata_count);
    ursa_file_writer *writer = header ? ursa_file_writer_open(path) : NULL;
    bool written = writer && write_header(writer, header);
    cJSON_free(header);
    for (int i = 0; written && i < count; i++)
        written = ursa_file_writer_write(writer, tensors[i].data, tensors[i].bytes);
    if (written)
        return ursa_file_writer_commit(writer);
    ursa_file_writer_abandon(writer);
    return false;
}

/* ---- reading ------------------------------------------------------------------- */

static bool bad(const ursa_safetensors *file, const char *name, const char *problem)
{
    return ursa_fail(URSA_ERROR_FORMAT, "%s: tensor \"%s\": %s", file->path, name, problem);
}

/* A JSON number that is a whole number from 0 to 2⁵³. */
static bool whole_number(const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53 ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *out = (uint64_t)item->valuedouble;
    return true;
}

static bool read_shape(const cJSON *shape, ursa_dims *out, uint64_t *elements)
{
    *out = (ursa_dims){0};
    *elements = 1;
    if (!cJSON_IsArray(shape))
        return false;
    for (const cJSON *item = shape->child; item; item = item->next) {
        uint64_t extent;
        if (out->ndim == 6 || !whole_number(item, &extent) || __builtin_mul_overflow(*elements, extent, elements))
            return false;
        out->dim[out->ndim++] = (int64_t)extent;
    }
    return true;
}

static bool read_dtype(const cJSON *item, ursa_dtype *out)
{
    for (int i = 0; cJSON_IsString(item) && i < TYPE_COUNT; i++) {
        if (strcmp(item->valuestring, types[i].name) == 0) {
            *out = types[i].dtype;
            return true;
        }
    }
    return false;
}

static bool read_entry(const ursa_safetensors *file, const cJSON *entry, const uint8_t *body, uint64_t body_bytes,
                       ursa_stored_tensor *out)
{
    const char *name = entry->string;
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    uint64_t begin, end, elements;
    out->name = name;
    if (!cJSON_IsObject(entry))
        return bad(file, name, "expected an object with dtype, shape and data_offsets");
    if (!read_dtype(cJSON_GetObjectItemCaseSensitive(entry, "dtype"), &out->dtype))
        return bad(file, name, "dtype is none of F32, F16, BF16, I32, I64, U8, BOOL");
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(entry, "shape"), &out->shape, &elements))
        return bad(file, name, "shape is no list of up to six whole numbers");
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !whole_number(cJSON_GetArrayItem(offsets, 0), &begin) || !whole_number(cJSON_GetArrayItem(offsets, 1), &end))
        return bad(file, name, "data_offsets is no pair of whole numbers");
    if (begin > end || end > body_bytes)
        return bad(file, name, "its data lies outside the file");
    uint64_t size = ursa_dtype_size(out->dtype);
    if (elements > UINT64_MAX / size || end - begin != elements * size)
        return bad(file, name, "its data has another size than its shape and dtype");
    out->data = body + begin;
    out->bytes = (size_t)(end - begin);
    return true;
}

static bool check_metadata(const ursa_safetensors *file, const cJSON *metadata)
{
    bool strings = cJSON_IsObject(metadata);
    for (const cJSON *item = strings ? metadata->child : NULL; item; item = item->next)
        strings = strings && cJSON_IsString(item);
    return strings || ursa_fail(URSA_ERROR_FORMAT, "%s: __metadata__ is no object of strings", file->path);
}

static bool read_entries(ursa_safetensors *file, const uint8_t *body, uint64_t body_bytes)
{
    int entries = cJSON_GetArraySize(file->header);
    file->tensors = ursa_alloc_array((size_t)entries + 1, sizeof *file->tensors);
    if (!file->tensors)
        return false;
    for (const cJSON *entry = file->header->child; entry; entry = entry->next) {
        bool read = strcmp(entry->string, "__metadata__") == 0
                        ? check_metadata(file, entry)
                        : read_entry(file, entry, body, body_bytes, &file->tensors[file->count++]);
        if (!read)
            return false;
    }
    return true;
}

static bool parse(ursa_safetensors *file)
{
    uint64_t length = 0;
    if (file->bytes < LENGTH_BYTES)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: not a safetensors file: %zu bytes, expected 8 or more", file->path,
                         file->bytes);
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)file->data[i] << (8 * i);
    if (length > file->bytes - LENGTH_BYTES || length > LONGEST_HEADER)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: not a safetensors file: a header of %llu bytes in a file of %zu",
                         file->path, (unsigned long long)length, file->bytes);
    const char *text = (const char *)file->data + LENGTH_BYTES;
    file->header = cJSON_ParseWithLength(text, (size_t)length);
    if (!cJSON_IsObject(file->header))
        return ursa_fail(URSA_ERROR_FORMAT, "%s: not a safetensors file: its header is no JSON object", file->path);
    return read_entries(file, file->data + LENGTH_BYTES + length, file->bytes - LENGTH_BYTES - length);
}

/* Parses what `mapped` or `copy` holds, either of which it takes over. */
static ursa_safetensors *open_data(ursa_mapped mapped, uint8_t *copy, size_t bytes, const char *name)
{
    ursa_safetensors *file = ursa_alloc(sizeof *file);
    if (!file) {
        ursa_mapped_close(&mapped);
        free(copy);
        return NULL;
    }
    *file = (ursa_safetensors){.path = ursa_copy_string(name), .data = copy, .bytes = bytes, .copy = copy};
    if (!copy) {
        file->mapped = mapped;
        file->data = mapped.data;
    }
    if (!file->path || !parse(file)) {
        ursa_safetensors_close(file);
        return NULL;
    }
    return file;
}

ursa_safetensors *ursa_safetensors_parse(const void *data, size_t bytes, const char *name)
{
    uint8_t *copy = ursa_alloc_aligned(bytes + 1);
    if (!copy)
        return NULL;
    if (bytes)
        memcpy(copy, data, bytes);
    return open_data((ursa_mapped){0}, copy, bytes, name);
}

ursa_safetensors *ursa_safetensors_open(const char *path)
{
    ursa_mapped mapped;
    return path && ursa_mapped_open(path, &mapped) ? open_data(mapped, NULL, mapped.bytes, path) : NULL;
}

void ursa_safetensors_close(ursa_safetensors *file)
{
    if (!file)
        return;
    cJSON_Delete(file->header);
    free(file->tensors);
    ursa_mapped_close(&file->mapped);
    free(file->copy);
    free(file->path);
    free(file);
}

int ursa_safetensors_count(const ursa_safetensors *file)
{
    return file ? file->count : 0;
}

const ursa_stored_tensor *ursa_safetensors_at(const ursa_safetensors *file, int index)
{
    return file && index >= 0 && index < file->count ? &file->tensors[index] : NULL;
}

const ursa_stored_tensor *ursa_safetensors_find(const ursa_safetensors *file, const char *name)
{
    for (int i = 0; file && i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *ursa_safetensors_metadata(const ursa_safetensors *file, const char *key)
{
    const cJSON *metadata = file ? cJSON_GetObjectItemCaseSensitive(file->header, "__metadata__") : NULL;
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(metadata, key));
}
