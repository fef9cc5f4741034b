/* bench.c — `ursa bench`: its options, and how runs are timed. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench_options bench;

static const option_spec options[] = {
    {"arch", OPTION_TEXT, &bench.arch, "NAME", "train, infer: the network (resnet18), or mlp"},
    {"size", OPTION_INT, &bench.size, "N", "train, infer, conv: pixels of the images (128)"},
    {"bs", OPTION_INT, &bench.batch, "N", "train, infer, conv: images per step (32)"},
    {"precision", OPTION_TEXT, &bench.precision, "P",
     "fp32, fp16 or bf16 (fp32): images, matrices and activations; weights stay fp32"},
    {"layer", OPTION_TEXT, &bench.layer, "NAME", "conv: only this one"},
    {"pass", OPTION_TEXT, &bench.pass, "NAME", "conv: only forward, grad_input, grad_weight or backward (both)"},
    {"data", OPTION_TEXT, &bench.data, "DIR", "data: a folder with a folder of pictures per class"},
    {"m", OPTION_INT, &bench.m, "N", "gemm: rows of the product (2048)"},
    {"n", OPTION_INT, &bench.n, "N", "gemm: columns of the product (2048)"},
    {"k", OPTION_INT, &bench.k, "N", "gemm: length of the sums (2048)"},
    {"repeats", OPTION_INT, &bench.repeats, "N", "timed runs, of which the median counts (7)"},
    {"json", OPTION_FLAG, &bench.json, NULL, "one JSON object per line"},
    {"turns", OPTION_FLAG, &bench.turns, NULL,
     "a run for every line on stdin, its seconds on stdout; for bench/vs-pytorch"},
    COMMON_OPTIONS(bench.common),
};

static const command_spec spec = {
    .usage = "ursa bench gemm|conv|train|infer|memory|data [options]",
    .summary = "Measures speed: a matrix product, the convolutions of ResNet-18 and their\n"
               "gradients, steps of training, inference, the bandwidth of memory, or pictures\n"
               "made into batches. The share is that of the peak rate of fused multiply-adds,\n"
               "measured on the device in the same run.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa bench gemm\n  ursa bench train --arch resnet18 --size 128 --bs 32 --json\n"
                "  ursa bench conv --layer layer1 --pass forward",
    .least = 1,
    .most = 1,
};

/* ---- timing ----------------------------------------------------------------------- */

static double read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one of `times` runs; NaN after an error. */
static double time_runs(bench_run *run, void *context, int times)
{
    double begin = read_clock(CLOCK_MONOTONIC);
    for (int i = 0; i < times; i++)
        if (!run(context))
            return NAN;
    return ursa_device_sync(ursa_default_device()) ? (read_clock(CLOCK_MONOTONIC) - begin) / times : NAN;
}

/* A line of /proc/self/status, in bytes; 0 where there is none. */
static unsigned long long status_bytes(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long long kilobytes = 0;
    char line[256];
    size_t length = strlen(name);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            kilobytes = strtoull(line + length + 1, NULL, 10);
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

/* Memory the process held before anything was made. */
static unsigned long long resident_before;

/* One run for every line of stdin; then what memory the runs took. */
static double take_turns(bench_run *run, void *context, int times)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        double begin = read_clock(CLOCK_PROCESS_CPUTIME_ID), seconds = time_runs(run, context, times);
        if (isnan(seconds))
            return NAN;
        printf("{\"s\":%.9g,\"cpu_s\":%.9g}\n", seconds, (read_clock(CLOCK_PROCESS_CPUTIME_ID) - begin) / times);
        fflush(stdout);
    }
    printf("{\"resident_before\":%llu,\"resident_peak\":%llu}\n", resident_before, status_bytes("VmHWM"));
    return 0;
}

double bench_median(bench_run *run, void *context, double least)
{
    double seconds[101], first = time_runs(run, context, 1), each = first;
    int times = 1;
    if (bench.turns) {
        printf("{\"first_s\":%.9g}\n", first);
        fflush(stdout);
    }
    while (each * times < least && times < 1 << 16) {
        times *= 2;
        each = time_runs(run, context, times);
    }
    if (isnan(each))
        return NAN;
    if (bench.turns)
        return take_turns(run, context, times);
    for (int r = 0; r < bench.repeats; r++)
        if (isnan(seconds[r] = time_runs(run, context, times)))
            return NAN;
    qsort(seconds, (size_t)bench.repeats, sizeof *seconds, ascending);
    return seconds[bench.repeats / 2];
}

double bench_peak(void)
{
    return bench.turns ? 0 : ursa_device_peak_gflops(ursa_default_device(), bench.dtype);
}

void bench_print_share(double gflops, double peak)
{
    if (bench.json && peak > 0)
        printf(",\"peak_gflops\":%.1f,\"fraction\":%.3f", peak, gflops / peak);
    else if (bench.json)
        printf(",\"peak_gflops\":null,\"fraction\":null");
    else if (peak > 0)
        printf("  %5.1f %% of %.0f", 100 * gflops / peak, peak);
}

/* ---- the command -------------------------------------------------------------------- */

static int check_options(const char *what)
{
    if (!read_precision(bench.precision, &bench.dtype))
        return usage_error(&spec, "--precision is \"%s\"; expected fp32, fp16 or bf16", bench.precision);
    if (bench.size < 1 || bench.size > 4096)
        return usage_error(&spec, "--size is %d; expected 1 to 4096 pixels", bench.size);
    if (bench.batch < 1)
        return usage_error(&spec, "--bs is %d; expected 1 or more", bench.batch);
    if (bench.m < 1 || bench.n < 1 || bench.k < 1)
        return usage_error(&spec, "--m, --n and --k are %d, %d and %d; expected 1 or more", bench.m, bench.n, bench.k);
    if (bench.repeats < 1 || bench.repeats > 101)
        return usage_error(&spec, "--repeats is %d; expected 1 to 101", bench.repeats);
    if (bench.turns && strcmp(what, "conv") == 0 && (!bench.layer || !bench.pass))
        return usage_error(&spec, "--turns times one convolution: --layer and --pass say which");
    return EXIT_FINE;
}

int run_bench(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } kinds[] = {{"gemm", bench_gemm},   {"conv", bench_conv},     {"train", bench_train},
                 {"infer", bench_infer}, {"memory", bench_memory}, {"data", bench_data}};
    const char *what;
    int status;
    resident_before = status_bytes("VmRSS");
    bench = (struct bench_options){
        .arch = "resnet18", .size = 128, .batch = 32, .m = 2048, .n = 2048, .k = 2048, .repeats = 7};
    if (read_options(&spec, argc, argv, &what, &status) < 0)
        return status;
    if ((status = check_options(what)) != EXIT_FINE)
        return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, what) == 0)
            return apply_common(&bench.common) && kinds[i].run() ? EXIT_FINE : EXIT_ERROR;
    return usage_error(&spec, "there is no `ursa bench %s`", what);
}
