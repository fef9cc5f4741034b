/* pickle.h — reads Python's pickles as PyTorch writes them, and executes nothing.
 *
 * A pickle is a program for a small stack machine that may call any function.
 * This reader knows the instructions that make numbers, texts and containers,
 * and the few names that stand for tensors, storages and ordered dictionaries.
 * Everything else is refused with a line that says what it was.
 */
#ifndef URSA_IO_PICKLE_H
#define URSA_IO_PICKLE_H

#include <ursa/base.h>

/* Element types of storages, of which only some are types of tensors here. */
typedef enum ursa_torch_type {
    URSA_TORCH_F64,
    URSA_TORCH_F32,
    URSA_TORCH_F16,
    URSA_TORCH_BF16,
    URSA_TORCH_I64,
    URSA_TORCH_I32,
    URSA_TORCH_I16,
    URSA_TORCH_I8,
    URSA_TORCH_U8,
    URSA_TORCH_BOOL,
} ursa_torch_type;

typedef enum ursa_pickle_kind {
    URSA_PICKLE_NONE,
    URSA_PICKLE_BOOL,
    URSA_PICKLE_INTEGER,
    URSA_PICKLE_REAL,
    URSA_PICKLE_TEXT, /* and bytes */
    URSA_PICKLE_LIST, /* and tuples and sets */
    URSA_PICKLE_DICT, /* items: key, value, key, value, … */
    URSA_PICKLE_GLOBAL,
    URSA_PICKLE_STORAGE,
    URSA_PICKLE_TENSOR,
} ursa_pickle_kind;

typedef struct ursa_pickle_value ursa_pickle_value;

typedef struct ursa_pickle_text {
    const char *text; /* within the pickle: not ended by a zero */
    size_t length;
} ursa_pickle_text;

typedef struct ursa_pickle_list {
    ursa_pickle_value **items;
    size_t count, room;
} ursa_pickle_list;

typedef struct ursa_pickle_storage {
    ursa_torch_type type;
    ursa_pickle_text key;
    int64_t count;                          /* elements it claims to have */
    const struct ursa_pickle_storage *next; /* see ursa_pickle_storages() */
} ursa_pickle_storage;

enum { URSA_PICKLE_DIMS = 6 };

typedef struct ursa_pickle_tensor {
    const ursa_pickle_storage *storage;
    int64_t offset;
    int ndim;
    int64_t shape[URSA_PICKLE_DIMS], stride[URSA_PICKLE_DIMS]; /* none is negative */
} ursa_pickle_tensor;

struct ursa_pickle_value {
    ursa_pickle_kind kind;
    union {
        int64_t integer; /* and bool; of a global its meaning */
        double real;
        ursa_pickle_text text;
        ursa_pickle_list list; /* and dict */
        ursa_pickle_storage storage;
        ursa_pickle_tensor *tensor;
    };
};

/* What was read from one file. Values live until it is freed. */
typedef struct ursa_pickle ursa_pickle;
/* All values together take no more than a small multiple of `bytes`. */
ursa_pickle *ursa_pickle_new(size_t bytes);
void ursa_pickle_free(ursa_pickle *pickle); /* takes NULL */

/* Reads one value from data, which must outlive the pickle, and puts how many
 * bytes it took in `used`. NULL, with an error, when it is cut off or holds
 * what is not known. */
const ursa_pickle_value *ursa_pickle_read(ursa_pickle *pickle, const uint8_t *data, size_t bytes, size_t *used);

/* All storages that were named, linked by `next`; the same one may be there more
 * than once. */
const ursa_pickle_storage *ursa_pickle_storages(const ursa_pickle *pickle);

/* Memory of the pickle, within its limit. */
void *ursa_pickle_alloc(ursa_pickle *pickle, size_t bytes);

/* The value of a text key of a dictionary, or NULL. */
const ursa_pickle_value *ursa_pickle_find(const ursa_pickle_value *dict, const char *key);
bool ursa_pickle_is_text(const ursa_pickle_value *value, const char *text);

#endif
