/* fuzz_pickle.c — pickles, without the archive and its checksums around them. */
#include "fuzz.h"
#include "io/pickle.h"

/* Follows what was read, but not for ever: a list may hold itself. */
static size_t walk(const ursa_pickle_value *value, int depth)
{
    size_t total = 1;
    bool holds = value && (value->kind == URSA_PICKLE_LIST || value->kind == URSA_PICKLE_DICT);
    for (size_t i = 0; holds && depth && i < value->list.count; i++)
        total += walk(value->list.items[i], depth - 1);
    if (value && value->kind == URSA_PICKLE_TENSOR)
        total += (size_t)value->tensor->ndim + (size_t)value->tensor->storage->type;
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_pickle *pickle = ursa_pickle_new(size);
    size_t used = 0;
    const ursa_pickle_value *value = ursa_pickle_read(pickle, data, size, &used);
    if (value && (used > size || !walk(value, 2)))
        abort();
    ursa_pickle_find(value, "state_dict");
    ursa_pickle_free(pickle);
    ursa_clear_error();
    return 0;
}
