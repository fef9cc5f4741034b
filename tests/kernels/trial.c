/* trial.c — runs a trial on both devices and compares. */
#include "trial.h"
#include "host.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t place_of(const ursa_array *array, int64_t i)
{
    int64_t place = array->offset;
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        place += i % array->shape[axis] * array->stride[axis];
        i /= array->shape[axis];
    }
    return place;
}

static bool is_float(const struct operand *o)
{
    return ursa_dtype_is_float(o->array.dtype);
}

/* ---- content ------------------------------------------------------------- */

/* Garbage that no operator may use or touch: not a number, or an index far
 * outside everything. */
static void poison(struct operand *o)
{
    size_t bytes = (size_t)o->total * ursa_dtype_size(o->array.dtype);
    o->content = malloc(bytes + 1);
    if (o->content)
        memset(o->content, is_float(o) ? 0xFF : o->array.dtype == URSA_BOOL ? 1 : 0xA5, bytes);
}

/* Puts the values in their places, rounded to the type, and reads them back,
 * since a broadcast axis shows the same element again and again. */
static void place_values(struct operand *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        if (o->values)
            host_store(o->array.dtype, o->content, place_of(&o->array, i), o->values[i]);
        else
            host_store_integer(o->array.dtype, o->content, place_of(&o->array, i), o->integers[i]);
    }
    for (int64_t i = 0; i < o->count; i++) {
        if (o->values)
            o->values[i] = host_load(o->array.dtype, o->content, place_of(&o->array, i));
        else
            o->integers[i] = host_load_integer(o->array.dtype, o->content, place_of(&o->array, i));
    }
}

static bool prepare(struct trial *t)
{
    for (int k = 0; k < t->operand_count; k++) {
        struct operand *o = &t->operands[k];
        if (o->same)
            continue;
        poison(o);
        if (!o->content)
            return false;
        if (o->role == INPUT || o->role == INOUT)
            place_values(o);
    }
    return true;
}

/* ---- running ------------------------------------------------------------- */

struct call {
    _Alignas(64) unsigned char args[MAX_ARGS];
    ursa_buffer *buffers[MAX_OPERANDS];
};

static void end_call(struct trial *t, struct call *call)
{
    for (int k = 0; k < t->operand_count; k++)
        ursa_buffer_release(call->buffers[k]);
}

static ursa_array *array_in(struct call *call, const struct operand *o)
{
    return (ursa_array *)(void *)(call->args + o->field);
}

/* The content of every operand on `device`, and the arguments that name them. */
static bool begin_call(struct trial *t, struct call *call, ursa_device *device, const void *args)
{
    memset(call->buffers, 0, sizeof call->buffers);
    memcpy(call->args, args, t->test->size);
    for (int k = 0; k < t->operand_count; k++) {
        struct operand *o = &t->operands[k];
        ursa_array *array = array_in(call, o);
        if (o->same) {
            *array = *array_in(call, o->same);
            continue;
        }
        call->buffers[k] = ursa_buffer_new(device, o->array.dtype, o->total);
        if (!call->buffers[k] || !ursa_buffer_write(call->buffers[k], 0, o->array.dtype, o->content, o->total)) {
            end_call(t, call);
            return false;
        }
        *array = o->array;
        array->buffer = call->buffers[k];
    }
    return true;
}

static bool is_result(const struct operand *o)
{
    return o->role == OUTPUT || o->role == INOUT;
}

static bool run_reference(struct trial *t, struct report *report)
{
    struct call call;
    bool fine = begin_call(t, &call, t->reference, t->args);
    if (fine) {
        fine = t->test->run(t->reference, call.args);
        for (int k = 0; fine && k < t->operand_count; k++) {
            struct operand *o = &t->operands[k];
            if (!is_result(o))
                continue;
            if (is_float(o)) {
                o->expected = calloc((size_t)o->count + 1, sizeof *o->expected);
                reference64_read(array_in(&call, o), o->expected);
                continue;
            }
            const unsigned char *data = array_in(&call, o)->buffer->handle;
            o->expected_integers = calloc((size_t)o->count + 1, sizeof *o->expected_integers);
            for (int64_t i = 0; i < o->count; i++)
                o->expected_integers[i] = host_load_integer(o->array.dtype, data, place_of(&o->array, i));
        }
        end_call(t, &call);
    }
    if (!fine)
        snprintf(report->text, sizeof report->text, "the reference fails: %s", ursa_error());
    return fine;
}

bool measure(struct trial *t, const void *absolute_args)
{
    struct call call;
    if (!begin_call(t, &call, t->reference, absolute_args))
        return false;
    for (int k = 0; k < t->operand_count; k++) {
        struct operand *o = &t->operands[k];
        if (!o->values || (o->role != INPUT && o->role != INOUT))
            continue;
        double *absolute = calloc((size_t)o->count + 1, sizeof *absolute);
        for (int64_t i = 0; i < o->count; i++)
            absolute[i] = fabs(o->values[i]);
        reference64_write(array_in(&call, o), absolute);
        free(absolute);
    }
    bool fine = t->test->run(t->reference, call.args);
    for (int k = 0; fine && k < t->operand_count; k++) {
        struct operand *o = &t->operands[k];
        if (!is_result(o) || !is_float(o))
            continue;
        o->magnitude = calloc((size_t)o->count + 1, sizeof *o->magnitude);
        reference64_read(array_in(&call, o), o->magnitude);
    }
    end_call(t, &call);
    return fine;
}

/* Runs on the device under test; `found` gets the bytes of every buffer. */
static bool run_tested(struct trial *t, unsigned char **found, struct report *report)
{
    struct call call;
    bool fine = begin_call(t, &call, t->tested, t->args);
    if (fine) {
        fine = t->test->run(t->tested, call.args);
        for (int k = 0; k < t->operand_count; k++) {
            const struct operand *o = &t->operands[k];
            if (o->same)
                continue;
            found[k] = calloc((size_t)o->total + 1, ursa_dtype_size(o->array.dtype));
            if (!ursa_buffer_read(call.buffers[k], 0, o->array.dtype, found[k], o->total)) {
                free(found[k]);
                found[k] = NULL;
                fine = false;
            }
        }
        end_call(t, &call);
    }
    if (!fine)
        snprintf(report->text, sizeof report->text, "fails: %s", ursa_error() ? ursa_error() : "without an error");
    return fine;
}

/* ---- comparing ----------------------------------------------------------- */

static double rounded_to(ursa_dtype dtype, double value)
{
    float host;
    host_store(dtype, &host, 0, value);
    return host_load(dtype, &host, 0);
}

double half_ulp(ursa_dtype dtype, double value)
{
    int digits = dtype == URSA_F16 ? 11 : dtype == URSA_BF16 ? 8 : 24;
    int smallest = dtype == URSA_F16 ? -14 : -126;
    int exponent = value > 0 ? ilogb(value) : smallest;
    return ldexp(1, (exponent < smallest ? smallest : exponent) - digits);
}

static bool agrees(const struct operand *o, int64_t i, double found, double *allowed)
{
    double expected = o->expected[i], rounded = rounded_to(o->array.dtype, expected);
    *allowed = 0;
    if (isnan(expected) || isnan(found))
        return isnan(expected) && isnan(found);
    if (found == rounded)
        return true;
    if (!o->tolerance)
        return false;
    /* A device may take subnormal floats for zero. */
    *allowed = o->tolerance[i] + half_ulp(o->array.dtype, fabs(expected) + o->tolerance[i]) + (double)FLT_MIN;
    if (isinf(found)) /* past the end of the type, if not past the end by the reference */
        return isinf(rounded_to(o->array.dtype, expected + copysign(*allowed, found)));
    return fabs(found - expected) <= *allowed;
}

static bool compare_values(const struct operand *o, const unsigned char *found, struct report *report)
{
    for (int64_t i = 0; i < o->count; i++) {
        int64_t place = place_of(&o->array, i);
        if (!is_float(o)) {
            int64_t value = host_load_integer(o->array.dtype, found, place);
            if (value == o->expected_integers[i])
                continue;
            snprintf(report->text, sizeof report->text, "%s[%lld] is %lld, not %lld", o->name, (long long)i,
                     (long long)value, (long long)o->expected_integers[i]);
            return false;
        }
        double value = host_load(o->array.dtype, found, place), allowed;
        if (agrees(o, i, value, &allowed))
            continue;
        snprintf(report->text, sizeof report->text, "%s[%lld] is %.9g, not %.9g (off by %.3g, allowed %.3g)", o->name,
                 (long long)i, value, o->expected[i], fabs(value - o->expected[i]), allowed);
        return false;
    }
    return true;
}

/* What a call may not change: the inputs, and what lies around the outputs. */
static bool compare_rest(struct trial *t, int k, const unsigned char *found, struct report *report)
{
    const struct operand *o = &t->operands[k];
    size_t size = ursa_dtype_size(o->array.dtype);
    bool written = o->role != INPUT;
    for (int other = 0; other < t->operand_count; other++)
        written = written || t->operands[other].same == o;
    unsigned char *allowed = calloc((size_t)o->total + 1, 1);
    for (int64_t i = 0; written && i < o->count; i++)
        allowed[place_of(&o->array, i)] = 1;
    int64_t place = 0;
    while (place < o->total &&
           (allowed[place] || !memcmp(found + (size_t)place * size, o->content + (size_t)place * size, size)))
        place++;
    free(allowed);
    if (place == o->total)
        return true;
    snprintf(report->text, sizeof report->text, "%s element %lld of the buffer of %s (%lld before its first)",
             written ? "writes outside:" : "writes to an input:", (long long)place, o->name,
             (long long)(o->array.offset - place));
    return false;
}

static bool compare(struct trial *t, unsigned char **found, struct report *report)
{
    for (int k = 0; k < t->operand_count; k++) {
        const struct operand *o = &t->operands[k];
        const unsigned char *data = found[o->same ? o->same - t->operands : k];
        if (is_result(o) && !compare_values(o, data, report))
            return false;
        if (!o->same && !compare_rest(t, k, data, report))
            return false;
    }
    return true;
}

static void free_found(unsigned char **found)
{
    for (int k = 0; k < MAX_OPERANDS; k++)
        free(found[k]);
}

static bool same_bytes(struct trial *t, unsigned char **one, unsigned char **three, struct report *report)
{
    for (int k = 0; k < t->operand_count; k++) {
        const struct operand *o = &t->operands[k];
        if (o->same || o->role == SCRATCH ||
            !memcmp(one[k], three[k], (size_t)o->total * ursa_dtype_size(o->array.dtype)))
            continue;
        snprintf(report->text, sizeof report->text, "%s has other bytes with 1 thread than with 3", o->name);
        return false;
    }
    return true;
}

static bool run_both(struct trial *t, struct report *report)
{
    unsigned char *found[MAX_OPERANDS] = {NULL}, *alone[MAX_OPERANDS] = {NULL};
    if (report->threads)
        ursa_set_threads(3);
    bool fine = run_tested(t, found, report) && compare(t, found, report);
    if (fine && report->threads) {
        ursa_set_threads(1);
        fine = run_tested(t, alone, report) && same_bytes(t, alone, found, report);
    }
    free_found(found);
    free_found(alone);
    return fine;
}

bool trial_run(struct trial *t, struct report *report)
{
    report->text[0] = 0;
    ursa_clear_error();
    if (!prepare(t) || !run_reference(t, report))
        return false;
    t->test->bound(t, t->args);
    bool fine = run_both(t, report);
    ursa_clear_error();
    return fine;
}

/* ---- wrong arguments ----------------------------------------------------- */

static bool refused(struct trial *t, struct call *call, const char *what, const char *name, struct report *report)
{
    ursa_clear_error();
    bool ran = t->test->run(t->tested, call->args);
    const char *error = ursa_error();
    if (!ran && error && strstr(error, t->test->name))
        return true;
    snprintf(report->text, sizeof report->text, "%s with %s: %s", name, what,
             ran     ? "not refused"
             : error ? error
                     : "refused without an error");
    return false;
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names != NULL;
}

/* One operand at a time is missing, of a wrong type, too long, or on another
 * device. */
bool trial_refuses(struct trial *t, struct report *report)
{
    /* Any shape goes with any other here, or there is but one; there, an axis
     * of the input may be as long as it likes, since it goes away. */
    static const char *const free_shapes[] = {"fill", "arange", "random", "pad", "pad_grad", NULL};
    static const char *const shorter[] = {"reduce", "moments", "arg_reduce", "sort", NULL};
    bool any_type = !strcmp(t->test->types, "any"), any_shape = is_among(t->test->name, free_shapes);
    bool any_input = is_among(t->test->name, shorter), fine = true;
    /* In a gradient the first may be optional. */
    const struct operand *required = operand_named(t, "dy") ? operand_named(t, "dy") : &t->operands[0];
    struct call call;
    report->text[0] = 0;
    if (!prepare(t) || !begin_call(t, &call, t->tested, t->args))
        return false;
    for (int k = 0; fine && k < t->operand_count; k++) {
        const struct operand *o = &t->operands[k];
        ursa_array *array = array_in(&call, o), kept = *array;
        if (o->same)
            continue;
        if (!any_type) {
            array->dtype = URSA_BOOL;
            fine = refused(t, &call, "another type", o->name, report);
            *array = kept;
        }
        if (fine && !any_shape && !(any_input && o->role == INPUT) && array->ndim > 0) {
            array->shape[array->ndim - 1] += 1 << 20;
            fine = refused(t, &call, "a longer last axis", o->name, report);
            *array = kept;
        }
        if (fine && o == required) {
            array->buffer = NULL;
            fine = refused(t, &call, "no buffer", o->name, report);
            *array = kept;
        }
        if (fine) {
            array->buffer = ursa_buffer_new(t->reference, o->array.dtype, o->total);
            fine = refused(t, &call, "a buffer of another device", o->name, report);
            ursa_buffer_release(array->buffer);
            *array = kept;
        }
    }
    end_call(t, &call);
    ursa_clear_error();
    return fine;
}

static bool shape_is_empty(struct trial *t)
{
    for (int k = 0; k < t->operand_count; k++)
        if (t->operands[k].count == 0)
            return true;
    return false;
}

bool trial_refuses_index(struct trial *t, struct report *report)
{
    struct operand *index = operand_named(t, "index") ? operand_named(t, "index") : operand_named(t, "classes");
    if (!index || index->count == 0 || shape_is_empty(t))
        return true;
    const int64_t outside[] = {t->index_limit, -1, INT64_MAX, INT64_MIN, t->index_limit + 1};
    index->integers[draw_below(t, index->count)] = outside[draw_below(t, 5)];
    unsigned char *found[MAX_OPERANDS] = {NULL};
    bool fine = prepare(t), ran = fine && run_tested(t, found, report);
    if (fine && ran) {
        fine = false;
        snprintf(report->text, sizeof report->text, "not refused");
    }
    for (int k = 0; fine && k < t->operand_count; k++)
        if (found[k])
            fine = compare_rest(t, k, found[k], report);
    free_found(found);
    ursa_clear_error();
    return fine;
}

/* ---- looking up ---------------------------------------------------------- */

struct operand *operand_named(struct trial *t, const char *name)
{
    for (int k = 0; k < t->operand_count; k++)
        if (!strcmp(t->operands[k].name, name))
            return &t->operands[k];
    return NULL;
}

const double *values_of(struct trial *t, const char *name)
{
    struct operand *o = operand_named(t, name);
    return o ? o->values : NULL;
}

const double *expected_of(struct trial *t, const char *name)
{
    struct operand *o = operand_named(t, name);
    return o ? o->expected : NULL;
}

double *tolerance_of(struct trial *t, const char *name)
{
    struct operand *o = operand_named(t, name);
    if (!o)
        return NULL;
    if (!o->tolerance)
        o->tolerance = calloc((size_t)o->count + 1, sizeof *o->tolerance);
    return o->tolerance;
}

const double *magnitude_of(struct trial *t, const char *name)
{
    struct operand *o = operand_named(t, name);
    return o ? o->magnitude : NULL;
}

double sum_error(int64_t n)
{
    double terms = (double)n;
    return fmin(terms, 6 * sqrt(terms)) * U;
}

static void print_extents(const char *label, const int64_t *extents, int count)
{
    printf(" %s [", label);
    for (int i = 0; i < count; i++)
        printf("%s%lld", i ? ", " : "", (long long)extents[i]);
    printf("]");
}

void trial_describe(struct trial *t)
{
    static const char *const roles[] = {"in", "out", "in/out", "scratch"};
    printf("    %s\n", t->notes);
    for (int k = 0; k < t->operand_count; k++) {
        const struct operand *o = &t->operands[k];
        if (o->same) {
            printf("    %-12s in place of %s\n", o->name, o->same->name);
            continue;
        }
        printf("    %-12s %-7s %-4s", o->name, roles[o->role], ursa_dtype_name(o->array.dtype));
        print_extents("shape", o->array.shape, o->array.ndim);
        print_extents("stride", o->array.stride, o->array.ndim);
        printf(" offset %lld\n", (long long)o->array.offset);
    }
}

void trial_free(struct trial *t)
{
    for (int k = 0; k < t->operand_count; k++) {
        struct operand *o = &t->operands[k];
        free(o->content);
        free(o->values);
        free(o->integers);
        free(o->expected);
        free(o->expected_integers);
        free(o->tolerance);
        free(o->magnitude);
    }
    t->operand_count = 0;
}
