/* tape.h — what a node of the tape holds; for tape.c and backward.c. */
#ifndef URSA_TENSOR_TAPE_H
#define URSA_TENSOR_TAPE_H

#include "tensor.h"

/* Where the gradient of an input goes: to the node that made it, to a leaf, or
 * (both NULL) nowhere. */
struct ursa_edge {
    ursa_node *node;
    ursa_tensor *leaf;
    ursa_dims shape;
    ursa_dtype dtype;
};

struct ursa_saved {
    ursa_array array; /* holds a reference of the buffer */
    uint64_t version; /* of the buffer when it was saved */
};

struct ursa_node {
    const char *name;
    ursa_backward_step *step;
    uint64_t number;       /* counts up: the inputs of a node have lower ones */
    int references;        /* of its output and of the nodes after it */
    bool played;           /* its backward step has run, and what it needed is gone */
    bool queued;           /* waits in a backward pass */
    ursa_tensor *gradient; /* of the output, gathered so far */
    ursa_node *next;       /* in the list of those being freed */
    int edge_count, saved_count;
    struct ursa_edge *edges;
    struct ursa_saved *saved;
    void *extra;
};

/* Drops what the step needed. */
void ursa_node_forget(ursa_node *node);

#endif
