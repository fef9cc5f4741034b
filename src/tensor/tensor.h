/* tensor.h — tensors from inside the library: what one is, how operators make
 * them, and how they are recorded for the gradient.
 */
#ifndef URSA_TENSOR_TENSOR_H
#define URSA_TENSOR_TENSOR_H

#include <ursa/tensor.h>
#include "device/ops.h"

/* Three kinds of owners may hold a tensor: the scope it was made in, users by
 * ursa_keep(), and the library (a tape, a .grad). It goes with the last. */
struct ursa_tensor {
    ursa_array array; /* holds a reference of the buffer */
    int references;   /* of the library */
    int kept;         /* by ursa_keep() */
    bool requires_grad;
    struct ursa_node *node;      /* what made it; NULL for a leaf, or when unrecorded */
    ursa_tensor *grad;           /* of a leaf */
    ursa_scope *scope;           /* NULL when none holds it */
    ursa_tensor *before, *after; /* in that scope */
};

/* ---- making --------------------------------------------------------------- */

/* A tensor of the current scope with memory of its own, uninitialised. */
ursa_tensor *ursa_tensor_new(ursa_device *device, ursa_dtype dtype, ursa_dims shape);
/* A tensor of the current scope over part of the memory of another. */
ursa_tensor *ursa_tensor_view(const ursa_tensor *base, int ndim, const int64_t *shape, const int64_t *stride,
                              int64_t offset);
/* The same elements as `array`, whose buffer is retained. */
ursa_tensor *ursa_tensor_of(const ursa_array *array);

/* The library's own references. Takes NULL. */
ursa_tensor *ursa_tensor_retain(ursa_tensor *tensor);
void ursa_tensor_release(ursa_tensor *tensor);

/* Ends a scope opened by a function, promoting its result where that was made
 * within. Returns the result. */
ursa_tensor *ursa_leave(ursa_scope *scope, ursa_tensor *result);

/* Must be called by whoever writes to a tensor's memory behind the back of the
 * functions of tensor.h (optimizer steps), so that a tape which saved it
 * notices. */
void ursa_tensor_changed(ursa_tensor *tensor);

/* Overwrites a contiguous tensor of floats with random numbers; see ursa_random_args. */
bool ursa_random_(ursa_tensor *to, ursa_random_kind kind, double a, double b, ursa_rng *rng);

/* ---- shapes --------------------------------------------------------------- */

static inline ursa_dims ursa_array_dims(const ursa_array *array)
{
    ursa_dims dims = {.ndim = array->ndim};
    for (int i = 0; i < array->ndim; i++)
        dims.dim[i] = array->shape[i];
    return dims;
}

static inline bool ursa_same_dims(const ursa_dims *a, const ursa_dims *b)
{
    if (a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

static inline int64_t ursa_dims_count(const ursa_dims *dims)
{
    int64_t count = 1;
    for (int i = 0; i < dims->ndim; i++)
        count *= dims->dim[i];
    return count;
}

/* The axis counted from the front, or -1 with an error in the name of
 * `function`. */
int ursa_find_axis(const char *function, const ursa_tensor *x, int axis);
/* Marks the axes to reduce in `reduced`; none given means all. */
bool ursa_find_axes(const char *function, const ursa_tensor *x, ursa_dims axes, bool reduced[URSA_MAX_DIMS]);
/* The shape both broadcast to; false with an error. */
bool ursa_broadcast(const char *function, ursa_dims x, ursa_dims y, ursa_dims *out);
/* `array` stretched to a shape it broadcasts to, by zero strides. */
ursa_array ursa_stretch(const ursa_array *array, const ursa_dims *shape);
/* The type both are promoted to. */
ursa_dtype ursa_promote_types(ursa_dtype x, ursa_dtype y);
/* That x and y are on one device. */
bool ursa_same_device(const char *function, const ursa_tensor *x, const ursa_tensor *y, const char *y_name);

/* ---- operands -------------------------------------------------------------- */

/* x itself, or an unrecorded copy in the current scope that is contiguous and
 * of the type. The tape sees through it, since gradients are converted to the
 * type of the tensor they belong to. */
ursa_tensor *ursa_dense(ursa_tensor *x);
ursa_tensor *ursa_typed(ursa_tensor *x, ursa_dtype dtype);
ursa_tensor *ursa_dense_typed(ursa_tensor *x, ursa_dtype dtype);

/* Whether one owner holds a tensor and nothing else its memory, all of which is
 * contiguous: then it may be written over. */
bool ursa_is_sole(const ursa_tensor *tensor);
/* dy, where a step may compute dx in its place; else a new tensor like it. */
ursa_tensor *ursa_reuse(ursa_tensor *dy);

bool ursa_holds_halves(const ursa_tensor *x);
/* The type in which activations like x are computed: its own, of floats; else f32. */
ursa_dtype ursa_activation_type(const ursa_tensor *x);
/* x as a factor beside activations of a type: itself where it has that type or
 * f32, since products round what they read; else an unrecorded copy in f32. */
ursa_tensor *ursa_factor(ursa_tensor *x, ursa_dtype dtype);

/* Sums x over the axes along which `shape` was broadcast to make it: straight
 * to f32 where a half type is to become that. */
ursa_tensor *ursa_sum_to(ursa_tensor *x, ursa_dims shape, ursa_dtype dtype);

/* ---- statistics found on the way ------------------------------------------- */

/* Mean and biased variance of a tensor over all axes but the last, in f32 and unrecorded. */
typedef struct ursa_channel_moments {
    ursa_tensor *mean, *var;
} ursa_channel_moments;

/* ursa_conv2d_opt(), and the moments of what it returns, before the activation: tensors of the current scope. */
ursa_tensor *ursa_conv2d_moments(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options,
                                 ursa_channel_moments *moments);
/* ursa_batch_norm_then() of an x whose moments are known; those of training only, NULL where they are not. */
ursa_tensor *ursa_batch_norm_known(ursa_tensor *x, const ursa_channel_moments *known, ursa_tensor *scale,
                                   ursa_tensor *shift, ursa_tensor *running_mean, ursa_tensor *running_var,
                                   ursa_tensor *residual, ursa_activation_fn *activation, bool training,
                                   double momentum, double eps);

/* ---- the tape ---------------------------------------------------------------
 *
 * A node stands for one call of a function. It holds edges to where the
 * gradients of its inputs go, and the arrays its backward step needs. Arrays,
 * not tensors: so the output of a function can be saved by the function's own
 * node without a circle of references.
 */
typedef struct ursa_node ursa_node;

/* Computes the gradients of the inputs from dy, that of the output: sets
 * dx[i] for every input with ursa_node_wants(node, i), which start as NULL (a
 * NULL that stays is a gradient of zero). It runs in a scope of its own, with
 * nothing recorded. dx[i] may have the broadcast shape of the output, and
 * another float type: it is summed and converted to those of the input. False
 * after an error. */
typedef bool ursa_backward_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx);

/* Records a call of the function `name`: NULL where nothing has to be
 * recorded, which is no error. `inputs` may hold NULLs. `saves` arrays can be
 * saved, and `extra` bytes are the step's own. Attach it with
 * ursa_node_attach(); until then nothing of it is visible. */
ursa_node *ursa_node_new(const char *name, ursa_backward_step *step, int count, ursa_tensor *const *inputs, int saves,
                         size_t extra);
#define URSA_RECORD(name, step, saves, extra, ...)                                                                     \
    ursa_node_new(name, step, (int)(sizeof((ursa_tensor *[]){__VA_ARGS__}) / sizeof(ursa_tensor *)),                   \
                  (ursa_tensor *[]){__VA_ARGS__}, saves, extra)
/* Whether a function of these inputs will be recorded. */
bool ursa_will_record(int count, ursa_tensor *const *inputs);

/* All take a NULL node. */
void ursa_node_save(ursa_node *node, int slot, const ursa_tensor *tensor);
/* Returns `output`, which it makes the node's; frees the node where output is
 * NULL. */
ursa_tensor *ursa_node_attach(ursa_node *node, ursa_tensor *output);

/* For steps. A saved tensor belongs to the step's scope; an error when it was
 * changed in place since. NULL where nothing was saved in the slot. */
ursa_tensor *ursa_node_saved(const ursa_node *node, int slot);
bool ursa_node_wants(const ursa_node *node, int input);
ursa_dims ursa_node_shape(const ursa_node *node, int input); /* of an input */
/* The type that a product gives its gradient to an input in: f32 where the
 * input is, or is of another type than dy, else that of dy. */
ursa_dtype ursa_node_type(const ursa_node *node, int input, const ursa_tensor *dy);
void *ursa_node_extra(const ursa_node *node);

/* Frees a reference to a node, and all before it that nobody else holds. */
void ursa_node_release(ursa_node *node);

/* How deep in ursa_no_grad_begin() this thread is. */
int ursa_no_grad_depth(void);

#endif
