/* container.c — modules made of modules. */
#include "module.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* ---- sequential ----------------------------------------------------------- */

static ursa_tensor *sequential_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)state;
    for (int i = 0; x && i < ursa_children(module); i++)
        x = ursa_forward(ursa_child(module, i), x);
    return x;
}

static const ursa_module_class sequential_class = {
    .kind = "sequential",
    .forward = sequential_forward,
};

bool ursa_nn_append(ursa_module *sequential, ursa_module *child)
{
    if (!sequential || !child) {
        ursa_module_free(child);
        return false;
    }
    char index[16];
    snprintf(index, sizeof index, "%d", ursa_children(sequential));
    return ursa_module_add_child(sequential, ursa_module_is_named(child) ? NULL : index, child);
}

ursa_module *ursa_nn_sequential_of(ursa_module *const *children, int count)
{
    bool whole = true;
    for (int i = 0; i < count; i++)
        whole = whole && children[i];
    ursa_module *module = whole ? ursa_module_new(&sequential_class) : NULL;
    int added = 0;
    while (module && added < count && ursa_nn_append(module, children[added]))
        added++;
    if (module && added == count)
        return module;
    /* The child that could not be added has been freed by append. */
    for (int i = module ? added + 1 : 0; i < count; i++)
        ursa_module_free(children[i]);
    ursa_module_free(module);
    return NULL;
}

/* ---- residual -------------------------------------------------------------- */

struct residual {
    ursa_module *body, *shortcut;
    ursa_activation_fn *activation;
};

static ursa_tensor *residual_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct residual *residual = state;
    ursa_tensor *sum =
        ursa_add(ursa_forward(residual->body, x), residual->shortcut ? ursa_forward(residual->shortcut, x) : x);
    return residual->activation ? residual->activation(sum) : sum;
}

static const ursa_module_class residual_class = {
    .kind = "residual",
    .size = sizeof(struct residual),
    .forward = residual_forward,
};

ursa_module *ursa_nn_residual(ursa_module *body, ursa_module *shortcut, const char *activation)
{
    void *state = NULL;
    ursa_activation_fn *function = activation ? ursa_activation_by_name(activation) : NULL;
    bool fits = body && (!activation || function) && !ursa_error();
    ursa_module *module = fits ? ursa_module_make(&residual_class, &state) : NULL;
    if (!module) {
        ursa_module_free(body);
        ursa_module_free(shortcut);
        return NULL;
    }
    *(struct residual *)state = (struct residual){body, shortcut, function};
    bool added = ursa_module_add_child(module, "", body);
    if (!added)
        ursa_module_free(shortcut);
    else if (shortcut)
        added = ursa_module_add_child(module, "downsample", shortcut);
    if (!added) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}
