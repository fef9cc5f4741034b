/* container.c — modules made of modules. */
#include "module.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

/* ---- sequential ----------------------------------------------------------- */

static ursa_tensor *sequential_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)state;
    return ursa_forward_chain(module, 0, ursa_children(module), x);
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

/* A container of children that are not named otherwise by their numbers. */
static ursa_module *container_of(const ursa_module_class *class, ursa_module *const *children, int count)
{
    bool whole = true;
    for (int i = 0; i < count; i++)
        whole = whole && children[i];
    ursa_module *module = whole ? ursa_module_new(class) : NULL;
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

ursa_module *ursa_nn_sequential_of(ursa_module *const *children, int count)
{
    return container_of(&sequential_class, children, count);
}

ursa_module *ursa_nn_cut(ursa_module *sequential, int keep)
{
    if (!sequential)
        return NULL;
    if (keep < 0 || keep > ursa_children(sequential)) {
        ursa_fail(URSA_ERROR_ARGUMENT, "cut: there are %d children; %d of them cannot be kept",
                  ursa_children(sequential), keep);
        return NULL;
    }
    ursa_module_drop_children(sequential, keep);
    return sequential;
}

/* ---- concat ---------------------------------------------------------------- */

enum { MOST_BRANCHES = 16 };

static ursa_tensor *concat_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)state;
    ursa_tensor *parts[MOST_BRANCHES];
    int count = ursa_children(module);
    for (int i = 0; i < count; i++) {
        parts[i] = ursa_forward(ursa_child(module, i), x);
        if (!parts[i])
            return NULL;
    }
    return ursa_concat(parts, count, -1);
}

static const ursa_module_class concat_class = {
    .kind = "concat",
    .forward = concat_forward,
};

ursa_module *ursa_nn_concat_of(ursa_module *const *children, int count)
{
    if (count >= 1 && count <= MOST_BRANCHES)
        return container_of(&concat_class, children, count);
    ursa_fail(URSA_ERROR_ARGUMENT, "concat: %d children; expected 1 to %d", count, MOST_BRANCHES);
    for (int i = 0; i < count; i++)
        ursa_module_free(children[i]);
    return NULL;
}

/* ---- residual -------------------------------------------------------------- */

struct residual {
    ursa_module *body, *shortcut;
    ursa_activation_fn *activation;
};

/* The batch norm that a body ends with, to be computed together with the sum; NULL where it does not. */
static ursa_module *last_norm(const ursa_module *body)
{
    ursa_module *last = ursa_child(body, ursa_children(body) - 1);
    bool fuses = strcmp(ursa_module_kind(body), sequential_class.kind) == 0 && last && ursa_is_batch_norm(last);
    return fuses && !ursa_forward_is_watched() ? last : NULL;
}

/* activation(body(x) + shortcut), where the body ends with `norm`. */
static ursa_tensor *forward_with_norm(const struct residual *residual, ursa_module *norm, ursa_tensor *x)
{
    ursa_module *body = residual->body, *before = ursa_child(body, ursa_children(body) - 2);
    ursa_channel_moments moments;
    bool known = before && ursa_gives_moments(before, norm);
    ursa_tensor *y = ursa_forward_chain(body, 0, ursa_children(body) - (known ? 2 : 1), x);
    y = known ? ursa_forward_conv_moments(before, y, &moments) : y;
    ursa_tensor *shortcut = residual->shortcut ? ursa_forward(residual->shortcut, x) : x;
    return ursa_forward_norm_then(norm, y, known ? &moments : NULL, shortcut, residual->activation);
}

static ursa_tensor *forward_apart(const struct residual *residual, ursa_tensor *x)
{
    ursa_tensor *y = ursa_forward(residual->body, x);
    y = ursa_add(y, residual->shortcut ? ursa_forward(residual->shortcut, x) : x);
    return residual->activation ? residual->activation(y) : y;
}

static ursa_tensor *residual_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct residual *residual = state;
    ursa_module *norm = last_norm(residual->body);
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, norm ? forward_with_norm(residual, norm, x) : forward_apart(residual, x));
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
    bool added = ursa_module_add_child(module, ursa_module_is_named(body) ? NULL : "", body);
    if (!added)
        ursa_module_free(shortcut);
    else if (shortcut)
        added = ursa_module_add_child(module, ursa_module_is_named(shortcut) ? NULL : "downsample", shortcut);
    if (!added) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}
