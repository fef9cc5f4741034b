/* profile_report.c — what was measured, as a table, as JSON, and as a trace. */
#include "profile.h"
#include "backend.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All calls of an operator with the same shapes on one device. */
struct row {
    const struct ursa_call *first;
    double seconds, flops, bytes;
    int64_t calls, kernels;
};

struct table {
    ursa_device *device;
    struct row *rows;
    int64_t count;
    struct row total;
    double peak; /* GFLOP/s; 0: not known */
};

/* Where the device keeps no time of its own, the host's counts. */
static double seconds_of(const struct ursa_call *call)
{
    return call->device->backend->collect ? call->busy : call->end - call->begin;
}

/* ---- rows ----------------------------------------------------------------------- */

static int by_seconds(const void *a, const void *b)
{
    double x = ((const struct row *)a)->seconds, y = ((const struct row *)b)->seconds;
    return (x < y) - (x > y);
}

static void add_call(struct row *row, const struct ursa_call *call)
{
    row->calls++;
    row->kernels += call->spans;
    row->seconds += seconds_of(call);
    row->flops += call->flops;
    row->bytes += call->bytes;
}

static void add_row(struct row *sum, const struct row *row)
{
    sum->calls += row->calls;
    sum->kernels += row->kernels;
    sum->seconds += row->seconds;
    sum->flops += row->flops;
    sum->bytes += row->bytes;
}

static bool gather(const struct ursa_profile *profile, struct table *table)
{
    table->rows = ursa_alloc_array((size_t)profile->call_count + 1, sizeof *table->rows);
    if (!table->rows)
        return false;
    for (int64_t i = 0; i < profile->call_count; i++) {
        const struct ursa_call *call = &profile->calls[i];
        int64_t place = 0;
        if (call->device != table->device)
            continue;
        while (place < table->count && (strcmp(table->rows[place].first->op, call->op) != 0 ||
                                        strcmp(table->rows[place].first->shapes, call->shapes) != 0))
            place++;
        if (place == table->count)
            table->rows[table->count++] = (struct row){.first = call};
        add_call(&table->rows[place], call);
        add_call(&table->total, call);
    }
    qsort(table->rows, (size_t)table->count, sizeof *table->rows, by_seconds);
    return true;
}

static double per_nanosecond(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds * 1e-9 : 0;
}

/* ---- the table ------------------------------------------------------------------ */

static void print_row(const struct table *table, const struct row *row, const char *name, const char *shapes)
{
    char kernels[24] = "", rate[24] = "", share[24] = "";
    double gflops = per_nanosecond(row->flops, row->seconds);
    if (row->kernels)
        snprintf(kernels, sizeof kernels, "%" PRId64, row->kernels);
    if (row->flops > 0)
        snprintf(rate, sizeof rate, "%.1f", gflops);
    if (row->flops > 0 && table->peak > 0)
        snprintf(share, sizeof share, "%.1f%%", 100 * gflops / table->peak);
    fprintf(stderr, "%-20s %7" PRId64 " %8s %10.3f %6.2f%% %9s %7s %8.1f  %s\n", name, row->calls, kernels,
            1e3 * row->seconds, table->total.seconds > 0 ? 100 * row->seconds / table->total.seconds : 0, rate, share,
            per_nanosecond(row->bytes, row->seconds), shapes);
}

static void print_table(const struct table *table, int rows)
{
    fprintf(stderr, "\n%s, %s\n%-20s %7s %8s %10s %7s %9s %7s %8s  %s\n", table->device->info.id,
            table->device->info.name, "operator", "calls", "kernels", "ms", "share", "GFLOP/s", "of peak", "GB/s",
            "shapes");
    struct row rest = {0};
    for (int64_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (i < rows)
            print_row(table, row, row->first->op, row->first->shapes);
        else
            add_row(&rest, row);
    }
    if (rest.calls) {
        char name[40];
        snprintf(name, sizeof name, "%" PRId64 " others", table->count - rows);
        print_row(table, &rest, name, "");
    }
    print_row(table, &table->total, "all", "");
    ursa_program_stats programs = ursa_device_programs(table->device);
    fprintf(stderr, "the host waited %" PRIu64 " times", ursa_device_waits(table->device));
    if (programs.compiled + programs.loaded)
        fprintf(stderr, "; %" PRIu64 " programs compiled and %" PRIu64 " loaded in %.0f ms", programs.compiled,
                programs.loaded, 1e3 * programs.seconds);
    if (table->peak > 0)
        fprintf(stderr, "; the peak is %.0f GFLOP/s of multiply-adds, measured now", table->peak);
    fprintf(stderr, "\n");
}

/* ---- JSON ----------------------------------------------------------------------- */

static void print_json_row(const struct table *table, const struct row *row, const char *op, const char *shapes)
{
    double gflops = per_nanosecond(row->flops, row->seconds);
    printf("{\"what\":\"profile\",\"device\":\"%s\",\"operator\":\"%s\",\"shapes\":\"%s\",\"calls\":%" PRId64
           ",\"kernels\":%" PRId64 ",\"ms\":%.6g,\"share\":%.4g,\"gflops\":%.4g,\"gb_per_s\":%.4g",
           table->device->info.id, op, shapes, row->calls, row->kernels, 1e3 * row->seconds,
           table->total.seconds > 0 ? row->seconds / table->total.seconds : 0, gflops,
           per_nanosecond(row->bytes, row->seconds));
    if (row->flops > 0 && table->peak > 0)
        printf(",\"fraction\":%.4g}\n", gflops / table->peak);
    else
        printf(",\"fraction\":null}\n");
}

static void print_json(const struct table *table)
{
    for (int64_t i = 0; i < table->count; i++)
        print_json_row(table, &table->rows[i], table->rows[i].first->op, table->rows[i].first->shapes);
    ursa_program_stats programs = ursa_device_programs(table->device);
    printf("{\"what\":\"profile_total\",\"device\":\"%s\",\"calls\":%" PRId64 ",\"kernels\":%" PRId64
           ",\"ms\":%.6g,\"waits\":%" PRIu64 ",\"compiled\":%" PRIu64 ",\"loaded\":%" PRIu64 "}\n",
           table->device->info.id, table->total.calls, table->total.kernels, 1e3 * table->total.seconds,
           ursa_device_waits(table->device), programs.compiled, programs.loaded);
}

/* ---- the trace ------------------------------------------------------------------ */

/* Lanes: the host, then two per device, for its kernels and for uploads beside them. */
enum { HOST_LANE = 1 };

static int lane_of(const struct ursa_profile *profile, const ursa_device *device, bool beside)
{
    int place = 0;
    while (place < profile->device_count && profile->devices[place] != device)
        place++;
    return HOST_LANE + 1 + 2 * place + beside;
}

static void name_lane(FILE *file, int lane, const char *name, const char *what)
{
    fprintf(file, "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":\"%s%s\"}},\n", lane,
            name, what);
}

static void name_lanes(FILE *file, const struct ursa_profile *profile)
{
    name_lane(file, HOST_LANE, "host", "");
    for (int i = 0; i < profile->device_count; i++) {
        const ursa_device *device = profile->devices[i];
        name_lane(file, lane_of(profile, device, false), device->info.id, "");
        if (device->backend->collect)
            name_lane(file, lane_of(profile, device, true), device->info.id, " uploads");
    }
}

/* A complete event in the format of Chrome; times in microseconds. */
static void write_event(FILE *file, const char *name, const char *category, int lane, double begin, double end,
                        const struct ursa_call *call)
{
    fprintf(file,
            "{\"name\":\"%s\",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,"
            "\"args\":{\"operator\":\"%s\",\"shapes\":\"%s\",\"flops\":%.0f,\"bytes\":%.0f}}",
            name, category, lane, 1e6 * begin, 1e6 * (end - begin), call->op, call->shapes, call->flops, call->bytes);
}

/* Operators of the CPU run where they are called; others are called on the
 * host, and their kernels run on the device. */
static void write_trace(const struct ursa_profile *profile)
{
    FILE *file = fopen(profile->wish.trace, "w");
    if (!file) {
        ursa_fail(URSA_ERROR_IO, "profile: cannot write %s", profile->wish.trace);
        return;
    }
    double origin = profile->call_count ? profile->calls[0].begin : 0;
    fprintf(file, "{\"traceEvents\":[\n");
    name_lanes(file, profile);
    for (int64_t i = 0; i < profile->call_count; i++) {
        const struct ursa_call *call = &profile->calls[i];
        bool here = !call->device->backend->collect && !call->is_copy;
        fprintf(file, "%s", i ? ",\n" : "");
        write_event(file, call->op,
                    call->is_copy ? "copy"
                    : here        ? "operator"
                                  : "call",
                    here ? lane_of(profile, call->device, false) : HOST_LANE, call->begin - origin, call->end - origin,
                    call);
    }
    for (int64_t i = 0; i < profile->span_count; i++) {
        const struct ursa_span *span = &profile->spans[i];
        const struct ursa_call *call = &profile->calls[span->call];
        fprintf(file, ",\n");
        write_event(file, span->name, "kernel", lane_of(profile, call->device, span->beside), span->begin - origin,
                    span->end - origin, call);
    }
    fprintf(file, "\n]}\n");
    if (fclose(file) != 0)
        ursa_fail(URSA_ERROR_IO, "profile: cannot write %s", profile->wish.trace);
}

/* ---- all ------------------------------------------------------------------------ */

static void show_device(const struct ursa_profile *profile, ursa_device *device)
{
    struct table table = {.device = device, .peak = ursa_device_peak_gflops(device, URSA_F32)};
    if (gather(profile, &table) && profile->wish.table)
        print_table(&table, profile->wish.rows);
    if (table.rows && profile->wish.json)
        print_json(&table);
    free(table.rows);
}

void ursa_profile_report(const struct ursa_profile *profile)
{
    if (profile->wish.trace)
        write_trace(profile);
    for (int i = 0; i < profile->device_count && (profile->wish.table || profile->wish.json); i++)
        show_device(profile, profile->devices[i]);
}
