/* plain.c — layers without parameters: activations, dropout, flatten, functions. */
#include "module.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct function {
    char *name;
    ursa_tensor *(*call)(ursa_tensor *x);
};

static ursa_tensor *function_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    return ((const struct function *)state)->call(x);
}

static void function_describe(ursa_module *module, void *state, char *text, size_t size)
{
    (void)module;
    snprintf(text, size, "%s", ((const struct function *)state)->name);
}

static void function_free(void *state)
{
    free(((struct function *)state)->name);
}

static const ursa_module_class function_class = {
    .kind = "function",
    .size = sizeof(struct function),
    .forward = function_forward,
    .describe = function_describe,
    .free = function_free,
};

ursa_activation_fn *ursa_function_of(ursa_module *module)
{
    bool is_function = module && strcmp(ursa_module_kind(module), function_class.kind) == 0;
    return is_function ? ((const struct function *)ursa_module_state(module))->call : NULL;
}

ursa_module *ursa_nn_function(const char *name, ursa_tensor *(*function)(ursa_tensor *x))
{
    if (!function)
        return NULL;
    void *state;
    ursa_module *module = ursa_module_make(&function_class, &state);
    struct function *wrapped = state;
    if (!module)
        return NULL;
    *wrapped = (struct function){ursa_copy_string(name), function};
    if (!wrapped->name) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}

ursa_module *ursa_nn_activation(const char *name)
{
    return ursa_nn_function(name, ursa_activation_by_name(name));
}

static ursa_tensor *flatten(ursa_tensor *x)
{
    return ursa_flatten(x, 1, -1);
}

ursa_module *ursa_nn_flatten(void)
{
    return ursa_nn_function("flatten", flatten);
}

static ursa_tensor *flatten_channels_first(ursa_tensor *x)
{
    return ursa_flatten(ursa_permute(x, ursa_shape(0, 3, 1, 2)), 1, -1);
}

ursa_module *ursa_nn_flatten_channels_first(void)
{
    return ursa_nn_function("flatten_channels_first", flatten_channels_first);
}

static ursa_tensor *identity(ursa_tensor *x)
{
    return x;
}

ursa_module *ursa_nn_identity(void)
{
    return ursa_nn_function("identity", identity);
}

/* ---- dropout ------------------------------------------------------------ */

struct dropout {
    double p;
};

static ursa_tensor *dropout_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    const struct dropout *dropout = state;
    if (!ursa_is_training(module) || dropout->p == 0)
        return x;
    return ursa_dropout(x, dropout->p, ursa_stream(URSA_PURPOSE_DROPOUT));
}

/* One random number for each item. */
static ursa_tensor *drop_path_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    const struct dropout *dropout = state;
    if (!ursa_is_training(module) || dropout->p == 0)
        return x;
    ursa_dims shape = ursa_dims_of(x);
    for (int axis = 1; axis < shape.ndim; axis++)
        shape.dim[axis] = 1;
    ursa_tensor *ones = ursa_ones(shape, .dtype = ursa_dtype_of(x), .device = ursa_device_of(x));
    return ursa_mul(x, ursa_dropout(ones, dropout->p, ursa_stream(URSA_PURPOSE_DROPOUT)));
}

static void dropout_describe(ursa_module *module, void *state, char *text, size_t size)
{
    snprintf(text, size, "%s(%g)", ursa_module_kind(module), ((const struct dropout *)state)->p);
}

static const ursa_module_class dropout_class = {
    .kind = "dropout",
    .size = sizeof(struct dropout),
    .forward = dropout_forward,
    .describe = dropout_describe,
};

static const ursa_module_class drop_path_class = {
    .kind = "drop_path",
    .size = sizeof(struct dropout),
    .forward = drop_path_forward,
    .describe = dropout_describe,
};

static ursa_module *make_dropout(const ursa_module_class *class, double p)
{
    if (!(p >= 0 && p < 1)) {
        ursa_fail(URSA_ERROR_ARGUMENT, "%s: p is %g; it must be 0 or more, and below 1", class->kind, p);
        return NULL;
    }
    void *state;
    ursa_module *module = ursa_module_make(class, &state);
    if (module)
        ((struct dropout *)state)->p = p;
    return module;
}

ursa_module *ursa_nn_dropout(double p)
{
    return make_dropout(&dropout_class, p);
}

ursa_module *ursa_nn_drop_path(double p)
{
    return make_dropout(&drop_path_class, p);
}
