/* nn.h — modules: layers with parameters, put together to networks.
 *
 * A module owns its parameters, its buffers (running statistics) and its
 * children, and is freed with ursa_module_free(), which its parent does for
 * it. Makers return NULL, with an error, when an argument is wrong; a maker
 * that is handed a NULL child frees the others and returns NULL, so networks
 * can be written as one nested expression and checked once.
 *
 * Parameters start as PyTorch starts them, from the process's stream of
 * purpose INIT, and live on the default device. Names of parameters are those
 * of PyTorch: "layer1.0.conv1.weight"; children are "0", "1", … unless
 * ursa_named() gave them a name.
 */
#ifndef URSA_NN_H
#define URSA_NN_H

#include <ursa/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_module ursa_module;

/* ---- running -------------------------------------------------------------- */

/* The module applied to x. */
URSA_API ursa_tensor *ursa_forward(ursa_module *module, ursa_tensor *x);

/* Has `watch` told, on this thread, of every module that has been applied, inner
 * ones before outer ones, with what came out; NULL ends it. For summaries and
 * for looking at activations. */
typedef void ursa_forward_watch(void *context, ursa_module *module, ursa_tensor *y);
URSA_API void ursa_watch_forward(ursa_forward_watch *watch, void *context);

/* Training or inference, for the module and all below it: dropout, batch norm. */
URSA_API void ursa_train_mode(ursa_module *module, bool training);
URSA_API bool ursa_is_training(const ursa_module *module);

/* Frees the module and all below it. Takes NULL. */
URSA_API void ursa_module_free(ursa_module *module);

/* ---- layers --------------------------------------------------------------- */

typedef struct ursa_layer_options {
    bool no_bias;  /* linear and convolutions */
    int kernel[2]; /* convolutions whose kernel is not square; else the argument */
    int stride[2]; /* .stride = { 2, 2 }; default 1 (pooling: the window) */
    int padding[2];
    int dilation[2];            /* default 1 */
    int groups;                 /* default 1 */
    int output_padding[2];      /* transposed convolution */
    bool ceil, exclude_padding; /* pooling */
    double eps;                 /* norms: default 1e-5 */
    double momentum;            /* batch norm: default 0.1 */
    bool no_affine;             /* norms without scale and shift */
} ursa_layer_options;

/* y = x wᵀ + b over the last axis. Weights "weight" [out, in], "bias" [out]. */
URSA_API ursa_module *ursa_nn_linear_opt(int in, int out, const ursa_layer_options *options);
/* Images [N, H, W, in] → [N, OH, OW, out]. "weight" [out, k, k, in / groups], "bias" [out]. */
URSA_API ursa_module *ursa_nn_conv2d_opt(int in, int out, int kernel, const ursa_layer_options *options);
/* "weight" [in, k, k, out / groups]. */
URSA_API ursa_module *ursa_nn_conv_transpose2d_opt(int in, int out, int kernel, const ursa_layer_options *options);
/* Over all axes but the last. "weight", "bias", and the buffers "running_mean", "running_var". */
URSA_API ursa_module *ursa_nn_batch_norm_opt(int channels, const ursa_layer_options *options);
URSA_API ursa_module *ursa_nn_layer_norm_opt(int features, const ursa_layer_options *options);
URSA_API ursa_module *ursa_nn_group_norm_opt(int groups, int channels, const ursa_layer_options *options);
URSA_API ursa_module *ursa_nn_max_pool2d_opt(int window, const ursa_layer_options *options);
URSA_API ursa_module *ursa_nn_avg_pool2d_opt(int window, const ursa_layer_options *options);

#define ursa_nn_linear(in, out, ...)         ursa_nn_linear_opt(in, out, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_conv2d(in, out, kernel, ...) ursa_nn_conv2d_opt(in, out, kernel, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_conv_transpose2d(in, out, kernel, ...)                                                                 \
    ursa_nn_conv_transpose2d_opt(in, out, kernel, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_batch_norm(channels, ...) ursa_nn_batch_norm_opt(channels, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_layer_norm(features, ...) ursa_nn_layer_norm_opt(features, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_group_norm(groups, channels, ...)                                                                      \
    ursa_nn_group_norm_opt(groups, channels, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_max_pool2d(window, ...) ursa_nn_max_pool2d_opt(window, &(ursa_layer_options){__VA_ARGS__})
#define ursa_nn_avg_pool2d(window, ...) ursa_nn_avg_pool2d_opt(window, &(ursa_layer_options){__VA_ARGS__})

URSA_API ursa_module *ursa_nn_adaptive_avg_pool2d(int rows, int columns);
URSA_API ursa_module *ursa_nn_adaptive_max_pool2d(int rows, int columns);
/* Maximum and average pooling side by side: twice the channels, the maximum
 * first, as fastai's AdaptiveConcatPool2d. */
URSA_API ursa_module *ursa_nn_adaptive_concat_pool2d(int rows, int columns);
/* [N, ...] → [N, product]. */
URSA_API ursa_module *ursa_nn_flatten(void);
/* The same with the channels of images first, as PyTorch's order of [N, C, H, W]. */
URSA_API ursa_module *ursa_nn_flatten_channels_first(void);
/* Zeroes elements with chance p in training, and scales the others. */
URSA_API ursa_module *ursa_nn_dropout(double p);
/* Zeroes whole items of the batch with chance p in training, and scales the
 * others: stochastic depth, at the end of a residual branch (Huang et al. 2016). */
URSA_API ursa_module *ursa_nn_drop_path(double p);
/* i64 [...] → [..., features]. "weight" [count, features]. */
URSA_API ursa_module *ursa_nn_embedding(int64_t count, int features);
/* An activation of ursa_activation_by_name(). */
URSA_API ursa_module *ursa_nn_activation(const char *name);
/* Any function without parameters; `name` is for printing. */
URSA_API ursa_module *ursa_nn_function(const char *name, ursa_tensor *(*function)(ursa_tensor *x));

/* ---- containers ----------------------------------------------------------- */

/* One after the other. A child's output goes when the next child has used it: a
 * module that looks at one later takes a reference (ursa_keep()). */
#define ursa_nn_sequential(...)                                                                                        \
    ursa_nn_sequential_of((ursa_module *[]){__VA_ARGS__},                                                              \
                          (int)(sizeof((ursa_module *[]){__VA_ARGS__}) / sizeof(ursa_module *)))
URSA_API ursa_module *ursa_nn_sequential_of(ursa_module *const *children, int count);
/* Adds a child at the end of a sequential; frees it and returns false when it cannot. */
URSA_API bool ursa_nn_append(ursa_module *sequential, ursa_module *child);

/* Frees the children of a sequential from number `keep` on. Returns its argument. */
URSA_API ursa_module *ursa_nn_cut(ursa_module *sequential, int keep);

/* The children's outputs for the same x, side by side in the last axis. */
#define ursa_nn_concat(...)                                                                                            \
    ursa_nn_concat_of((ursa_module *[]){__VA_ARGS__},                                                                  \
                      (int)(sizeof((ursa_module *[]){__VA_ARGS__}) / sizeof(ursa_module *)))
URSA_API ursa_module *ursa_nn_concat_of(ursa_module *const *children, int count);

/* activation(body(x) + shortcut(x)); `shortcut` NULL is x itself, `activation`
 * NULL none. Unless ursa_named() gave them names, the children of `body` are
 * named as if they were the block's own, those of `shortcut` "downsample.…",
 * as torchvision has them. A shortcut that is NULL because making it failed is
 * told from a wanted NULL by its error. */
URSA_API ursa_module *ursa_nn_residual(ursa_module *body, ursa_module *shortcut, const char *activation);
URSA_API ursa_module *ursa_nn_identity(void);

/* Gives a module the name it has within its parent; "" makes its children
 * appear as the parent's. Returns its argument. */
URSA_API ursa_module *ursa_named(const char *name, ursa_module *module);

/* ---- parameters ------------------------------------------------------------ */

typedef struct ursa_parameter {
    const char *name;     /* full: "layer1.0.conv1.weight" */
    ursa_tensor *tensor;  /* the module's */
    bool is_buffer;       /* running statistics: saved, not trained */
    bool is_norm_or_bias; /* what weight decay usually leaves out */
    ursa_module *owner;   /* the layer it belongs to */
} ursa_parameter;

/* Every parameter and buffer, in the order of the network. The list belongs to
 * the module and is valid until a child is added or the module freed. Returns
 * how many, or -1. */
URSA_API int ursa_parameters(ursa_module *module, const ursa_parameter **list);
URSA_API int64_t ursa_parameter_count(ursa_module *module); /* numbers in all parameters; buffers do not count */
/* NULL, without an error, when there is none of this name. */
URSA_API ursa_tensor *ursa_find_parameter(ursa_module *module, const char *name);
URSA_API void ursa_module_zero_grad(ursa_module *module);
/* Whether the parameters of the module get gradients. */
URSA_API void ursa_module_requires_grad(ursa_module *module, bool required);

URSA_API int ursa_children(const ursa_module *module);
URSA_API ursa_module *ursa_child(const ursa_module *module, int index);
URSA_API const char *ursa_module_name(const ursa_module *module); /* within its parent; "" at the top */
URSA_API const char *ursa_module_kind(const ursa_module *module); /* "conv2d" */
/* One line that says what it is: "conv2d(3 → 64, 7×7, stride 2, padding 3)".
 * Valid while the module lives. */
URSA_API const char *ursa_module_describe(ursa_module *module);

/* ---- initialisation ---------------------------------------------------------- *
 *
 * Kaiming: He et al. 2015; Xavier: Glorot and Bengio 2010. Fans of weights
 * [O, …, I] count as PyTorch's: fan in = receptive field × I, fan out =
 * receptive field × O. */
typedef enum ursa_init {
    URSA_INIT_KAIMING_UNIFORM, /* bound √(6 / ((1 + a²) fan in)); a = √5 is PyTorch's default for layers */
    URSA_INIT_KAIMING_NORMAL,
    URSA_INIT_KAIMING_NORMAL_FAN_OUT, /* torchvision's ResNets */
    URSA_INIT_XAVIER_UNIFORM,
    URSA_INIT_XAVIER_NORMAL,
} ursa_init;

/* Overwrites a weight; `a` is the negative slope of the activation behind it
 * (0 for ReLU), and the gain for Xavier (0 means 1). */
URSA_API bool ursa_init_(ursa_tensor *weight, ursa_init how, double a);
/* Overwrites the weights of all linear and convolution layers of a module. */
URSA_API bool ursa_init_module(ursa_module *module, ursa_init how, double a);

/* ---- a module of one's own --------------------------------------------------- */

typedef struct ursa_module_class {
    const char *kind;
    size_t size; /* of the state that `state` of the functions below points to */
    ursa_tensor *(*forward)(ursa_module *module, void *state, ursa_tensor *x);
    void (*describe)(ursa_module *module, void *state, char *text, size_t size); /* NULL: the kind */
    void (*free)(void *state);                                                   /* NULL: nothing to free */
} ursa_module_class;

/* A module with zeroed state. `class` must outlive it. */
URSA_API ursa_module *ursa_module_new(const ursa_module_class *class);
URSA_API void *ursa_module_state(ursa_module *module);
/* Takes over a tensor as a parameter (requires a gradient) or a buffer. */
URSA_API bool ursa_module_add_parameter(ursa_module *module, const char *name, ursa_tensor *tensor);
URSA_API bool ursa_module_add_buffer(ursa_module *module, const char *name, ursa_tensor *tensor);
/* Takes over a child; frees it and returns false when it cannot. */
URSA_API bool ursa_module_add_child(ursa_module *module, const char *name, ursa_module *child);

#ifdef __cplusplus
}
#endif
#endif
