/* chain.c — modules one after the other, and which of them are computed together. */
#include "module.h"
#include "tensor/scope.h"

/* The activation behind child `i`, where it is a batch norm's that can be computed with it. */
static ursa_activation_fn *activation_behind(ursa_module *module, int i, int end)
{
    if (i + 1 >= end || !ursa_is_batch_norm(ursa_child(module, i)))
        return NULL;
    ursa_activation_fn *next = ursa_function_of(ursa_child(module, i + 1));
    return next == ursa_relu || next == ursa_relu6 ? next : NULL;
}

/* Runs child *i, and those behind it that can be computed with it; *i moves to the first behind them. */
static ursa_tensor *forward_together(ursa_module *module, int *i, int end, ursa_tensor *x)
{
    ursa_module *child = ursa_child(module, *i);
    ursa_activation_fn *activation = activation_behind(module, *i + 1, end);
    bool together = false;
    ursa_tensor *y = NULL;
    if (*i + 1 < end)
        y = ursa_forward_conv_norm(child, ursa_child(module, *i + 1), x, activation, &together);
    if (together) {
        *i += activation ? 3 : 2;
        return y;
    }
    activation = activation_behind(module, *i, end);
    *i += activation ? 2 : 1;
    return activation ? ursa_forward_norm_then(child, x, NULL, NULL, activation) : ursa_forward(child, x);
}

static ursa_tensor *forward_watched(ursa_module *module, int first, int end, ursa_tensor *x)
{
    for (int i = first; x && i < end; i++)
        x = ursa_forward(ursa_child(module, i), x);
    return x;
}

ursa_tensor *ursa_forward_chain(ursa_module *module, int first, int end, ursa_tensor *x)
{
    if (ursa_forward_is_watched())
        return forward_watched(module, first, end, x);
    bool ours = false; /* whether x was made by a child, so that nobody else looks for it */
    for (int i = first; x && i < end;) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *y = forward_together(module, &i, end, x);
        bool made = y && y->scope == scope;
        ursa_leave(scope, y);
        if (ours && x != y)
            ursa_tensor_let_go(x);
        ours = made || (ours && x == y);
        x = y;
    }
    return x;
}
