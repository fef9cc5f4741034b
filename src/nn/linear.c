/* linear.c — fully connected layers and embeddings: a weight times the last axis. */
#include "module.h"

#include <stdio.h>

struct linear {
    ursa_tensor *weight, *bias;
};

static ursa_tensor *linear_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct linear *linear = state;
    return ursa_linear(x, linear->weight, linear->bias);
}

static void linear_describe(ursa_module *module, void *state, char *text, size_t size)
{
    (void)module;
    const struct linear *linear = state;
    snprintf(text, size, "linear(%lld → %lld%s)", (long long)ursa_dim(linear->weight, 1),
             (long long)ursa_dim(linear->weight, 0), linear->bias ? "" : ", no bias");
}

static const ursa_module_class linear_class = {
    .kind = "linear",
    .size = sizeof(struct linear),
    .forward = linear_forward,
    .describe = linear_describe,
};

ursa_module *ursa_nn_linear_opt(int in, int out, const ursa_layer_options *options)
{
    if (in < 1 || out < 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "linear: %d features in and %d out; both must be 1 or more", in, out);
        return NULL;
    }
    void *state;
    ursa_module *module = ursa_module_make(&linear_class, &state);
    struct linear *linear = state;
    if (!module)
        return NULL;
    linear->weight = ursa_module_new_parameter(module, "weight", ursa_shape(out, in));
    linear->bias = options->no_bias ? NULL : ursa_module_new_parameter(module, "bias", ursa_shape(out));
    if (!ursa_init_layer(linear->weight, linear->bias) || (!options->no_bias && !linear->bias)) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}

/* ---- embedding ---------------------------------------------------------- */

struct embedding {
    ursa_tensor *weight;
};

static ursa_tensor *embedding_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct embedding *embedding = state;
    return ursa_embedding(embedding->weight, x);
}

static void embedding_describe(ursa_module *module, void *state, char *text, size_t size)
{
    (void)module;
    const struct embedding *embedding = state;
    snprintf(text, size, "embedding(%lld, %lld features)", (long long)ursa_dim(embedding->weight, 0),
             (long long)ursa_dim(embedding->weight, 1));
}

static const ursa_module_class embedding_class = {
    .kind = "embedding",
    .size = sizeof(struct embedding),
    .forward = embedding_forward,
    .describe = embedding_describe,
};

ursa_module *ursa_nn_embedding(int64_t count, int features)
{
    if (count < 1 || features < 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "embedding: %lld entries of %d features; both must be 1 or more",
                  (long long)count, features);
        return NULL;
    }
    void *state;
    ursa_module *module = ursa_module_make(&embedding_class, &state);
    struct embedding *embedding = state;
    if (!module)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    embedding->weight = ursa_normal(ursa_shape(count, features), .rng = ursa_stream(URSA_PURPOSE_INIT));
    bool made = ursa_module_add_parameter(module, "weight", embedding->weight);
    ursa_scope_end(scope);
    if (!made) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}
