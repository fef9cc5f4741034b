/* tape.c — the nodes of the tape: recording a call, and letting it go. */
#include "tape.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/backend.h"
#include <stdlib.h>

static _Thread_local struct {
    int no_grad;
    uint64_t next; /* the number of the next node */
} thread;

void ursa_no_grad_begin(void)
{
    thread.no_grad++;
}

void ursa_no_grad_end(void)
{
    if (thread.no_grad)
        thread.no_grad--;
    else
        ursa_fail(URSA_ERROR_STATE, "no_grad_end: there was no ursa_no_grad_begin()");
}

int ursa_no_grad_depth(void)
{
    return thread.no_grad;
}

/* ---- recording --------------------------------------------------------------------- */

bool ursa_will_record(int count, ursa_tensor *const *inputs)
{
    if (thread.no_grad)
        return false;
    for (int i = 0; i < count; i++)
        if (inputs[i] && inputs[i]->requires_grad)
            return true;
    return false;
}

static size_t padded(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

static void set_edge(struct ursa_edge *edge, ursa_tensor *input)
{
    edge->shape = ursa_array_dims(&input->array);
    edge->dtype = input->array.dtype;
    if (!input->requires_grad)
        return;
    edge->node = input->node;
    if (edge->node)
        edge->node->references++;
    else
        edge->leaf = ursa_tensor_retain(input);
}

ursa_node *ursa_node_new(const char *name, ursa_backward_step *step, int count, ursa_tensor *const *inputs, int saves,
                         size_t extra)
{
    if (!ursa_will_record(count, inputs))
        return NULL;
    size_t edges = padded((size_t)count * sizeof(struct ursa_edge));
    size_t saved = padded((size_t)saves * sizeof(struct ursa_saved));
    char *memory = ursa_alloc(padded(sizeof(ursa_node)) + edges + saved + extra);
    if (!memory)
        return NULL;
    ursa_node *node = (ursa_node *)memory;
    node->name = name;
    node->step = step;
    node->number = thread.next++;
    node->references = 1;
    node->edge_count = count;
    node->edges = (struct ursa_edge *)(memory + padded(sizeof *node));
    node->saved_count = saves;
    node->saved = (struct ursa_saved *)(memory + padded(sizeof *node) + edges);
    node->extra = memory + padded(sizeof *node) + edges + saved;
    for (int i = 0; i < count; i++)
        if (inputs[i])
            set_edge(&node->edges[i], inputs[i]);
    return node;
}

void ursa_node_save(ursa_node *node, int slot, const ursa_tensor *tensor)
{
    if (!node || !tensor)
        return;
    node->saved[slot].array = tensor->array;
    node->saved[slot].version = tensor->array.buffer->version;
    ursa_buffer_retain(tensor->array.buffer);
}

ursa_tensor *ursa_node_attach(ursa_node *node, ursa_tensor *output)
{
    if (!node)
        return output;
    if (!output) {
        ursa_node_release(node);
        return NULL;
    }
    output->node = node;
    output->requires_grad = true;
    return output;
}

/* ---- what steps ask -------------------------------------------------------------------- */

ursa_tensor *ursa_node_saved(const ursa_node *node, int slot)
{
    const struct ursa_saved *saved = &node->saved[slot];
    if (!saved->array.buffer)
        return NULL;
    if (saved->version != saved->array.buffer->version) {
        ursa_fail(URSA_ERROR_STATE, "backward: a tensor %s that %s needs was changed in place since",
                  ursa_shape_text(saved->array.ndim, saved->array.shape).text, node->name);
        return NULL;
    }
    return ursa_tensor_of(&saved->array);
}

bool ursa_node_wants(const ursa_node *node, int input)
{
    return node->edges[input].node || node->edges[input].leaf;
}

ursa_dims ursa_node_shape(const ursa_node *node, int input)
{
    return node->edges[input].shape;
}

ursa_dtype ursa_node_type(const ursa_node *node, int input, const ursa_tensor *dy)
{
    return node->edges[input].dtype == dy->array.dtype ? dy->array.dtype : URSA_F32;
}

void *ursa_node_extra(const ursa_node *node)
{
    return node->extra;
}

/* ---- letting go --------------------------------------------------------------------------- */

void ursa_node_forget(ursa_node *node)
{
    for (int i = 0; i < node->saved_count; i++) {
        ursa_buffer_release(node->saved[i].array.buffer);
        node->saved[i].array.buffer = NULL;
    }
}

/* A tape can be as long as a program runs: so nodes that go with this one are
 * kept in a list instead of on the stack. */
void ursa_node_release(ursa_node *node)
{
    ursa_node *doomed = NULL;
    if (node && --node->references == 0)
        doomed = node;
    while (doomed) {
        node = doomed;
        doomed = node->next;
        ursa_node_forget(node);
        ursa_tensor_release(node->gradient);
        for (int i = 0; i < node->edge_count; i++) {
            ursa_node *parent = node->edges[i].node;
            ursa_tensor_release(node->edges[i].leaf);
            if (parent && --parent->references == 0) {
                parent->next = doomed;
                doomed = parent;
            }
        }
        free(node);
    }
}
