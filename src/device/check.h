/* check.h — the checks of operators' arguments, made once for all backends.
 *
 * Every function that returns bool latches an error that begins with the
 * operator's name when it returns false.
 */
#ifndef URSA_DEVICE_CHECK_H
#define URSA_DEVICE_CHECK_H

#include "backend.h"
#include "profile.h"

/* The operator that is being checked. */
struct ursa_check {
    const char *op;
    const ursa_device *device;
    unsigned types;         /* that ops.def lets it take, one bit 1 << dtype each */
    struct ursa_call *call; /* where calls are measured; else NULL */
};

/* What is expected of an array: the bits 1 << dtype of the types it may have
 * (none: those of ops.def), and these. */
enum {
    URSA_TYPE_BITS = (1 << URSA_DTYPE_COUNT) - 1,
    URSA_ONLY_F32 = 1 << URSA_F32,
    URSA_ONLY_I32 = 1 << URSA_I32,
    URSA_ONLY_I64 = 1 << URSA_I64,
    URSA_ONLY_BOOL = 1 << URSA_BOOL,
    URSA_ANY_FLOAT = 1 << URSA_F32 | 1 << URSA_F16 | 1 << URSA_BF16,
    URSA_STRIDED = 1 << 16,  /* any strides */
    URSA_OPTIONAL = 1 << 17, /* may be absent */
    URSA_OUTPUT = 1 << 18,   /* written: no two elements in the same place */
};

static inline bool ursa_is_present(const ursa_array *array)
{
    return array->buffer != NULL;
}

bool ursa_check_array(const struct ursa_check *check, const char *name, const ursa_array *array, unsigned expected);
/* The rank; absent arrays pass, here and below. */
bool ursa_check_rank(const struct ursa_check *check, const char *name, const ursa_array *array, int ndim);
bool ursa_check_shape(const struct ursa_check *check, const char *name, const ursa_array *array, int ndim,
                      const int64_t *shape);
#define URSA_CHECK_SHAPE(check, name, array, ...)                                                                      \
    ursa_check_shape(check, name, array, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                    \
                     (int64_t[]){__VA_ARGS__})
bool ursa_check_same_shape(const struct ursa_check *check, const char *name, const ursa_array *array,
                           const ursa_array *like);
bool ursa_check_same_type(const struct ursa_check *check, const char *name, const ursa_array *array, const char *other,
                          const ursa_array *like);
/* The shape of x with 1 on any of its axes, as reductions make it. */
bool ursa_check_reduced(const struct ursa_check *check, const char *name, const ursa_array *array, const ursa_array *x);
bool ursa_check_axis(const struct ursa_check *check, const ursa_array *x, int axis);
/* That an output and an input do not overlap, unless they are the very same
 * array and `in_place` allows that. Interleaved strided views are let pass. */
bool ursa_check_apart(const struct ursa_check *check, const char *name, const ursa_array *output, const char *other,
                      const ursa_array *input, bool in_place);
/* That both are present or neither. */
bool ursa_check_together(const struct ursa_check *check, const char *name, const ursa_array *array, const char *other,
                         const ursa_array *beside);
bool ursa_check_number(const struct ursa_check *check, const char *name, double value, double low, double high);

/* One per operator: the number of elements there are to compute (0: nothing to
 * run), or -1 after an error. */
#define URSA_OP(name, types, text)                                                                                     \
    int64_t ursa_check_##name(const struct ursa_check *check, const struct ursa_##name##_args *args);
#include "ops.def"
#undef URSA_OP

#endif
