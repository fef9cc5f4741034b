/* bench.c — `ursa bench gemm|conv|train`: speed beside what the hardware can do. */
#include "cli.h"
#include "device/ops.h"
#include "device/peak.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    const char *arch;
    int size, batch, m, n, k, repeats;
    bool json;
    common_options common;
} given;

static const option_spec options[] = {
    {"arch", OPTION_TEXT, &given.arch, "NAME", "train: the network (resnet18)"},
    {"size", OPTION_INT, &given.size, "N", "train, conv: pixels of the images (128)"},
    {"bs", OPTION_INT, &given.batch, "N", "train, conv: images per step (32)"},
    {"m", OPTION_INT, &given.m, "N", "gemm: rows of the product (2048)"},
    {"n", OPTION_INT, &given.n, "N", "gemm: columns of the product (2048)"},
    {"k", OPTION_INT, &given.k, "N", "gemm: length of the sums (2048)"},
    {"repeats", OPTION_INT, &given.repeats, "N", "timed runs, of which the median counts (7)"},
    {"json", OPTION_FLAG, &given.json, NULL, "one JSON object per line"},
    COMMON_OPTIONS(given.common),
};

static const command_spec spec = {
    .usage = "ursa bench gemm|conv|train [options]",
    .summary = "Measures speed in float32: a matrix product, the convolutions of ResNet-18 and\n"
               "their gradients, or steps of training. The share is that of the peak rate of\n"
               "fused multiply-adds, measured in the same run; it is known on the CPU.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa bench gemm\n  ursa bench train --arch resnet18 --size 128 --bs 32 --json",
    .least = 1,
    .most = 1,
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the seconds that `run` takes, after one run that does not
 * count; a run is repeated until it lasts long enough for the clock. NaN after
 * an error. */
static double median_seconds(bool (*run)(void *context), void *context, double least)
{
    double seconds[101];
    int repeats = given.repeats, inner = 1;
    for (bool warm = false; !warm;) {
        double begin = now();
        for (int i = 0; i < inner; i++)
            if (!run(context))
                return NAN;
        if (!ursa_device_sync(ursa_default_device()))
            return NAN;
        warm = now() - begin >= least || inner >= 1 << 16;
        inner *= warm ? 1 : 2;
    }
    for (int r = 0; r < repeats; r++) {
        double begin = now();
        for (int i = 0; i < inner; i++)
            if (!run(context))
                return NAN;
        if (!ursa_device_sync(ursa_default_device()))
            return NAN;
        seconds[r] = (now() - begin) / inner;
    }
    qsort(seconds, (size_t)repeats, sizeof *seconds, ascending);
    return seconds[repeats / 2];
}

/* The peak of the CPU; 0 on other devices, where it is not known. */
static double peak_gflops(void)
{
    bool cpu = strcmp(ursa_device_id(ursa_default_device()), "cpu") == 0;
    return cpu ? ursa_cpu_peak_gflops(ursa_threads()) : 0;
}

/* ",\"peak_gflops\":…,\"fraction\":…" or " of … (… %)", where the peak is known. */
static void print_share(double gflops, double peak)
{
    if (given.json && peak > 0)
        printf(",\"peak_gflops\":%.1f,\"fraction\":%.3f", peak, gflops / peak);
    else if (given.json)
        printf(",\"peak_gflops\":null,\"fraction\":null");
    else if (peak > 0)
        printf("  %5.1f %% of %.0f", 100 * gflops / peak, peak);
}

/* ---- gemm ------------------------------------------------------------------------ */

static bool run_product(void *context)
{
    return ursa_op_gemm(ursa_default_device(), context);
}

static bool bench_gemm(void)
{
    ursa_tensor *x = ursa_uniform(ursa_shape(1, given.m, given.k)), *y = ursa_uniform(ursa_shape(1, given.k, given.n));
    ursa_tensor *out = ursa_empty(ursa_shape(1, given.m, given.n));
    if (!x || !y || !out)
        return false;
    struct ursa_gemm_args args = {.x = x->array, .y = y->array, .out = out->array, .alpha = 1};
    double before = peak_gflops(), seconds = median_seconds(run_product, &args, 0.05),
           peak = fmax(before, peak_gflops());
    double gflops = 2.0 * given.m * given.n * given.k / seconds * 1e-9;
    if (isnan(seconds))
        return false;
    if (given.json)
        printf("{\"what\":\"gemm\",\"m\":%d,\"n\":%d,\"k\":%d,\"dtype\":\"f32\",\"gflops\":%.1f", given.m, given.n,
               given.k, gflops);
    else
        printf("gemm %d × %d × %d  f32  %7.1f GFLOP/s", given.m, given.n, given.k, gflops);
    print_share(gflops, peak);
    printf(given.json ? "}\n" : "\n");
    return true;
}

/* ---- conv ------------------------------------------------------------------------ */

/* The convolutions of ResNet-18 that differ, and how many of its twenty are like each. */
struct layer {
    const char *name;
    int in, out, kernel, stride, shrink; /* the input is size / shrink pixels */
    int times;
};

static const struct layer layers[] = {
    {"conv1", 3, 64, 7, 2, 1, 1},
    {"layer1", 64, 64, 3, 1, 4, 4},
    {"layer2.0.conv1", 64, 128, 3, 2, 4, 1},
    {"layer2.down", 64, 128, 1, 2, 4, 1},
    {"layer2", 128, 128, 3, 1, 8, 3},
    {"layer3.0.conv1", 128, 256, 3, 2, 8, 1},
    {"layer3.down", 128, 256, 1, 2, 8, 1},
    {"layer3", 256, 256, 3, 1, 16, 3},
    {"layer4.0.conv1", 256, 512, 3, 2, 16, 1},
    {"layer4.down", 256, 512, 1, 2, 16, 1},
    {"layer4", 512, 512, 3, 1, 32, 3},
};
enum { LAYERS = sizeof layers / sizeof *layers, CONVOLUTIONS = 20 };

struct convolution {
    struct ursa_conv2d_args forward;
    struct ursa_conv2d_grad_input_args grad_input;
    struct ursa_conv2d_grad_weight_args grad_weight;
};

static bool run_forward(void *context)
{
    return ursa_op_conv2d(ursa_default_device(), &((struct convolution *)context)->forward);
}

static bool run_grad_input(void *context)
{
    return ursa_op_conv2d_grad_input(ursa_default_device(), &((struct convolution *)context)->grad_input);
}

static bool run_grad_weight(void *context)
{
    return ursa_op_conv2d_grad_weight(ursa_default_device(), &((struct convolution *)context)->grad_weight);
}

static const struct {
    const char *name;
    bool (*run)(void *context);
} passes[] = {{"forward", run_forward}, {"grad_input", run_grad_input}, {"grad_weight", run_grad_weight}};

static void print_pass(const struct layer *layer, const char *pass, double gflops, double peak)
{
    int pixels = given.size / layer->shrink;
    if (given.json)
        printf("{\"what\":\"conv\",\"layer\":\"%s\",\"pass\":\"%s\",\"bs\":%d,\"size\":%d,\"in\":%d,\"out\":%d,"
               "\"kernel\":%d,"
               "\"stride\":%d,\"dtype\":\"f32\",\"gflops\":%.1f",
               layer->name, pass, given.batch, pixels, layer->in, layer->out, layer->kernel, layer->stride, gflops);
    else
        printf("%-15s %4d→%-4d %d×%d/%d @%-4d %-12s %7.1f GFLOP/s", layer->name, layer->in, layer->out, layer->kernel,
               layer->kernel, layer->stride, pixels, pass, gflops);
    print_share(gflops, peak);
    printf(given.json ? "}\n" : "\n");
    fflush(stdout);
}

/* Adds the shares of the three passes to `sums`, as often as the layer occurs. */
static bool bench_layer(const struct layer *layer, double sums[3])
{
    int64_t in = given.size / layer->shrink, out = (in - 1) / layer->stride + 1, n = given.batch;
    ursa_tensor *x = ursa_uniform(ursa_shape(n, in, in, layer->in)),
                *y = ursa_empty(ursa_shape(n, out, out, layer->out));
    ursa_tensor *w = ursa_uniform(ursa_shape(layer->out, layer->kernel, layer->kernel, layer->in));
    ursa_tensor *dy = ursa_uniform(ursa_dims_of(y)), *dx = ursa_empty_like(x), *dw = ursa_empty_like(w);
    if (!x || !y || !w || !dy || !dx || !dw)
        return false;
    ursa_conv_geometry geometry = {{layer->stride, layer->stride}, {layer->kernel / 2, layer->kernel / 2}, {1, 1}, 1};
    struct convolution convolution = {
        .forward = {.geometry = geometry, .x = x->array, .w = w->array, .out = y->array},
        .grad_input = {.geometry = geometry, .dy = dy->array, .w = w->array, .dx = dx->array},
        .grad_weight = {.geometry = geometry, .x = x->array, .dy = dy->array, .dw = dw->array},
    };
    double flops = 2.0 * (double)(n * out * out) * layer->out * layer->kernel * layer->kernel * layer->in;
    for (int pass = 0; pass < 3; pass++) {
        double before = peak_gflops(), seconds = median_seconds(passes[pass].run, &convolution, 0.02);
        double peak = fmax(before, peak_gflops());
        if (isnan(seconds))
            return false;
        double gflops = flops / seconds * 1e-9;
        sums[pass] += peak > 0 ? layer->times * gflops / peak : 0;
        print_pass(layer, passes[pass].name, gflops, peak);
    }
    return true;
}

static bool bench_conv(void)
{
    double sums[3] = {0};
    for (int i = 0; i < LAYERS; i++) {
        ursa_scope *scope = ursa_scope_begin();
        bool done = bench_layer(&layers[i], sums);
        ursa_scope_end(scope);
        if (!done)
            return false;
    }
    if (sums[0] > 0 && given.json)
        printf("{\"what\":\"conv_mean\",\"forward\":%.3f,\"grad_input\":%.3f,\"grad_weight\":%.3f,\"mean\":%.3f}\n",
               sums[0] / CONVOLUTIONS, sums[1] / CONVOLUTIONS, sums[2] / CONVOLUTIONS,
               (sums[0] + sums[1] + sums[2]) / (3 * CONVOLUTIONS));
    else if (sums[0] > 0)
        printf("mean share of the peak over the twenty convolutions: forward %.1f %%, grad_input %.1f %%, grad_weight "
               "%.1f %%, all %.1f %%\n",
               100 * sums[0] / CONVOLUTIONS, 100 * sums[1] / CONVOLUTIONS, 100 * sums[2] / CONVOLUTIONS,
               100 * (sums[0] + sums[1] + sums[2]) / (3 * CONVOLUTIONS));
    return true;
}

/* ---- train ------------------------------------------------------------------------ */

struct training {
    ursa_module *model;
    ursa_optimizer *optimizer;
    ursa_tensor *x, *y;
};

static bool run_step(void *context)
{
    struct training *training = context;
    ursa_scope *scope = ursa_scope_begin();
    bool done = ursa_backward(ursa_cross_entropy(ursa_forward(training->model, training->x), training->y)) &&
                ursa_optimizer_step(training->optimizer);
    ursa_optimizer_zero_grad(training->optimizer);
    ursa_scope_end(scope);
    return done;
}

static bool time_training(const ursa_arch *arch, struct training *training)
{
    ursa_device *device = ursa_default_device();
    training->model = arch->make(3, 1000);
    training->optimizer = training->model ? ursa_sgd(training->model, .lr = 1e-3, .momentum = 0.9) : NULL;
    training->x = ursa_normal(ursa_shape(given.batch, given.size, given.size, 3));
    training->y = ursa_zeros(ursa_shape(given.batch), .dtype = URSA_I64);
    if (!training->optimizer || !training->x || !training->y)
        return false;
    ursa_device_reset_peak(device);
    double seconds = median_seconds(run_step, training, 0.1);
    if (isnan(seconds))
        return false;
    unsigned long long peak = ursa_device_memory(device).peak;
    double rate = given.batch / seconds;
    if (given.json)
        printf("{\"what\":\"train\",\"arch\":\"%s\",\"size\":%d,\"bs\":%d,\"dtype\":\"f32\",\"images_per_s\":%.2f,"
               "\"peak_bytes\":%llu}\n",
               arch->name, given.size, given.batch, rate, peak);
    else
        printf("train %s, %d px, batch %d, f32: %.1f images/s, %.0f ms a step, peak memory %.0f MiB\n", arch->name,
               given.size, given.batch, rate, 1e3 * seconds, (double)peak / (1 << 20));
    return true;
}

static bool bench_train(void)
{
    const ursa_arch *arch = ursa_arch_find(given.arch);
    struct training training = {0};
    bool done = arch && time_training(arch, &training);
    ursa_optimizer_free(training.optimizer);
    ursa_module_free(training.model);
    return done;
}

/* ---- the command -------------------------------------------------------------------- */

static int check_options(void)
{
    if (given.size < 1 || given.size > 4096)
        return usage_error(&spec, "--size is %d; expected 1 to 4096 pixels", given.size);
    if (given.batch < 1)
        return usage_error(&spec, "--bs is %d; expected 1 or more", given.batch);
    if (given.m < 1 || given.n < 1 || given.k < 1)
        return usage_error(&spec, "--m, --n and --k are %d, %d and %d; expected 1 or more", given.m, given.n, given.k);
    if (given.repeats < 1 || given.repeats > 101)
        return usage_error(&spec, "--repeats is %d; expected 1 to 101", given.repeats);
    return EXIT_FINE;
}

int run_bench(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } kinds[] = {{"gemm", bench_gemm}, {"conv", bench_conv}, {"train", bench_train}};
    const char *what;
    int status;
    given.arch = "resnet18";
    given.size = 128;
    given.batch = 32;
    given.m = given.n = given.k = 2048;
    given.repeats = 7;
    if (read_options(&spec, argc, argv, &what, &status) < 0)
        return status;
    if ((status = check_options()) != EXIT_FINE)
        return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, what) == 0)
            return apply_common(&given.common) && kinds[i].run() ? EXIT_FINE : EXIT_ERROR;
    return usage_error(&spec, "there is no `ursa bench %s`", what);
}
