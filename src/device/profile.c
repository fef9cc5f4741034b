/* profile.c — notes calls of operators, and the spans of their kernels. */
#include "profile.h"
#include "backend.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = sizeof((struct ursa_profile *)0)->devices / sizeof(ursa_device *), ROWS = 30 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what is measured */
static struct ursa_profile profile;
static bool is_on;
static char *trace; /* profile.wish.trace is this copy */
static _Thread_local int64_t current = -1;

/* ---- what was asked for --------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static bool start(const ursa_profile_options *options)
{
    char *copy = options->trace ? ursa_copy_string(options->trace) : NULL;
    if (options->trace && !copy)
        return false;
    free(trace);
    trace = copy;
    profile.wish = *options;
    profile.wish.trace = trace;
    if (profile.wish.rows == 0)
        profile.wish.rows = ROWS;
    is_on = true;
    return true;
}

static void read_environment(void)
{
    const char *wish = getenv("URSA_PROFILE");
    if (!wish || !*wish || strcmp(wish, "0") == 0)
        return;
    bool to_file = ends_with(wish, ".json");
    start(&(ursa_profile_options){.table = !to_file, .trace = to_file ? wish : NULL});
}

bool ursa_profile_opt(const ursa_profile_options *options)
{
    pthread_once(&once, read_environment);
    return start(options);
}

bool ursa_profile_is_on(void)
{
    pthread_once(&once, read_environment);
    return is_on;
}

/* Runs at ursa_finish(), before the devices are closed. */
static void report(void)
{
    is_on = false;
    for (int i = 0; i < profile.device_count; i++)
        if (profile.devices[i]->backend->collect)
            profile.devices[i]->backend->collect(profile.devices[i]);
    ursa_profile_report(&profile);
    free(profile.calls);
    free(profile.spans);
    free(trace);
    trace = NULL;
    profile = (struct ursa_profile){0};
}

/* ---- one call ------------------------------------------------------------------- */

static double gemm_flops(const struct ursa_gemm_args *args)
{
    int last = args->x.ndim - 1;
    return 2.0 * (double)ursa_array_count(&args->out) * (double)args->x.shape[last];
}

/* Of a convolution that takes x to y by w, in any of its directions. */
static double conv_flops(const ursa_array *w, const ursa_array *y)
{
    int64_t outputs = w->shape[0] > 0 ? w->shape[0] : 1;
    return 2.0 * (double)ursa_array_count(y) * (double)(ursa_array_count(w) / outputs);
}

static double flops_of(const char *op, const void *args)
{
    const struct ursa_conv2d_args *forward = args;
    const struct ursa_conv2d_grad_input_args *grad_input = args;
    const struct ursa_conv2d_grad_weight_args *grad_weight = args;
    if (strcmp(op, "gemm") == 0)
        return gemm_flops(args);
    if (strcmp(op, "conv2d") == 0)
        return conv_flops(&forward->w, &forward->out);
    if (strcmp(op, "conv2d_grad_input") == 0)
        return conv_flops(&grad_input->w, &grad_input->dy);
    if (strcmp(op, "conv2d_grad_weight") == 0)
        return conv_flops(&grad_weight->dw, &grad_weight->dy);
    return 0;
}

void ursa_profile_array(struct ursa_call *call, const char *name, const ursa_array *array)
{
    double elements = 1;
    for (int i = 0; i < array->ndim; i++)
        elements *= array->stride[i] == 0 && array->shape[i] > 0 ? 1 : (double)array->shape[i];
    call->bytes += elements * (double)ursa_dtype_size(array->dtype);
    bool product = strcmp(call->op, "gemm") == 0 || strncmp(call->op, "conv", 4) == 0;
    size_t used = strlen(call->shapes);
    if (used == 0 || (product && strchr("wyd", name[0]) && strstr(call->shapes, " · ") == NULL))
        snprintf(call->shapes + used, sizeof call->shapes - used, "%s%s", used ? " · " : "",
                 ursa_shape_text(array->ndim, array->shape).text);
}

struct ursa_call *ursa_profile_prepare(struct ursa_call *call, const char *op, ursa_device *device)
{
    if (!ursa_profile_is_on())
        return NULL;
    *call = (struct ursa_call){.op = op, .device = device};
    return call;
}

/* ---- measuring ------------------------------------------------------------------ */

/* Makes room for one more; false when memory has run out. */
static bool grow(void *array, int64_t count, int64_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    int64_t wanted = *capacity ? 2 * *capacity : 1024;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = ursa_grow(old, (size_t)wanted * size);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

/* The first call on a device comes after it was opened: the report then comes
 * before it is closed, since what is registered last runs first. */
static void note_device(ursa_device *device)
{
    int place = 0;
    while (place < profile.device_count && profile.devices[place] != device)
        place++;
    if (place == MOST_DEVICES || place < profile.device_count)
        return;
    if (profile.device_count == 0)
        ursa_at_finish(report);
    profile.devices[profile.device_count++] = device;
}

void ursa_profile_begin(struct ursa_call *call)
{
    if (!call)
        return;
    pthread_mutex_lock(&lock);
    note_device(call->device);
    call->number = -1;
    if (grow(&profile.calls, profile.call_count, &profile.call_capacity, sizeof *profile.calls)) {
        call->number = profile.call_count++;
        profile.calls[call->number] = *call;
    }
    pthread_mutex_unlock(&lock);
    current = call->number;
    call->begin = ursa_seconds();
}

void ursa_profile_end(struct ursa_call *call, const void *args)
{
    if (!call)
        return;
    call->end = ursa_seconds();
    current = -1;
    if (call->number < 0)
        return;
    call->flops = args ? flops_of(call->op, args) : 0;
    pthread_mutex_lock(&lock);
    struct ursa_call *kept = &profile.calls[call->number]; /* which may have spans already */
    call->busy = kept->busy;
    call->spans = kept->spans;
    *kept = *call;
    pthread_mutex_unlock(&lock);
}

int64_t ursa_profile_current(void)
{
    return current;
}

void ursa_profile_span(int64_t call, const char *name, bool beside, double begin, double end)
{
    struct ursa_span span = {.call = call, .beside = beside, .begin = begin, .end = end};
    snprintf(span.name, sizeof span.name, "%s", name);
    pthread_mutex_lock(&lock);
    if (call >= 0 && call < profile.call_count &&
        grow(&profile.spans, profile.span_count, &profile.span_capacity, sizeof *profile.spans)) {
        profile.spans[profile.span_count++] = span;
        profile.calls[call].busy += end - begin;
        profile.calls[call].spans++;
    }
    pthread_mutex_unlock(&lock);
}
