/* backward.c — playing the tape from the end: gradients of leaves.
 *
 * Nodes wait in a heap by their numbers. A node's inputs have lower numbers, so
 * the highest that waits has got all the gradients it will get.
 */
#include "scope.h"
#include "tape.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/backend.h"
#include <stdlib.h>

/* ---- the heap ------------------------------------------------------------------------ */

struct heap {
    ursa_node **nodes;
    int64_t count, capacity;
};

/* Takes a reference of the node. */
static bool heap_push(struct heap *heap, ursa_node *node)
{
    if (heap->count == heap->capacity) {
        int64_t capacity = heap->capacity ? 2 * heap->capacity : 64;
        ursa_node **grown = ursa_grow(heap->nodes, (size_t)capacity * sizeof(ursa_node *));
        if (!grown)
            return false;
        heap->nodes = grown;
        heap->capacity = capacity;
    }
    int64_t place = heap->count++;
    while (place > 0 && heap->nodes[(place - 1) / 2]->number < node->number) {
        heap->nodes[place] = heap->nodes[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    heap->nodes[place] = node;
    node->queued = true;
    node->references++;
    return true;
}

/* Hands the reference over. */
static ursa_node *heap_pop(struct heap *heap)
{
    ursa_node *top = heap->nodes[0], *last = heap->nodes[--heap->count];
    int64_t place = 0;
    for (;;) {
        int64_t child = 2 * place + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->nodes[child + 1]->number > heap->nodes[child]->number)
            child++;
        if (heap->nodes[child]->number < last->number)
            break;
        heap->nodes[place] = heap->nodes[child];
        place = child;
    }
    heap->nodes[place] = last;
    top->queued = false;
    return top;
}

static void heap_drop(struct heap *heap)
{
    for (int64_t i = 0; i < heap->count; i++) {
        ursa_node *node = heap->nodes[i];
        node->queued = false;
        ursa_tensor_release(node->gradient);
        node->gradient = NULL;
        ursa_node_release(node);
    }
    free(heap->nodes);
}

/* ---- gathering gradients ---------------------------------------------------------------- */

bool ursa_is_sole(const ursa_tensor *tensor)
{
    int holders = tensor->references + tensor->kept + (tensor->scope != NULL);
    return holders == 1 && tensor->array.buffer->references == 1 && ursa_array_is_contiguous(&tensor->array);
}

/* *sum += part, in the memory of one of them where nobody else looks at it. */
static bool gather(ursa_tensor **sum, ursa_tensor *part)
{
    if (!*sum) {
        *sum = ursa_tensor_retain(part);
        return true;
    }
    if (ursa_is_sole(*sum))
        return ursa_add_(*sum, part, 1);
    ursa_tensor *total = part;
    if (!ursa_is_sole(part))
        total = ursa_add(*sum, part);
    else if (!ursa_add_(part, *sum, 1))
        total = NULL;
    ursa_tensor_release(*sum);
    *sum = ursa_tensor_retain(total);
    return total != NULL;
}

/* A leaf's gradient is memory of its own, since its owner may change it. */
static bool gather_leaf(ursa_tensor *leaf, ursa_tensor *part)
{
    if (leaf->grad)
        return ursa_add_(leaf->grad, part, 1);
    leaf->grad = ursa_tensor_retain(ursa_is_sole(part) ? part : ursa_clone(part));
    return leaf->grad != NULL;
}

/* Passes the gradient of an input on to where it belongs. */
static bool deposit(struct heap *heap, const struct ursa_edge *edge, ursa_tensor *gradient)
{
    gradient = ursa_typed(ursa_sum_to(gradient, edge->shape, edge->dtype), edge->dtype);
    if (!gradient)
        return false;
    if (edge->leaf)
        return gather_leaf(edge->leaf, gradient);
    return gather(&edge->node->gradient, gradient) && (edge->node->queued || heap_push(heap, edge->node));
}

/* ---- playing -------------------------------------------------------------------------------- */

static bool fail_played(const ursa_node *node)
{
    return ursa_fail(URSA_ERROR_STATE,
                     "backward: the gradient of %s was computed before, and what it needs has been released; "
                     "compute the tensor again",
                     node->name);
}

/* Runs the step of a node and hands on what it gives. `dx` has a place for
 * every input. */
static bool play_step(struct heap *heap, ursa_node *node, ursa_tensor **dx)
{
    ursa_tensor *dy = node->gradient;
    node->gradient = NULL;
    dy->references--;
    if (!dy->scope)
        ursa_scope_adopt(dy); /* so that a step can tell whether dy is free to be written over */
    if (!node->step(node, dy, dx))
        return false;
    node->played = true;
    ursa_node_forget(node);
    for (int i = 0; i < node->edge_count; i++)
        if (dx[i] && !deposit(heap, &node->edges[i], dx[i]))
            return false;
    return true;
}

static bool play(struct heap *heap, ursa_node *node)
{
    enum { FEW = 8 };
    ursa_tensor *few[FEW] = {NULL}, **dx = few;
    if (node->played)
        return fail_played(node);
    if (node->edge_count > FEW)
        dx = ursa_alloc_array((size_t)node->edge_count, sizeof(ursa_tensor *));
    if (!dx)
        return false;
    ursa_scope *scope = ursa_scope_begin();
    bool done = play_step(heap, node, dx);
    ursa_scope_end(scope);
    if (dx != few)
        free(dx);
    return done;
}

static bool play_from(ursa_node *node, ursa_tensor *gradient)
{
    struct heap heap = {NULL};
    bool done = gather(&node->gradient, gradient) && heap_push(&heap, node);
    while (done && heap.count) {
        ursa_node *next = heap_pop(&heap);
        done = play(&heap, next);
        ursa_tensor_release(next->gradient);
        next->gradient = NULL;
        ursa_node_release(next);
    }
    heap_drop(&heap);
    return done;
}

bool ursa_backward_from(ursa_tensor *tensor, ursa_tensor *gradient)
{
    if (!tensor || !gradient)
        return false;
    if (!tensor->requires_grad)
        return ursa_fail(URSA_ERROR_STATE, "backward: the tensor does not depend on one that requires a gradient");
    ursa_dims shape = ursa_array_dims(&tensor->array), given = ursa_array_dims(&gradient->array);
    if (!ursa_same_dims(&shape, &given))
        return ursa_fail(URSA_ERROR_SHAPE, "backward: the gradient is %s, expected %s as the tensor",
                         ursa_shape_text(given.ndim, given.dim).text, ursa_shape_text(shape.ndim, shape.dim).text);
    if (tensor->node && tensor->node->played)
        return fail_played(tensor->node);
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    ursa_tensor *held = ursa_tensor_retain(gradient); /* the caller's: no step may write over it */
    gradient = ursa_typed(gradient, tensor->array.dtype);
    bool done = gradient && (tensor->node ? play_from(tensor->node, gradient) : gather_leaf(tensor, gradient));
    ursa_tensor_release(held);
    ursa_no_grad_end();
    ursa_scope_end(scope);
    return done;
}

bool ursa_backward(ursa_tensor *scalar)
{
    if (!scalar)
        return false;
    if (ursa_count(scalar) != 1)
        return ursa_fail(URSA_ERROR_SHAPE, "backward: the tensor is %s, expected one element; see ursa_backward_from()",
                         ursa_shape_text(scalar->array.ndim, scalar->array.shape).text);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *one =
        ursa_full(ursa_dims_of(scalar), 1, .dtype = scalar->array.dtype, .device = ursa_device_of(scalar));
    bool done = ursa_backward_from(scalar, one);
    ursa_scope_end(scope);
    return done;
}

/* ---- leaves ------------------------------------------------------------------------------------- */

ursa_tensor *ursa_requires_grad(ursa_tensor *tensor, bool required)
{
    if (!tensor)
        return NULL;
    if (required && !ursa_dtype_is_float(tensor->array.dtype)) {
        ursa_fail(URSA_ERROR_TYPE, "requires_grad: the tensor is %s, expected a float type",
                  ursa_dtype_name(tensor->array.dtype));
        return NULL;
    }
    if (!required && tensor->node) {
        ursa_fail(URSA_ERROR_STATE, "requires_grad: the tensor was computed from one that requires a gradient; "
                                    "ursa_detach() gives one that does not");
        return NULL;
    }
    tensor->requires_grad = required;
    return tensor;
}

bool ursa_has_grad(const ursa_tensor *tensor)
{
    return tensor && tensor->requires_grad;
}

ursa_tensor *ursa_grad(const ursa_tensor *leaf)
{
    return leaf ? leaf->grad : NULL;
}

void ursa_zero_grad(ursa_tensor *leaf)
{
    if (!leaf)
        return;
    ursa_tensor_release(leaf->grad);
    leaf->grad = NULL;
}

ursa_tensor *ursa_detach(ursa_tensor *tensor)
{
    return tensor ? ursa_tensor_of(&tensor->array) : NULL;
}
