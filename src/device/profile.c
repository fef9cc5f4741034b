/* profile.c — notes calls of operators, and shows them at the end. */
#include "profile.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    const char *wish; /* NULL: nothing is measured */
    struct ursa_call *calls;
    int64_t count, capacity;
} profile = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- a call ------------------------------------------------------------------- */

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

/* ---- the report ---------------------------------------------------------------- */

/* All calls of an operator with the same shapes. */
struct row {
    const struct ursa_call *first;
    double seconds, flops, bytes;
    int64_t calls;
};

static int by_seconds(const void *a, const void *b)
{
    double x = ((const struct row *)a)->seconds, y = ((const struct row *)b)->seconds;
    return (x < y) - (x > y);
}

static int64_t gather(struct row *rows)
{
    int64_t count = 0;
    for (int64_t i = 0; i < profile.count; i++) {
        const struct ursa_call *call = &profile.calls[i];
        int64_t place = 0;
        while (place < count &&
               (strcmp(rows[place].first->op, call->op) != 0 || strcmp(rows[place].first->shapes, call->shapes) != 0))
            place++;
        if (place == count)
            rows[count++] = (struct row){.first = call};
        rows[place].calls++;
        rows[place].seconds += call->end - call->begin;
        rows[place].flops += call->flops;
        rows[place].bytes += call->bytes;
    }
    qsort(rows, (size_t)count, sizeof *rows, by_seconds);
    return count;
}

static void print_table(void)
{
    struct row *rows = ursa_alloc_array((size_t)profile.count + 1, sizeof *rows);
    int64_t count = rows ? gather(rows) : 0;
    double total = 0;
    for (int64_t i = 0; i < count; i++)
        total += rows[i].seconds;
    fprintf(stderr, "%-20s %7s %10s %7s %9s %8s  %s\n", "operator", "calls", "ms", "share", "GFLOP/s", "GB/s",
            "shapes");
    for (int64_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        fprintf(stderr, "%-20s %7" PRId64 " %10.3f %6.2f%% %9.1f %8.1f  %s\n", row->first->op, row->calls,
                1e3 * row->seconds, 100 * row->seconds / total, row->flops / row->seconds * 1e-9,
                row->bytes / row->seconds * 1e-9, row->first->shapes);
    }
    free(rows);
}

/* The trace event format of Chrome: complete events, times in microseconds. */
static void write_trace(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        ursa_fail(URSA_ERROR_IO, "profile: cannot write %s", path);
        return;
    }
    fprintf(file, "{\"traceEvents\":[\n");
    for (int64_t i = 0; i < profile.count; i++) {
        const struct ursa_call *call = &profile.calls[i];
        fprintf(file,
                "%s{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f,"
                "\"args\":{\"shapes\":\"%s\",\"flops\":%.0f,\"bytes\":%.0f}}",
                i ? ",\n" : "", call->op, 1e6 * (call->begin - profile.calls[0].begin), 1e6 * (call->end - call->begin),
                call->shapes, call->flops, call->bytes);
    }
    fprintf(file, "\n]}\n");
    if (fclose(file) != 0)
        ursa_fail(URSA_ERROR_IO, "profile: cannot write %s", path);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static void report(void)
{
    if (profile.count && ends_with(profile.wish, ".json"))
        write_trace(profile.wish);
    else if (profile.count)
        print_table();
    free(profile.calls);
    profile.calls = NULL;
    profile.count = profile.capacity = 0;
}

/* ---- measuring ------------------------------------------------------------------ */

static void read_wish(void)
{
    const char *wish = getenv("URSA_PROFILE");
    if (!wish || !*wish || strcmp(wish, "0") == 0)
        return;
    profile.wish = wish;
    ursa_at_finish(report);
}

struct ursa_call *ursa_profile_begin(struct ursa_call *call, const char *op)
{
    pthread_once(&profile.once, read_wish);
    if (!profile.wish)
        return NULL;
    *call = (struct ursa_call){.op = op};
    return call;
}

void ursa_profile_end(struct ursa_call *call, const void *args)
{
    call->end = ursa_seconds();
    call->flops = flops_of(call->op, args);
    pthread_mutex_lock(&profile.lock);
    if (profile.count == profile.capacity) {
        int64_t capacity = profile.capacity ? 2 * profile.capacity : 1024;
        struct ursa_call *grown = ursa_grow(profile.calls, (size_t)capacity * sizeof *grown);
        if (grown) {
            profile.calls = grown;
            profile.capacity = capacity;
        }
    }
    if (profile.count < profile.capacity)
        profile.calls[profile.count++] = *call;
    pthread_mutex_unlock(&profile.lock);
}
