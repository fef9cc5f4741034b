/* test_networks.c — logits of every architecture against torchvision's, for weights
 * that a formula makes from their names; see make_networks.py. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 16 };

/* ---- the formula of make_networks.py ---------------------------------------------- */

static uint32_t hash(const char *name)
{
    uint32_t seed = 2166136261u;
    for (; *name; name++)
        seed = (seed ^ (uint8_t)*name) * 16777619u;
    return seed;
}

/* Number `index` of a name, in [-1, 1). */
static double noise(uint32_t seed, int64_t index)
{
    uint32_t x = (uint32_t)index * 0x9E3779B9u + seed;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return x / 0x1p31 - 1;
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static float value(const char *name, double u, int ndim, double fan_in, double gain)
{
    if (ends_in(name, "running_var"))
        return (float)(1 + 0.4 * u);
    if (ends_in(name, "running_mean") || ends_in(name, "bias"))
        return (float)(0.2 * u);
    if (ndim == 1)
        return (float)(gain * (1 + 0.2 * u));
    return (float)(strcmp(name, "input") == 0 ? u : u * sqrt(6 / fan_in));
}

/* The numbers of a tensor in our layout; the formula counts in PyTorch's. */
static float *numbers(const char *name, ursa_dims shape, double gain)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape.ndim; axis++)
        count *= shape.dim[axis];
    float *out = malloc((size_t)count * sizeof *out);
    int64_t channels = shape.dim[3], field = shape.dim[1] * shape.dim[2];
    double fan_in = (double)count / (double)shape.dim[0];
    uint32_t seed = hash(name);
    for (int64_t i = 0; i < count; i++) {
        int64_t torch = i;
        if (shape.ndim == 4)
            torch = (i / (channels * field) * channels + i % channels) * field + i / channels % field;
        out[i] = value(name, noise(seed, torch), shape.ndim, fan_in, gain);
    }
    return out;
}

static void fill(ursa_module *network, double gain)
{
    const ursa_parameter *list;
    int count = ursa_parameters(network, &list);
    ursa_no_grad_begin();
    for (int i = 0; i < count; i++) {
        float *values = numbers(list[i].name, ursa_dims_of(list[i].tensor), gain);
        assert_true(ursa_write_(list[i].tensor, URSA_F32, values, ursa_count(list[i].tensor)));
        free(values);
    }
    ursa_no_grad_end();
}

/* ---- comparing ---------------------------------------------------------------------- */

/* Within 1e-4 of the largest: each logit is a sum of terms of either sign. */
static void assert_logits(const ursa_safetensors *file, const char *arch, ursa_module *network, int size)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%d", arch, size);
    const ursa_stored_tensor *stored = ursa_safetensors_find(file, name);
    assert_non_null(stored);
    ursa_scope *scope = ursa_scope_begin();
    ursa_dims shape = ursa_shape(1, size, size, 3);
    float *pixels = numbers("input", shape, 1), found[CLASSES];
    ursa_no_grad_begin();
    ursa_tensor *logits = ursa_forward(network, ursa_from(pixels, shape));
    ursa_no_grad_end();
    assert_true(ursa_read(logits, URSA_F32, found, CLASSES));
    const float *expected = stored->data;
    float largest = 0, off = 0;
    for (int i = 0; i < CLASSES; i++) {
        largest = fmaxf(largest, fabsf(expected[i]));
        off = fmaxf(off, fabsf(found[i] - expected[i]));
    }
    if (!(off <= 1e-4f * largest))
        fail_msg("%s: off by %g, the largest logit is %g", name, (double)off, (double)largest);
    free(pixels);
    ursa_scope_end(scope);
}

/* ---- what the registry promises ----------------------------------------------------- */

/* Figures of torchvision's models, where it has them; fastai's and the Python
 * package's for the others. The last layer is made for fewer classes here. */
static void assert_parameters(const ursa_arch *arch, ursa_module *network)
{
    const ursa_parameter *list;
    int count = ursa_parameters(network, &list);
    int64_t last = ursa_count(list[count - 2].tensor) + ursa_count(list[count - 1].tensor);
    int64_t found = ursa_parameter_count(network) + last / CLASSES * (1000 - CLASSES);
    assert_int_equal(ursa_dim(list[count - 1].tensor, 0), CLASSES);
    if (found != arch->parameters)
        fail_msg("%s: %lld parameters, expected %lld", arch->name, (long long)found, (long long)arch->parameters);
}

/* The body ends in so many channels, and the second group of parameters begins at
 * one of its children. */
static void assert_body(const ursa_arch *arch)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_module *body = ursa_arch_body(arch, 3, NULL);
    assert_int_equal(ursa_children(body), arch->cut);
    int found = 0;
    for (int child = 1; arch->split && child < ursa_children(body); child++)
        found += strcmp(ursa_module_name(ursa_child(body, child)), arch->split) == 0;
    if (found != (arch->split ? 1 : 0))
        fail_msg("%s: %d children named %s", arch->name, found, arch->split);
    ursa_train_mode(body, false);
    ursa_no_grad_begin();
    ursa_tensor *features = ursa_forward(body, ursa_zeros(ursa_shape(1, 64, 64, 3)));
    ursa_no_grad_end();
    if (ursa_dim(features, 3) != arch->features)
        fail_msg("%s: %lld features, expected %d", arch->name, (long long)ursa_dim(features, 3), arch->features);
    ursa_module_free(body);
    ursa_scope_end(scope);
}

/* ---- all of them ---------------------------------------------------------------------- */

/* The mean scale of batch norms. */
static double gain_of(const char *arch)
{
    return strstr(arch, "resnet") ? 0.75 : 1;
}

static void test_networks(void **state)
{
    (void)state;
    ursa_safetensors *file = ursa_safetensors_open(FIXTURES);
    for (int i = 0; i < ursa_arch_count(); i++) {
        const ursa_arch *arch = ursa_arch_at(i);
        ursa_module *network = arch->make(3, CLASSES);
        assert_parameters(arch, network);
        fill(network, gain_of(arch->name));
        ursa_train_mode(network, false);
        assert_logits(file, arch->name, network, 64);
        assert_logits(file, arch->name, network, 224);
        ursa_module_free(network);
        if (arch->cut)
            assert_body(arch);
    }
    assert_int_equal(ursa_safetensors_count(file), 2 * ursa_arch_count());
    ursa_safetensors_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_networks)};
    return run_unit_tests("networks", tests);
}
