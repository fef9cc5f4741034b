/* check_elementwise.c — arguments of the operators that make, move and map elements. */
#include "check.h"
#include "base/error.h"

int64_t ursa_check_fill(const struct ursa_check *check, const struct ursa_fill_args *args)
{
    bool ok = ursa_check_array(check, "out", &args->out, URSA_STRIDED | URSA_OUTPUT);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_arange(const struct ursa_check *check, const struct ursa_arange_args *args)
{
    bool ok = ursa_check_array(check, "out", &args->out, URSA_OUTPUT);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_random(const struct ursa_check *check, const struct ursa_random_args *args)
{
    bool ok = ursa_check_array(check, "out", &args->out, URSA_OUTPUT);
    if (ok && args->kind == URSA_RANDOM_BERNOULLI)
        ok = ursa_check_number(check, "the probability", args->a, 0, 1);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_copy(const struct ursa_check *check, const struct ursa_copy_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_STRIDED | URSA_OUTPUT) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

static bool check_kind(const struct ursa_check *check, unsigned kind, unsigned count)
{
    return kind < count || ursa_fail(URSA_ERROR_ARGUMENT, "%s: there is no kind %u", check->op, kind);
}

int64_t ursa_check_unary(const struct ursa_check *check, const struct ursa_unary_args *args)
{
    bool ok = check_kind(check, args->kind, URSA_UNARY_COUNT) && ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_STRIDED | URSA_OUTPUT) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, true);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_unary_grad(const struct ursa_check *check, const struct ursa_unary_grad_args *args)
{
    if (!check_kind(check, args->kind, URSA_UNARY_COUNT))
        return -1;
    ursa_grad_needs needs = ursa_unary_needs(args->kind);
    unsigned x = URSA_STRIDED | (needs == URSA_NEEDS_X ? 0 : URSA_OPTIONAL);
    unsigned y = URSA_STRIDED | (needs == URSA_NEEDS_Y ? 0 : URSA_OPTIONAL);
    bool ok = ursa_check_array(check, "dy", &args->dy, URSA_STRIDED) && ursa_check_array(check, "x", &args->x, x) &&
              ursa_check_array(check, "y", &args->y, y) &&
              ursa_check_array(check, "dx", &args->dx, URSA_STRIDED | URSA_OUTPUT) &&
              ursa_check_same_shape(check, "x", &args->x, &args->dy) &&
              ursa_check_same_shape(check, "y", &args->y, &args->dy) &&
              ursa_check_same_shape(check, "dx", &args->dx, &args->dy) &&
              ursa_check_same_type(check, "x", &args->x, "dy", &args->dy) &&
              ursa_check_same_type(check, "y", &args->y, "dy", &args->dy) &&
              ursa_check_same_type(check, "dx", &args->dx, "dy", &args->dy) &&
              ursa_check_apart(check, "dx", &args->dx, "x", &args->x, false) &&
              ursa_check_apart(check, "dx", &args->dx, "y", &args->y, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, true);
    return ok ? ursa_array_count(&args->dx) : -1;
}

/* ---- binary ------------------------------------------------------------------- */

enum { RESULT_SAME, RESULT_BOOL };

static const struct {
    int result;
    const char *types;
} binaries[URSA_BINARY_COUNT] = {
#define URSA_BINARY(name, result, types, text) [URSA_BINARY_##name] = {RESULT_##result, types},
#include "binary.def"
#undef URSA_BINARY
};

/* The types of binary.def as bits. */
static unsigned binary_types(const char *types)
{
    switch (types[0]) {
    case 'n':
        return (URSA_TYPE_BITS & ~URSA_ONLY_BOOL);
    case 'f':
        return URSA_ANY_FLOAT;
    case 'b':
        return URSA_ONLY_BOOL;
    default:
        return URSA_TYPE_BITS;
    }
}

int64_t ursa_check_binary(const struct ursa_check *check, const struct ursa_binary_args *args)
{
    if (!check_kind(check, args->kind, URSA_BINARY_COUNT))
        return -1;
    unsigned types = binary_types(binaries[args->kind].types);
    bool is_bool = binaries[args->kind].result == RESULT_BOOL;
    bool ok =
        ursa_check_array(check, "x", &args->x, types | URSA_STRIDED) &&
        ursa_check_array(check, "y", &args->y, types | URSA_STRIDED) &&
        ursa_check_array(check, "out", &args->out, (is_bool ? URSA_ONLY_BOOL : types) | URSA_STRIDED | URSA_OUTPUT) &&
        ursa_check_same_shape(check, "x", &args->x, &args->out) &&
        ursa_check_same_shape(check, "y", &args->y, &args->out) &&
        ursa_check_same_type(check, "y", &args->y, "x", &args->x) &&
        (is_bool || ursa_check_same_type(check, "out", &args->out, "x", &args->x)) &&
        ursa_check_apart(check, "out", &args->out, "x", &args->x, true) &&
        ursa_check_apart(check, "out", &args->out, "y", &args->y, true);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_where(const struct ursa_check *check, const struct ursa_where_args *args)
{
    bool ok = ursa_check_array(check, "condition", &args->condition, URSA_ONLY_BOOL | URSA_STRIDED) &&
              ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "y", &args->y, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_STRIDED | URSA_OUTPUT) &&
              ursa_check_same_shape(check, "condition", &args->condition, &args->out) &&
              ursa_check_same_shape(check, "x", &args->x, &args->out) &&
              ursa_check_same_shape(check, "y", &args->y, &args->out) &&
              ursa_check_same_type(check, "y", &args->y, "x", &args->x) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "condition", &args->condition, false) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, true) &&
              ursa_check_apart(check, "out", &args->out, "y", &args->y, true);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_dropout(const struct ursa_check *check, const struct ursa_dropout_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, true) &&
              ursa_check_number(check, "p", args->p, 0, 1);
    return ok ? ursa_array_count(&args->out) : -1;
}
