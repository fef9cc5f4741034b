/* pickle_names.c — the names a pickle may use, and what calling them makes. */
#include "pickle_names.h"

#include <string.h>

static const struct {
    const char *module, *name;
    int meaning;
} names[] = {
    {"collections", "OrderedDict", URSA_PICKLE_ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor", URSA_PICKLE_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_tensor_v2", URSA_PICKLE_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", URSA_PICKLE_REBUILD_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", URSA_PICKLE_REBUILD_PARAMETER},
    {"torch", "Size", URSA_PICKLE_SIZE},
    {"torch", "device", URSA_PICKLE_PLAIN},
    {"_codecs", "encode", URSA_PICKLE_PLAIN},
    {"__builtin__", "set", URSA_PICKLE_SET},
    {"builtins", "set", URSA_PICKLE_SET},
    {"torch", "float64", URSA_PICKLE_INERT},
    {"torch", "float32", URSA_PICKLE_INERT},
    {"torch", "float16", URSA_PICKLE_INERT},
    {"torch", "bfloat16", URSA_PICKLE_INERT},
    {"torch", "int64", URSA_PICKLE_INERT},
    {"torch", "int32", URSA_PICKLE_INERT},
    {"torch", "int16", URSA_PICKLE_INERT},
    {"torch", "int8", URSA_PICKLE_INERT},
    {"torch", "uint8", URSA_PICKLE_INERT},
    {"torch", "bool", URSA_PICKLE_INERT},
    {"torch", "DoubleStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_F64},
    {"torch", "FloatStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_F32},
    {"torch", "HalfStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_F16},
    {"torch", "BFloat16Storage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_BF16},
    {"torch", "LongStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_I64},
    {"torch", "IntStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_I32},
    {"torch", "ShortStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_I16},
    {"torch", "CharStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_I8},
    {"torch", "ByteStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_U8},
    {"torch", "BoolStorage", URSA_PICKLE_STORAGE_TYPE + URSA_TORCH_BOOL},
};

static bool same(ursa_pickle_text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.text, expected, text.length) == 0;
}

/* As much of a text as an error line shows, printable. */
static const char *shown(ursa_pickle_text text, char out[100])
{
    size_t length = text.length < 99 ? text.length : 99;
    for (size_t i = 0; i < length; i++)
        out[i] = text.text[i] >= ' ' && text.text[i] < 127 ? text.text[i] : '?';
    out[length] = 0;
    return out;
}

bool ursa_pickle_name(ursa_pickle_text module, ursa_pickle_text name, int64_t *meaning)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same(module, names[i].module) && same(name, names[i].name)) {
            *meaning = names[i].meaning;
            return true;
        }
    char in[100], what[100];
    return ursa_fail(URSA_ERROR_FORMAT,
                     "refused: it wants Python's %s.%s, which is no tensor, storage or container; nothing was run (a "
                     "file that torch.save(model.state_dict(), …) wrote can be read)",
                     shown(module, in), shown(name, what));
}

/* ---- calls ------------------------------------------------------------------------- */

static ursa_pickle_value *bad_call(const char *what)
{
    ursa_fail(URSA_ERROR_FORMAT, "a damaged pickle: %s is called with arguments it does not take", what);
    return NULL;
}

static const ursa_pickle_value *argument(const ursa_pickle_value *arguments, size_t index, ursa_pickle_kind kind)
{
    const ursa_pickle_value *value = index < arguments->list.count ? arguments->list.items[index] : NULL;
    return value && value->kind == kind ? value : NULL;
}

/* OrderedDict(), or of a list of pairs, as Python 2 wrote it. */
static ursa_pickle_value *ordered_dict(ursa_pickle *pickle, const ursa_pickle_value *arguments)
{
    ursa_pickle_value *dict = ursa_pickle_value_new(pickle, URSA_PICKLE_DICT);
    const ursa_pickle_value *pairs = argument(arguments, 0, URSA_PICKLE_LIST);
    if (!dict || !arguments->list.count)
        return dict;
    for (size_t i = 0; pairs && i < pairs->list.count; i++) {
        const ursa_pickle_value *pair = argument(pairs, i, URSA_PICKLE_LIST);
        if (!pair || pair->list.count != 2)
            return bad_call("OrderedDict");
        if (!ursa_pickle_append(pickle, &dict->list, pair->list.items[0]) ||
            !ursa_pickle_append(pickle, &dict->list, pair->list.items[1]))
            return NULL;
    }
    return pairs ? dict : bad_call("OrderedDict");
}

/* Whole numbers of 0 or more. Returns how many, or -1. */
static int extents(const ursa_pickle_value *list, int64_t out[URSA_PICKLE_DIMS])
{
    if (!list || list->list.count > URSA_PICKLE_DIMS)
        return -1;
    for (size_t i = 0; i < list->list.count; i++) {
        const ursa_pickle_value *extent = argument(list, i, URSA_PICKLE_INTEGER);
        if (!extent || extent->integer < 0)
            return -1;
        out[i] = extent->integer;
    }
    return (int)list->list.count;
}

/* (storage, offset, shape, strides, …) */
static ursa_pickle_value *rebuild_tensor(ursa_pickle *pickle, const ursa_pickle_value *arguments)
{
    const ursa_pickle_value *storage = argument(arguments, 0, URSA_PICKLE_STORAGE),
                            *offset = argument(arguments, 1, URSA_PICKLE_INTEGER);
    if (!storage || !offset || offset->integer < 0)
        return bad_call("a tensor");
    ursa_pickle_value *value = ursa_pickle_value_new(pickle, URSA_PICKLE_TENSOR);
    ursa_pickle_tensor *tensor = value ? ursa_pickle_alloc(pickle, sizeof *tensor) : NULL;
    if (!tensor)
        return NULL;
    *tensor = (ursa_pickle_tensor){.storage = &storage->storage, .offset = offset->integer};
    tensor->ndim = extents(argument(arguments, 2, URSA_PICKLE_LIST), tensor->shape);
    if (tensor->ndim < 0 || extents(argument(arguments, 3, URSA_PICKLE_LIST), tensor->stride) != tensor->ndim)
        return bad_call("a tensor (of up to 6 dimensions)");
    value->tensor = tensor;
    return value;
}

static ursa_pickle_value *first_of(const ursa_pickle_value *arguments, ursa_pickle_kind kind, const char *what)
{
    return argument(arguments, 0, kind) ? arguments->list.items[0] : bad_call(what);
}

ursa_pickle_value *ursa_pickle_call(ursa_pickle *pickle, const ursa_pickle_value *global,
                                    const ursa_pickle_value *arguments)
{
    if (global->kind != URSA_PICKLE_GLOBAL || arguments->kind != URSA_PICKLE_LIST)
        return bad_call("something");
    switch (global->integer) {
    case URSA_PICKLE_ORDERED_DICT:
        return ordered_dict(pickle, arguments);
    case URSA_PICKLE_REBUILD_TENSOR:
        return rebuild_tensor(pickle, arguments);
    case URSA_PICKLE_REBUILD_PARAMETER:
        return first_of(arguments, URSA_PICKLE_TENSOR, "a parameter");
    case URSA_PICKLE_SIZE:
        return first_of(arguments, URSA_PICKLE_LIST, "torch.Size");
    case URSA_PICKLE_SET:
        return first_of(arguments, URSA_PICKLE_LIST, "a set");
    case URSA_PICKLE_PLAIN:
        return first_of(arguments, URSA_PICKLE_TEXT, "a text");
    default:
        return bad_call("a constant");
    }
}

/* ('storage', type, key, device, elements[, None]) */
ursa_pickle_value *ursa_pickle_persistent(ursa_pickle *pickle, const ursa_pickle_value *id)
{
    const ursa_pickle_value *tag = NULL, *type = NULL, *key = NULL, *count = NULL;
    if (id->kind == URSA_PICKLE_LIST) {
        tag = argument(id, 0, URSA_PICKLE_TEXT);
        type = argument(id, 1, URSA_PICKLE_GLOBAL);
        key = argument(id, 2, URSA_PICKLE_TEXT);
        count = argument(id, 4, URSA_PICKLE_INTEGER);
    }
    if (!tag || !same(tag->text, "storage") || !type || type->integer < URSA_PICKLE_STORAGE_TYPE || !key || !count ||
        count->integer < 0)
        return bad_call("a storage");
    if (id->list.count > 5 && !argument(id, 5, URSA_PICKLE_NONE)) {
        ursa_fail(URSA_ERROR_UNSUPPORTED, "storages that are views of others, as PyTorch 0.3 wrote them");
        return NULL;
    }
    ursa_pickle_value *value = ursa_pickle_value_new(pickle, URSA_PICKLE_STORAGE);
    if (!value)
        return NULL;
    value->storage = (ursa_pickle_storage){
        .type = (ursa_torch_type)(type->integer - URSA_PICKLE_STORAGE_TYPE), .key = key->text, .count = count->integer};
    ursa_pickle_add_storage(pickle, &value->storage);
    return value;
}
