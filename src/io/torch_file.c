/* torch_file.c — the tensors of a file that torch.save() wrote: a zip archive of a
 * pickle and one entry per storage (since PyTorch 1.6), or several pickles and
 * the storages behind each other.
 */
#include "torch_file.h"
#include "base/memory.h"
#include "pickle.h"
#include "zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A storage of a legacy file. */
struct storage {
    ursa_pickle_text key;
    const uint8_t *data;
    size_t left; /* bytes to the end of the file */
    uint64_t count;
};

struct ursa_torch_file {
    const uint8_t *data;
    size_t bytes;
    ursa_pickle *pickle;
    ursa_stored_tensor *tensors;
    int count;
    void **made; /* memory of tensors that are not in the file as they are wanted */
    int made_count;
    size_t made_bytes;

    ursa_zip *zip; /* NULL: a legacy file */
    char *prefix;  /* of the zip's entries: "archive/" */
    struct storage *storages;
    size_t storage_count;
};

static const struct {
    size_t size;
    ursa_dtype dtype; /* here */
    bool same;        /* whether the bytes are, too */
} types[] = {
    [URSA_TORCH_F64] = {8, URSA_F32, false}, [URSA_TORCH_F32] = {4, URSA_F32, true},
    [URSA_TORCH_F16] = {2, URSA_F16, true},  [URSA_TORCH_BF16] = {2, URSA_BF16, true},
    [URSA_TORCH_I64] = {8, URSA_I64, true},  [URSA_TORCH_I32] = {4, URSA_I32, true},
    [URSA_TORCH_I16] = {2, URSA_I32, false}, [URSA_TORCH_I8] = {1, URSA_I32, false},
    [URSA_TORCH_U8] = {1, URSA_U8, true},    [URSA_TORCH_BOOL] = {1, URSA_BOOL, false},
};

/* Ten bytes: 0x1950a86a20f9469cfc6c as a pickled number. */
static const uint8_t legacy_magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

static bool is_zip(const uint8_t *data, size_t bytes)
{
    return bytes > 4 && memcmp(data, "PK\3\4", 4) == 0;
}

bool ursa_torch_file_is(const uint8_t *data, size_t bytes)
{
    return is_zip(data, bytes) || (bytes > 2 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5);
}

/* ---- the bytes of a storage --------------------------------------------------------- */

static const uint8_t *zip_storage(ursa_torch_file *file, const ursa_pickle_storage *storage, size_t *bytes)
{
    char *name = ursa_format("%sdata/%.*s", file->prefix, (int)storage->key.length, storage->key.text);
    if (!name)
        return NULL;
    int entry = ursa_zip_find(file->zip, name);
    if (entry < 0)
        ursa_fail(URSA_ERROR_FORMAT, "the archive has no entry \"%.100s\"", name);
    free(name);
    return entry < 0 ? NULL : ursa_zip_read(file->zip, entry, bytes);
}

static int compare_keys(ursa_pickle_text a, ursa_pickle_text b)
{
    int order = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_storages(const void *a, const void *b)
{
    return compare_keys(((const struct storage *)a)->key, ((const struct storage *)b)->key);
}

static const uint8_t *legacy_storage(const ursa_torch_file *file, const ursa_pickle_storage *storage, size_t *bytes)
{
    struct storage key = {.key = storage->key};
    const struct storage *found = bsearch(&key, file->storages, file->storage_count, sizeof key, compare_storages);
    size_t size = types[storage->type].size;
    if (!found || found->count > found->left / size) {
        ursa_fail(URSA_ERROR_FORMAT, "the storage \"%.*s\" is missing or cut off",
                  storage->key.length < 40 ? (int)storage->key.length : 40, storage->key.text);
        return NULL;
    }
    *bytes = found->count * size;
    return found->data;
}

/* ---- one tensor ----------------------------------------------------------------------- */

static bool bad(const char *name, const char *problem)
{
    return ursa_fail(URSA_ERROR_FORMAT, "tensor \"%.100s\": %s", name, problem);
}

/* Whether all elements lie within a storage of so many; counts them. A tensor may
 * not have more elements than its storage, which expanded ones could. */
static bool within(const ursa_pickle_tensor *tensor, uint64_t held, int64_t *elements)
{
    int64_t last = tensor->offset;
    *elements = 1;
    for (int axis = 0; axis < tensor->ndim; axis++)
        if (__builtin_mul_overflow(*elements, tensor->shape[axis], elements))
            return false;
    if (*elements == 0)
        return true;
    for (int axis = 0; axis < tensor->ndim; axis++) {
        int64_t reach;
        if (__builtin_mul_overflow(tensor->shape[axis] - 1, tensor->stride[axis], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return false;
    }
    return (uint64_t)last < held && (uint64_t)*elements <= held;
}

static bool is_row_major(const ursa_pickle_tensor *tensor)
{
    int64_t expected = 1;
    for (int axis = tensor->ndim - 1; axis >= 0; axis--) {
        if (tensor->shape[axis] != 1 && tensor->stride[axis] != expected)
            return false;
        expected *= tensor->shape[axis];
    }
    return true;
}

static void convert(ursa_torch_type type, const uint8_t *from, uint8_t *to)
{
    double real;
    int16_t narrow;
    switch (type) {
    case URSA_TORCH_F64:
        memcpy(&real, from, sizeof real);
        memcpy(to, &(float){(float)real}, sizeof(float));
        return;
    case URSA_TORCH_I16:
        memcpy(&narrow, from, sizeof narrow);
        memcpy(to, &(int32_t){narrow}, sizeof(int32_t));
        return;
    case URSA_TORCH_I8:
        memcpy(to, &(int32_t){(int8_t)*from}, sizeof(int32_t));
        return;
    case URSA_TORCH_BOOL:
        *to = *from != 0;
        return;
    default:
        memcpy(to, from, types[type].size);
    }
}

/* Elements in row-major order, converted. */
static void gather(const ursa_pickle_tensor *tensor, const uint8_t *data, int64_t elements, uint8_t *to)
{
    ursa_torch_type type = tensor->storage->type;
    size_t size = types[type].size, step = ursa_dtype_size(types[type].dtype);
    int64_t index[URSA_PICKLE_DIMS] = {0}, at = tensor->offset;
    for (int64_t i = 0; i < elements; i++) {
        convert(type, data + (size_t)at * size, to + (size_t)i * step);
        for (int axis = tensor->ndim - 1; axis >= 0; axis--) {
            at += tensor->stride[axis];
            if (++index[axis] < tensor->shape[axis])
                break;
            at -= index[axis] * tensor->stride[axis];
            index[axis] = 0;
        }
    }
}

/* Memory for a converted tensor; all of it stays within a multiple of the file's
 * size, however often its storages are used. */
static uint8_t *make_room(ursa_torch_file *file, size_t bytes)
{
    enum { MULTIPLE = 8, AT_LEAST = 1 << 16 };
    if (bytes > file->bytes * MULTIPLE + AT_LEAST - file->made_bytes) {
        ursa_fail(URSA_ERROR_FORMAT, "its tensors are many times larger than the file");
        return NULL;
    }
    void **grown = ursa_grow(file->made, (size_t)(file->made_count + 1) * sizeof *grown);
    uint8_t *memory = grown ? ursa_alloc_aligned(bytes + 1) : NULL;
    if (grown)
        file->made = grown;
    if (memory) {
        file->made[file->made_count++] = memory;
        file->made_bytes += bytes;
    }
    return memory;
}

static bool read_tensor(ursa_torch_file *file, const char *name, const ursa_pickle_tensor *tensor,
                        ursa_stored_tensor *out)
{
    const ursa_pickle_storage *storage = tensor->storage;
    size_t bytes = 0, size = types[storage->type].size;
    const uint8_t *data = file->zip ? zip_storage(file, storage, &bytes) : legacy_storage(file, storage, &bytes);
    if (!data)
        return false;
    int64_t elements;
    if ((uint64_t)storage->count > bytes / size)
        return bad(name, "its storage is shorter than it claims");
    if (!within(tensor, bytes / size, &elements))
        return bad(name, "it lies outside its storage");
    *out = (ursa_stored_tensor){.name = name, .dtype = types[storage->type].dtype, .shape = {.ndim = tensor->ndim}};
    memcpy(out->shape.dim, tensor->shape, (size_t)tensor->ndim * sizeof *tensor->shape);
    out->bytes = (size_t)elements * ursa_dtype_size(out->dtype);
    out->data = elements ? data + (size_t)tensor->offset * size : data;
    if (types[storage->type].same && is_row_major(tensor) && (uintptr_t)out->data % size == 0)
        return true;
    uint8_t *made = make_room(file, out->bytes);
    if (made)
        gather(tensor, data, elements, made);
    out->data = made;
    return made;
}

/* ---- the dictionary of tensors ----------------------------------------------------------- */

static bool has_tensors(const ursa_pickle_value *dict)
{
    for (size_t i = 1; dict && dict->kind == URSA_PICKLE_DICT && i < dict->list.count; i += 2)
        if (dict->list.items[i]->kind == URSA_PICKLE_TENSOR)
            return true;
    return false;
}

/* The state dictionary: what is saved, or under one of the usual names in it. */
static const ursa_pickle_value *find_state(const ursa_pickle_value *root)
{
    static const char *const usual[] = {"state_dict", "model_state_dict", "model", "model_state", "net", "weights"};
    for (int depth = 0; depth < 3; depth++) {
        const ursa_pickle_value *inner = NULL;
        for (size_t i = 0; !inner && i < sizeof usual / sizeof *usual; i++) {
            inner = ursa_pickle_find(root, usual[i]);
            inner = inner && inner->kind == URSA_PICKLE_DICT ? inner : NULL;
        }
        if (!inner)
            break;
        root = inner;
    }
    return root;
}

/* What wrappers put before every name: DataParallel, torch.compile. */
static size_t common_prefix(const ursa_pickle_value *state)
{
    static const char *const usual[] = {"module.", "_orig_mod."};
    for (size_t p = 0; p < sizeof usual / sizeof *usual; p++) {
        size_t length = strlen(usual[p]);
        bool all = true;
        for (size_t i = 0; all && i + 1 < state->list.count; i += 2) {
            const ursa_pickle_value *key = state->list.items[i];
            if (key->kind == URSA_PICKLE_TEXT && state->list.items[i + 1]->kind == URSA_PICKLE_TENSOR)
                all = key->text.length > length && memcmp(key->text.text, usual[p], length) == 0;
        }
        if (all)
            return length;
    }
    return 0;
}

static bool read_state(ursa_torch_file *file, const ursa_pickle_value *state)
{
    size_t prefix = common_prefix(state);
    file->tensors = ursa_alloc_array(state->list.count / 2 + 1, sizeof *file->tensors);
    if (!file->tensors)
        return false;
    for (size_t i = 0; i + 1 < state->list.count; i += 2) {
        const ursa_pickle_value *key = state->list.items[i], *value = state->list.items[i + 1];
        if (key->kind != URSA_PICKLE_TEXT || value->kind != URSA_PICKLE_TENSOR)
            continue;
        size_t length = key->text.length - prefix;
        char *name = ursa_pickle_alloc(file->pickle, length + 1);
        if (!name)
            return false;
        memcpy(name, key->text.text + prefix, length);
        name[length] = 0;
        if (!read_tensor(file, name, value->tensor, &file->tensors[file->count]))
            return false;
        file->count++;
    }
    return true;
}

static bool read_root(ursa_torch_file *file, const ursa_pickle_value *root)
{
    if (root->kind == URSA_PICKLE_TENSOR) {
        file->tensors = ursa_alloc(sizeof *file->tensors);
        file->count = file->tensors && read_tensor(file, "tensor", root->tensor, file->tensors);
        return file->count;
    }
    const ursa_pickle_value *state = find_state(root);
    if (!has_tensors(state))
        return ursa_fail(URSA_ERROR_FORMAT, "it holds no dictionary of tensors");
    return read_state(file, state);
}

/* ---- zip ------------------------------------------------------------------------------------ */

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The folder within the archive that holds data.pkl, with its slash. */
static bool find_prefix(ursa_torch_file *file)
{
    for (int i = 0; i < ursa_zip_count(file->zip); i++) {
        const char *name = ursa_zip_name(file->zip, i), *slash = strchr(name, '/');
        if (slash && strcmp(slash, "/data.pkl") == 0) {
            file->prefix = ursa_format("%.*s", (int)(slash + 1 - name), name);
            return file->prefix;
        }
        if (ends_in(name, "/constants.pkl"))
            return ursa_fail(URSA_ERROR_UNSUPPORTED,
                             "a TorchScript archive, which holds code; save the state_dict() instead");
    }
    return ursa_fail(URSA_ERROR_FORMAT, "an archive without data.pkl: not written by torch.save()");
}

/* An entry beside data.pkl; no error when it is not there. */
static const uint8_t *entry(ursa_torch_file *file, const char *name, size_t *bytes)
{
    char *path = ursa_format("%s%s", file->prefix, name);
    int index = path ? ursa_zip_find(file->zip, path) : -1;
    free(path);
    return index < 0 ? NULL : ursa_zip_read(file->zip, index, bytes);
}

static bool open_zip(ursa_torch_file *file)
{
    size_t bytes = 0, used;
    file->zip = ursa_zip_open(file->data, file->bytes);
    if (!file->zip || !find_prefix(file))
        return false;
    const uint8_t *order = entry(file, "byteorder", &bytes);
    if (order && !(bytes >= 6 && memcmp(order, "little", 6) == 0))
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "written on a big-endian machine");
    const uint8_t *data = entry(file, "data.pkl", &bytes);
    file->pickle = data ? ursa_pickle_new(bytes) : NULL;
    const ursa_pickle_value *root = file->pickle ? ursa_pickle_read(file->pickle, data, bytes, &used) : NULL;
    return root && read_root(file, root);
}

/* ---- legacy ----------------------------------------------------------------------------------- */

/* The next pickle of the file. */
static const ursa_pickle_value *next(ursa_torch_file *file, size_t *at)
{
    size_t used = 0;
    const ursa_pickle_value *value = ursa_pickle_read(file->pickle, file->data + *at, file->bytes - *at, &used);
    *at += used;
    return value;
}

static bool is_magic(const ursa_torch_file *file)
{
    return file->bytes > sizeof legacy_magic + 2 && memcmp(file->data + 2, legacy_magic, sizeof legacy_magic) == 0;
}

/* Behind the pickles: for each key a 64-bit count, and the elements. Their size
 * is that of the type that tensors say. */
static bool find_storages(ursa_torch_file *file, const ursa_pickle_value *keys, size_t at, const size_t *sizes)
{
    for (size_t i = 0; i < keys->list.count; i++) {
        if (file->bytes - at < sizeof(uint64_t))
            return ursa_fail(URSA_ERROR_FORMAT, "it ends within its storages: cut off?");
        struct storage *storage = &file->storages[i];
        memcpy(&storage->count, file->data + at, sizeof storage->count);
        at += sizeof storage->count;
        storage->key = keys->list.items[i]->text;
        storage->data = file->data + at;
        storage->left = file->bytes - at;
        if (!sizes[i] || storage->count > storage->left / sizes[i])
            return ursa_fail(URSA_ERROR_FORMAT, "it ends within its storages: cut off?");
        at += storage->count * sizes[i];
    }
    file->storage_count = keys->list.count;
    qsort(file->storages, file->storage_count, sizeof *file->storages, compare_storages);
    return true;
}

struct keyed {
    ursa_pickle_text key;
    size_t index;
};

static int compare_keyed(const void *a, const void *b)
{
    return compare_keys(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* The size of an element of every storage, which the list of keys does not say:
 * from the storages that the pickle named. */
static bool element_sizes(ursa_torch_file *file, const ursa_pickle_value *keys, size_t *sizes)
{
    size_t count = keys->list.count;
    struct keyed *sorted = ursa_alloc_array(count + 1, sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct keyed){keys->list.items[i]->text, i};
    qsort(sorted, count, sizeof *sorted, compare_keyed);
    for (const ursa_pickle_storage *storage = ursa_pickle_storages(file->pickle); storage; storage = storage->next) {
        struct keyed key = {.key = storage->key};
        const struct keyed *found = bsearch(&key, sorted, count, sizeof key, compare_keyed);
        if (found)
            sizes[found->index] = types[storage->type].size;
    }
    free(sorted);
    return true;
}

static bool read_storages(ursa_torch_file *file, const ursa_pickle_value *keys, size_t at)
{
    bool texts = keys->kind == URSA_PICKLE_LIST;
    for (size_t i = 0; texts && i < keys->list.count; i++)
        texts = keys->list.items[i]->kind == URSA_PICKLE_TEXT;
    if (!texts)
        return ursa_fail(URSA_ERROR_FORMAT, "its list of storages is none");
    file->storages = ursa_alloc_array(keys->list.count + 1, sizeof *file->storages);
    size_t *sizes = file->storages ? ursa_alloc_array(keys->list.count + 1, sizeof *sizes) : NULL;
    bool found = sizes && element_sizes(file, keys, sizes) && find_storages(file, keys, at, sizes);
    free(sizes);
    return found;
}

static bool open_legacy(ursa_torch_file *file)
{
    size_t at = 0;
    file->pickle = ursa_pickle_new(file->bytes);
    const ursa_pickle_value *value = file->pickle ? next(file, &at) : NULL; /* the magic number */
    if (value && !is_magic(file))
        return ursa_fail(URSA_ERROR_FORMAT, "a pickle, but not one that torch.save() wrote");
    value = value ? next(file, &at) : NULL;
    if (value && (value->kind != URSA_PICKLE_INTEGER || value->integer != 1001))
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "a version of PyTorch's format that is not 1001");
    const ursa_pickle_value *machine = value ? next(file, &at) : NULL;
    const ursa_pickle_value *little = ursa_pickle_find(machine, "little_endian");
    if (machine && !(little && little->kind == URSA_PICKLE_BOOL && little->integer))
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "written on a big-endian machine");
    const ursa_pickle_value *root = machine ? next(file, &at) : NULL, *keys = root ? next(file, &at) : NULL;
    return keys && read_storages(file, keys, at) && read_root(file, root);
}

/* ---- opening -------------------------------------------------------------------------------------- */

ursa_torch_file *ursa_torch_file_open(const uint8_t *data, size_t bytes)
{
    ursa_torch_file *file = ursa_alloc(sizeof *file);
    if (!file)
        return NULL;
    *file = (ursa_torch_file){.data = data, .bytes = bytes};
    if (is_zip(data, bytes) ? open_zip(file) : open_legacy(file))
        return file;
    ursa_torch_file_close(file);
    return NULL;
}

void ursa_torch_file_close(ursa_torch_file *file)
{
    if (!file)
        return;
    for (int i = 0; i < file->made_count; i++)
        free(file->made[i]);
    free(file->made);
    free(file->tensors);
    free(file->storages);
    free(file->prefix);
    ursa_zip_close(file->zip);
    ursa_pickle_free(file->pickle);
    free(file);
}

const char *ursa_torch_file_format(const ursa_torch_file *file)
{
    return file->zip ? "PyTorch (zip)" : "PyTorch (legacy)";
}

const ursa_stored_tensor *ursa_torch_file_tensors(const ursa_torch_file *file, int *count)
{
    *count = file->count;
    return file->tensors;
}
