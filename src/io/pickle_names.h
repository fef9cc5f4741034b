/* pickle_names.h — the names a pickle may use, and what calling them makes. */
#ifndef URSA_IO_PICKLE_NAMES_H
#define URSA_IO_PICKLE_NAMES_H

#include "pickle.h"

/* What a known name means. Storage types are
 * URSA_PICKLE_STORAGE_TYPE plus their ursa_torch_type. */
typedef enum ursa_pickle_meaning {
    URSA_PICKLE_ORDERED_DICT,
    URSA_PICKLE_REBUILD_TENSOR,
    URSA_PICKLE_REBUILD_PARAMETER,
    URSA_PICKLE_SET,
    URSA_PICKLE_SIZE,
    URSA_PICKLE_PLAIN, /* its first argument: encoded bytes, the name of a device */
    URSA_PICKLE_INERT, /* a constant such as torch.float32: cannot be called */
    URSA_PICKLE_STORAGE_TYPE,
} ursa_pickle_meaning;

/* False, with an error, when the name is not known. */
bool ursa_pickle_name(ursa_pickle_text module, ursa_pickle_text name, int64_t *meaning);

/* The value a known name makes of its arguments; NULL with an error. */
ursa_pickle_value *ursa_pickle_call(ursa_pickle *pickle, const ursa_pickle_value *global,
                                    const ursa_pickle_value *arguments);

/* The storage that a persistent id names. */
ursa_pickle_value *ursa_pickle_persistent(ursa_pickle *pickle, const ursa_pickle_value *id);

/* Adds to ursa_pickle_storages(). */
void ursa_pickle_add_storage(ursa_pickle *pickle, ursa_pickle_storage *storage);

/* A new value. */
ursa_pickle_value *ursa_pickle_value_new(ursa_pickle *pickle, ursa_pickle_kind kind);
bool ursa_pickle_append(ursa_pickle *pickle, ursa_pickle_list *list, ursa_pickle_value *item);

#endif
