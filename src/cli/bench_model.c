/* bench_model.c — `ursa bench train|infer`: whole networks. */
#include "bench.h"
#include "device/ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct network {
    ursa_module *model;
    ursa_optimizer *optimizer;
    ursa_tensor *x, *y;
};

/* Three layers with 1024 units between them, for images of one channel. */
static ursa_module *make_mlp(void)
{
    enum { HIDDEN = 1024, CLASSES = 10 };
    return ursa_nn_sequential(ursa_nn_flatten(), ursa_nn_linear(bench.size * bench.size, HIDDEN),
                              ursa_nn_activation("relu"), ursa_nn_linear(HIDDEN, HIDDEN), ursa_nn_activation("relu"),
                              ursa_nn_linear(HIDDEN, CLASSES));
}

/* In the type of the activations; the floats they were drawn as do not count as memory of a step. */
static ursa_tensor *draw_images(int64_t channels)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_cast(ursa_normal(ursa_shape(bench.batch, bench.size, bench.size, channels)), bench.dtype);
    if (x)
        ursa_promote(x);
    ursa_scope_end(scope);
    return x;
}

static bool make_network(struct network *network)
{
    bool is_mlp = strcmp(bench.arch, "mlp") == 0;
    const ursa_arch *arch = is_mlp ? NULL : ursa_arch_find(bench.arch);
    if (is_mlp)
        network->model = make_mlp();
    else if (arch)
        network->model = arch->make(3, 1000);
    network->x = draw_images(is_mlp ? 1 : 3);
    network->y = ursa_zeros(ursa_shape(bench.batch), .dtype = URSA_I64);
    return network->model && network->x && network->y;
}

static void free_network(struct network *network)
{
    ursa_optimizer_free(network->optimizer);
    ursa_module_free(network->model);
}

static void print_rate(const char *what, double seconds)
{
    double rate = bench.batch / seconds, peak = (double)ursa_device_memory(ursa_default_device()).peak;
    if (bench.turns)
        return;
    if (bench.json)
        printf("{\"what\":\"%s\",\"arch\":\"%s\",\"size\":%d,\"bs\":%d,\"dtype\":\"%s\",\"images_per_s\":%.2f,"
               "\"peak_bytes\":%.0f}\n",
               what, bench.arch, bench.size, bench.batch, ursa_dtype_name(bench.dtype), rate, peak);
    else
        printf("%s %s, %d px, batch %d, %s: %.1f images/s, %.1f ms a step, peak memory %.0f MiB\n", what, bench.arch,
               bench.size, bench.batch, ursa_dtype_name(bench.dtype), rate, 1e3 * seconds, peak / (1 << 20));
}

/* ---- train ------------------------------------------------------------------------ */

static bool run_step(void *context)
{
    struct network *network = context;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *prediction = ursa_cast(ursa_forward(network->model, network->x), URSA_F32);
    bool done = ursa_backward(ursa_cross_entropy(prediction, network->y)) && ursa_optimizer_step(network->optimizer);
    ursa_optimizer_zero_grad(network->optimizer);
    ursa_scope_end(scope);
    return done;
}

static bool make_trainer(struct network *network)
{
    if (make_network(network))
        network->optimizer = ursa_sgd(network->model, .lr = 1e-3, .momentum = 0.9);
    return network->optimizer;
}

bool bench_step(void)
{
    struct network network = {0};
    bool done = make_trainer(&network) && run_step(&network);
    free_network(&network);
    return done;
}

bool bench_train(void)
{
    struct network network = {0};
    double seconds = make_trainer(&network) ? bench_median(run_step, &network, 0.1) : NAN;
    if (!isnan(seconds))
        print_rate("train", seconds);
    free_network(&network);
    return !isnan(seconds);
}

/* ---- infer ------------------------------------------------------------------------ */

static bool run_inference(void *context)
{
    struct network *network = context;
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    bool done = ursa_forward(network->model, network->x) != NULL;
    ursa_no_grad_end();
    ursa_scope_end(scope);
    return done;
}

bool bench_infer(void)
{
    struct network network = {0};
    double seconds = NAN;
    if (make_network(&network)) {
        ursa_train_mode(network.model, false);
        seconds = bench_median(run_inference, &network, 0.1);
    }
    if (!isnan(seconds))
        print_rate("infer", seconds);
    free_network(&network);
    return !isnan(seconds);
}
