/* bench_ops.c — `ursa bench gemm|conv`: matrix products and convolutions. */
#include "bench.h"
#include "base/error.h"
#include "device/conv_method.h"
#include "device/backend.h"
#include "device/tuner.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers, in the type that is measured. */
static ursa_tensor *numbers(ursa_dims dims)
{
    return ursa_cast(ursa_uniform(dims), bench.dtype);
}

/* ---- how products are computed ----------------------------------------------------- */

enum { METHOD_LENGTH = 192 };

/* The ways that a device which chooses among some takes for the products of one run: "winograd, clblast"; "" on others.
 */
static void find_method(bench_run *run, void *context, char text[METHOD_LENGTH])
{
    ursa_device *device = ursa_default_device();
    const struct ursa_tuner *tuner = device->backend->tuner;
    text[0] = 0;
    if (!tuner)
        return;
    tuner->watch(device);
    run(context);
    int kinds = tuner->seen(device);
    for (int i = 0; i < kinds; i++) {
        char way[64];
        size_t used = strlen(text);
        tuner->way(device, i, way);
        if (!strstr(text, way))
            snprintf(text + used, METHOD_LENGTH - used, "%s%s", used ? ", " : "", way);
    }
}

static void print_method(const char *method)
{
    if (*method)
        printf(bench.json ? ",\"method\":\"%s\"" : "  %s", method);
}

/* ---- gemm ------------------------------------------------------------------------ */

static bool run_product(void *context)
{
    return ursa_op_gemm(ursa_default_device(), context);
}

bool bench_gemm(void)
{
    ursa_tensor *x = numbers(ursa_shape(1, bench.m, bench.k)), *y = numbers(ursa_shape(1, bench.k, bench.n));
    ursa_tensor *out = numbers(ursa_shape(1, bench.m, bench.n));
    if (!x || !y || !out)
        return false;
    struct ursa_gemm_args args = {.x = x->array, .y = y->array, .out = out->array, .alpha = 1};
    char method[METHOD_LENGTH];
    find_method(run_product, &args, method);
    double before = bench_peak(), seconds = bench_median(run_product, &args, 0.05), peak = fmax(before, bench_peak());
    double gflops = 2.0 * bench.m * bench.n * bench.k / seconds * 1e-9;
    if (isnan(seconds) || bench.turns)
        return !isnan(seconds);
    if (bench.json)
        printf("{\"what\":\"gemm\",\"m\":%d,\"n\":%d,\"k\":%d,\"dtype\":\"%s\",\"gflops\":%.1f", bench.m, bench.n,
               bench.k, ursa_dtype_name(bench.dtype), gflops);
    else
        printf("gemm %d × %d × %d  %s  %7.1f GFLOP/s", bench.m, bench.n, bench.k, ursa_dtype_name(bench.dtype), gflops);
    bench_print_share(gflops, peak);
    print_method(method);
    printf(bench.json ? "}\n" : "\n");
    return true;
}

/* ---- memory ---------------------------------------------------------------------- */

static bool run_copy(void *context)
{
    return ursa_op_copy(ursa_default_device(), context);
}

static bool run_sum(void *context)
{
    return ursa_op_reduce(ursa_default_device(), context);
}

enum { FLOATS = 1 << 26 };

/* To and from the host: what a tensor and host memory hold. */
struct transfer {
    ursa_tensor *tensor;
    float *host;
};

static bool run_upload(void *context)
{
    const struct transfer *transfer = context;
    return ursa_buffer_write(transfer->tensor->array.buffer, 0, URSA_F32, transfer->host, FLOATS);
}

static bool run_download(void *context)
{
    const struct transfer *transfer = context;
    return ursa_read(transfer->tensor, URSA_F32, transfer->host, FLOATS);
}

/* Arrays far larger than any cache; bytes read and bytes written count. Between
 * the host and a device that has memory of its own, bytes count once. */
bool bench_memory(void)
{
    ursa_tensor *x = ursa_zeros(ursa_shape(FLOATS)), *y = ursa_zeros(ursa_shape(FLOATS));
    ursa_tensor *sum = ursa_zeros(ursa_shape(1));
    if (!x || !y || !sum)
        return false;
    struct ursa_copy_args copy_args = {.x = x->array, .out = y->array};
    struct ursa_reduce_args sum_args = {.kind = URSA_REDUCE_SUM, .x = x->array, .out = sum->array};
    double copy = 8e-9 * FLOATS / bench_median(run_copy, &copy_args, 0.1);
    double read = 4e-9 * FLOATS / bench_median(run_sum, &sum_args, 0.1);
    if (isnan(copy) || isnan(read) || bench.turns)
        return !isnan(copy) && !isnan(read);
    struct transfer transfer = {x, calloc(FLOATS, sizeof(float))};
    double up = transfer.host ? 4e-9 * FLOATS / bench_median(run_upload, &transfer, 0.1) : NAN;
    double down = transfer.host ? 4e-9 * FLOATS / bench_median(run_download, &transfer, 0.1) : NAN;
    free(transfer.host);
    if (bench.json)
        printf(
            "{\"what\":\"memory\",\"gb_per_s\":%.2f,\"copy\":%.2f,\"read\":%.2f,\"from_host\":%.2f,\"to_host\":%.2f}\n",
            fmax(copy, read), copy, read, up, down);
    else
        printf("memory: copying %.1f GB/s, reading %.1f GB/s, from the host %.1f GB/s, to the host %.1f GB/s\n", copy,
               read, up, down);
    return !isnan(up) && !isnan(down);
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

/* What training needs: the images themselves have no gradient. */
static bool run_backward(void *context)
{
    const struct convolution *convolution = context;
    bool first = convolution->forward.x.shape[3] == 3;
    return (first || run_grad_input(context)) && run_grad_weight(context);
}

enum { FORWARD, GRAD_INPUT, GRAD_WEIGHT, BACKWARD, PASSES };

static const struct {
    const char *name;
    bench_run *run;
} passes[PASSES] = {
    [FORWARD] = {"forward", run_forward},
    [GRAD_INPUT] = {"grad_input", run_grad_input},
    [GRAD_WEIGHT] = {"grad_weight", run_grad_weight},
    [BACKWARD] = {"backward", run_backward},
};

/* Of all passes but `backward`, which is two of them; or the one asked for. */
static bool is_wanted(int pass)
{
    return bench.pass ? strcmp(bench.pass, passes[pass].name) == 0 : pass != BACKWARD;
}

/* `method` is "" where it is not known. */
static void print_pass(const struct layer *layer, const char *pass, const char *method, double gflops, double peak)
{
    int pixels = bench.size / layer->shrink;
    if (bench.json)
        printf("{\"what\":\"conv\",\"layer\":\"%s\",\"pass\":\"%s\",\"bs\":%d,\"size\":%d,\"in\":%d,\"out\":%d,"
               "\"kernel\":%d,"
               "\"stride\":%d,\"dtype\":\"%s\",\"gflops\":%.1f",
               layer->name, pass, bench.batch, pixels, layer->in, layer->out, layer->kernel, layer->stride,
               ursa_dtype_name(bench.dtype), gflops);
    else
        printf("%-15s %4d→%-4d %d×%d/%d @%-4d %-12s %7.1f GFLOP/s", layer->name, layer->in, layer->out, layer->kernel,
               layer->kernel, layer->stride, pixels, pass, gflops);
    bench_print_share(gflops, peak);
    print_method(method);
    printf(bench.json ? "}\n" : "\n");
    fflush(stdout);
}

static void find_conv_method(int pass, struct convolution *convolution, char text[METHOD_LENGTH])
{
    const struct ursa_conv2d_args *forward = &convolution->forward;
    find_method(passes[pass].run, convolution, text);
    if (strcmp(ursa_device_id(ursa_default_device()), "cpu") == 0 && pass != BACKWARD)
        snprintf(
            text, METHOD_LENGTH, "%s",
            ursa_cpu_conv_method((ursa_conv_pass)pass, &forward->geometry, &forward->x, &forward->w, &forward->out));
}

/* Adds the shares of the passes to `sums`, as often as the layer occurs. */
static bool bench_layer(const struct layer *layer, double sums[PASSES])
{
    int64_t in = bench.size / layer->shrink, out = (in - 1) / layer->stride + 1, n = bench.batch;
    ursa_tensor *x = numbers(ursa_shape(n, in, in, layer->in)), *y = numbers(ursa_shape(n, out, out, layer->out));
    ursa_tensor *w = ursa_uniform(ursa_shape(layer->out, layer->kernel, layer->kernel, layer->in));
    ursa_tensor *dy = numbers(ursa_dims_of(y)), *dx = ursa_empty_like(x), *dw = ursa_empty_like(w);
    if (!x || !y || !w || !dy || !dx || !dw)
        return false;
    ursa_conv_geometry geometry = {{layer->stride, layer->stride}, {layer->kernel / 2, layer->kernel / 2}, {1, 1}, 1};
    struct convolution convolution = {
        .forward = {.geometry = geometry, .x = x->array, .w = w->array, .out = y->array},
        .grad_input = {.geometry = geometry, .dy = dy->array, .w = w->array, .dx = dx->array},
        .grad_weight = {.geometry = geometry, .x = x->array, .dy = dy->array, .dw = dw->array},
    };
    double flops = 2.0 * (double)(n * out * out) * layer->out * layer->kernel * layer->kernel * layer->in;
    for (int pass = 0; pass < PASSES; pass++) {
        if (!is_wanted(pass))
            continue;
        double before = bench_peak(), seconds = bench_median(passes[pass].run, &convolution, 0.02);
        double peak = fmax(before, bench_peak());
        if (isnan(seconds))
            return false;
        if (bench.turns)
            return true;
        double gflops = (pass == BACKWARD && layer->in > 3 ? 2 : 1) * flops / seconds * 1e-9;
        sums[pass] += peak > 0 ? layer->times * gflops / peak : 0;
        char method[METHOD_LENGTH];
        find_conv_method(pass, &convolution, method);
        print_pass(layer, passes[pass].name, method, gflops, peak);
    }
    return true;
}

static void print_means(const double sums[PASSES])
{
    double forward = sums[FORWARD] / CONVOLUTIONS, grad_input = sums[GRAD_INPUT] / CONVOLUTIONS;
    double grad_weight = sums[GRAD_WEIGHT] / CONVOLUTIONS, all = (forward + grad_input + grad_weight) / 3;
    if (bench.json)
        printf("{\"what\":\"conv_mean\",\"forward\":%.3f,\"grad_input\":%.3f,\"grad_weight\":%.3f,\"mean\":%.3f}\n",
               forward, grad_input, grad_weight, all);
    else
        printf("mean share of the peak over the twenty convolutions: forward %.1f %%, grad_input %.1f %%, grad_weight "
               "%.1f %%, all %.1f %%\n",
               100 * forward, 100 * grad_input, 100 * grad_weight, 100 * all);
}

static bool check_names(void)
{
    bool layer = !bench.layer, pass = !bench.pass;
    for (int i = 0; i < LAYERS; i++)
        layer = layer || strcmp(bench.layer, layers[i].name) == 0;
    for (int i = 0; i < PASSES; i++)
        pass = pass || strcmp(bench.pass, passes[i].name) == 0;
    if (!layer)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "bench conv: there is no layer \"%s\"; there are conv1, layer1, "
                         "layer2.0.conv1, layer2.down, layer2 and so on",
                         bench.layer);
    return pass || ursa_fail(URSA_ERROR_ARGUMENT,
                             "bench conv: there is no pass \"%s\"; there are forward, grad_input, "
                             "grad_weight and backward",
                             bench.pass);
}

bool bench_conv(void)
{
    double sums[PASSES] = {0};
    if (!check_names())
        return false;
    for (int i = 0; i < LAYERS; i++) {
        if (bench.layer && strcmp(bench.layer, layers[i].name) != 0)
            continue;
        ursa_scope *scope = ursa_scope_begin();
        bool done = bench_layer(&layers[i], sums);
        ursa_scope_end(scope);
        if (!done)
            return false;
    }
    if (sums[FORWARD] > 0 && !bench.layer && !bench.pass)
        print_means(sums);
    return true;
}
