/* pool.c — pooling layers. */
#include "module.h"

#include <stdio.h>

enum pool_kind { MAX, AVERAGE, ADAPTIVE_MAX, ADAPTIVE_AVERAGE, ADAPTIVE_CONCAT };

struct pool {
    enum pool_kind kind;
    int rows, columns; /* of the window or, adaptive, of the output */
    ursa_pool_options options;
};

static ursa_tensor *concat_forward(const struct pool *pool, ursa_tensor *x)
{
    ursa_tensor *halves[] = {ursa_adaptive_max_pool2d(x, pool->rows, pool->columns),
                             ursa_adaptive_avg_pool2d(x, pool->rows, pool->columns)};
    return ursa_concat(halves, 2, -1);
}

static ursa_tensor *pool_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct pool *pool = state;
    switch (pool->kind) {
    case MAX:
        return ursa_max_pool2d_opt(x, pool->rows, pool->columns, &pool->options);
    case AVERAGE:
        return ursa_avg_pool2d_opt(x, pool->rows, pool->columns, &pool->options);
    case ADAPTIVE_MAX:
        return ursa_adaptive_max_pool2d(x, pool->rows, pool->columns);
    case ADAPTIVE_AVERAGE:
        return ursa_adaptive_avg_pool2d(x, pool->rows, pool->columns);
    case ADAPTIVE_CONCAT:
        return concat_forward(pool, x);
    }
    return NULL;
}

static void pool_describe(ursa_module *module, void *state, char *text, size_t size)
{
    const struct pool *pool = state;
    if (pool->kind == MAX || pool->kind == AVERAGE)
        snprintf(text, size, "%s(%d×%d, stride %d, padding %d)", ursa_module_kind(module), pool->rows, pool->columns,
                 ursa_or(pool->options.stride[0], pool->rows), pool->options.padding[0]);
    else
        snprintf(text, size, "%s(%d×%d)", ursa_module_kind(module), pool->rows, pool->columns);
}

static const ursa_module_class classes[] = {
    [MAX] = {"max_pool2d", sizeof(struct pool), pool_forward, pool_describe, NULL},
    [AVERAGE] = {"avg_pool2d", sizeof(struct pool), pool_forward, pool_describe, NULL},
    [ADAPTIVE_MAX] = {"adaptive_max_pool2d", sizeof(struct pool), pool_forward, pool_describe, NULL},
    [ADAPTIVE_AVERAGE] = {"adaptive_avg_pool2d", sizeof(struct pool), pool_forward, pool_describe, NULL},
    [ADAPTIVE_CONCAT] = {"adaptive_concat_pool2d", sizeof(struct pool), pool_forward, pool_describe, NULL},
};

static ursa_module *make(enum pool_kind kind, int rows, int columns, const ursa_layer_options *options)
{
    if (rows < 1 || columns < 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "%s: a size of %d×%d; both must be 1 or more", classes[kind].kind, rows,
                  columns);
        return NULL;
    }
    void *state;
    ursa_module *module = ursa_module_make(&classes[kind], &state);
    struct pool *pool = state;
    if (!module)
        return NULL;
    *pool = (struct pool){.kind = kind, .rows = rows, .columns = columns};
    for (int i = 0; options && i < 2; i++) {
        pool->options.stride[i] = options->stride[i];
        pool->options.padding[i] = options->padding[i];
    }
    if (options) {
        pool->options.ceil = options->ceil;
        pool->options.exclude_padding = options->exclude_padding;
    }
    return module;
}

ursa_module *ursa_nn_max_pool2d_opt(int window, const ursa_layer_options *options)
{
    return make(MAX, ursa_or(options->kernel[0], window), ursa_or(options->kernel[1], window), options);
}

ursa_module *ursa_nn_avg_pool2d_opt(int window, const ursa_layer_options *options)
{
    return make(AVERAGE, ursa_or(options->kernel[0], window), ursa_or(options->kernel[1], window), options);
}

ursa_module *ursa_nn_adaptive_max_pool2d(int rows, int columns)
{
    return make(ADAPTIVE_MAX, rows, columns, NULL);
}

ursa_module *ursa_nn_adaptive_avg_pool2d(int rows, int columns)
{
    return make(ADAPTIVE_AVERAGE, rows, columns, NULL);
}

ursa_module *ursa_nn_adaptive_concat_pool2d(int rows, int columns)
{
    return make(ADAPTIVE_CONCAT, rows, columns, NULL);
}
