/* tensor.h — tensors, the operators on them, and their gradients.
 *
 * A tensor is a typed view of device memory with up to six dimensions. Tensors
 * are immutable to their users but for the functions that end in an
 * underscore, and are reference-counted: each belongs to the scope that was
 * open when it was made, and goes when that scope ends, unless ursa_keep()
 * took a reference.
 *
 * Conventions
 * - Images are [N, H, W, C], convolution weights [O, KH, KW, I / groups].
 * - An axis may be negative: -1 is the last.
 * - Shapes of elementwise operators broadcast as in NumPy. Operands of
 *   different types are promoted: bool < u8 < i32 < i64 < f16 < bf16 < f32,
 *   and f16 with bf16 gives f32. Functions of floats (exp, …) turn integers
 *   into f32. Arithmetic on two bools is done in i32, sums and products of
 *   integers in i64; integer division truncates, and by zero gives 0.
 * - Mixed precision follows the activations. Convolutions, ursa_linear(),
 *   pooling, normalisation and resampling give the type of x, whatever that of
 *   weights and statistics; ursa_matmul() the half type where one factor has
 *   one. Where x is f16 or bf16, factors are rounded to that type as they are
 *   read; sums, statistics and everything else are f32, and the result is
 *   rounded once. So weights stay f32 beside half activations, and their
 *   gradients come out as f32; activations that backward needs are kept in
 *   their type. Losses are f32. See ursa_to_fp16() for training this way.
 * - A function given NULL returns NULL and adds no error of its own. A function
 *   that fails latches an error that names itself, the argument, what was
 *   expected and what was found, and returns NULL.
 * - Functions with options take them as designated initialisers behind the
 *   positional arguments: ursa_conv2d(x, w, .stride = { 2, 2 }). Zero means the
 *   default.
 * - All work is asynchronous but for ursa_item(), ursa_read() and printing.
 * - Tensors and tapes belong to the thread that made them.
 */
#ifndef URSA_TENSOR_H
#define URSA_TENSOR_H

#include <ursa/device.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_tensor ursa_tensor;

/* ---- scopes and lifetime ------------------------------------------------ */

typedef struct ursa_scope ursa_scope;

/* Opens a scope inside the current one. The outermost is always open and ends
 * with ursa_finish(). */
URSA_API ursa_scope *ursa_scope_begin(void);
/* Ends `scope` and every scope opened after it; tensors that nobody else
 * holds are freed. Takes NULL. */
URSA_API void ursa_scope_end(ursa_scope *scope);
/* Takes a reference that outlives the scope; give it back with ursa_free().
 * Returns its argument. ursa_free() of a tensor that was not kept takes it out
 * of its scope: it goes at once, unless a tape still needs it. */
URSA_API ursa_tensor *ursa_keep(ursa_tensor *tensor);
URSA_API void ursa_free(ursa_tensor *tensor); /* takes NULL */
/* Moves a tensor to the scope around the current one: how a function returns
 * what it made within a scope of its own. Returns its argument. */
URSA_API ursa_tensor *ursa_promote(ursa_tensor *tensor);

/* ---- shapes ------------------------------------------------------------- */

/* A shape as an argument: ursa_shape(2, 3) is [2, 3]; ursa_shape() is a scalar. */
typedef struct ursa_dims {
    int ndim;
    int64_t dim[6];
} ursa_dims;
#define ursa_shape(...) ((ursa_dims){(int)(sizeof((int64_t[]){0, ##__VA_ARGS__}) / sizeof(int64_t)) - 1, {__VA_ARGS__}})

URSA_API int ursa_ndim(const ursa_tensor *tensor);              /* -1 for NULL */
URSA_API int64_t ursa_dim(const ursa_tensor *tensor, int axis); /* -1 for NULL or no such axis */
URSA_API ursa_dims ursa_dims_of(const ursa_tensor *tensor);
URSA_API int64_t ursa_count(const ursa_tensor *tensor); /* elements; -1 for NULL */
URSA_API ursa_dtype ursa_dtype_of(const ursa_tensor *tensor);
URSA_API ursa_device *ursa_device_of(const ursa_tensor *tensor);
URSA_API bool ursa_is_contiguous(const ursa_tensor *tensor);

/* ---- making tensors ----------------------------------------------------- */

/* Options common to all of them. device NULL: the default device. */
typedef struct ursa_tensor_options {
    ursa_dtype dtype; /* default f32 */
    ursa_device *device;
    bool requires_grad;
    double low, high;   /* uniform: [0, 1) when both are 0 */
    double mean, std;   /* normal: std 0 means 1 */
    double start, step; /* arange: step 0 means 1 */
    ursa_rng *rng;      /* random: default the process's stream of purpose USER */
} ursa_tensor_options;

URSA_API ursa_tensor *ursa_empty_opt(ursa_dims shape, const ursa_tensor_options *options);
URSA_API ursa_tensor *ursa_full_opt(ursa_dims shape, double value, const ursa_tensor_options *options);
URSA_API ursa_tensor *ursa_arange_opt(int64_t count, const ursa_tensor_options *options);
URSA_API ursa_tensor *ursa_uniform_opt(ursa_dims shape, const ursa_tensor_options *options);
URSA_API ursa_tensor *ursa_normal_opt(ursa_dims shape, const ursa_tensor_options *options);
URSA_API ursa_tensor *ursa_bernoulli_opt(ursa_dims shape, double p, const ursa_tensor_options *options);
/* Copies `shape` elements of the host's layout of options->dtype from `data`. */
URSA_API ursa_tensor *ursa_from_opt(const void *data, ursa_dims shape, const ursa_tensor_options *options);

#define ursa_empty(shape, ...)        ursa_empty_opt(shape, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_full(shape, value, ...)  ursa_full_opt(shape, value, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_zeros(shape, ...)        ursa_full_opt(shape, 0, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_ones(shape, ...)         ursa_full_opt(shape, 1, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_arange(count, ...)       ursa_arange_opt(count, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_uniform(shape, ...)      ursa_uniform_opt(shape, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_normal(shape, ...)       ursa_normal_opt(shape, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_bernoulli(shape, p, ...) ursa_bernoulli_opt(shape, p, &(ursa_tensor_options){__VA_ARGS__})
#define ursa_from(data, shape, ...)   ursa_from_opt(data, shape, &(ursa_tensor_options){__VA_ARGS__})
/* A scalar on the device of another tensor, of its type. */
URSA_API ursa_tensor *ursa_scalar_like(const ursa_tensor *like, double value);
URSA_API ursa_tensor *ursa_zeros_like(const ursa_tensor *like);
URSA_API ursa_tensor *ursa_empty_like(const ursa_tensor *like);

/* ---- reading ------------------------------------------------------------ */

/* Copies all elements, row-major, converted to `dtype`, into `out`, which
 * holds `count` of them. Waits for the device. */
URSA_API bool ursa_read(const ursa_tensor *tensor, ursa_dtype dtype, void *out, int64_t count);
/* The only element of a tensor. NaN, with an error, when there are more. */
URSA_API double ursa_item(const ursa_tensor *tensor);
/* Writes `count` elements of `dtype` over all of a contiguous tensor. */
URSA_API bool ursa_write_(ursa_tensor *tensor, ursa_dtype dtype, const void *data, int64_t count);
/* Prints shape, type, device and the elements (the middle of long axes as …). */
URSA_API void ursa_print(const ursa_tensor *tensor);

/* ---- in place; not recorded, and an error on a tensor whose gradient is ---- */

URSA_API bool ursa_copy_(ursa_tensor *to, const ursa_tensor *from); /* broadcasts, converts type and device */
URSA_API bool ursa_fill_(ursa_tensor *tensor, double value);
URSA_API bool ursa_add_(ursa_tensor *to, const ursa_tensor *from, double scale);   /* to += scale from */
URSA_API bool ursa_mul_(ursa_tensor *to, const ursa_tensor *by);                   /* broadcasts */
URSA_API bool ursa_lerp_(ursa_tensor *to, const ursa_tensor *from, double weight); /* to += weight (from - to) */

/* ---- type, device and shape --------------------------------------------- */

URSA_API ursa_tensor *ursa_cast(ursa_tensor *x, ursa_dtype dtype);
URSA_API ursa_tensor *ursa_to_device(ursa_tensor *x, ursa_device *device);
URSA_API ursa_tensor *ursa_contiguous(ursa_tensor *x); /* x itself when it is */
URSA_API ursa_tensor *ursa_clone(ursa_tensor *x);

/* Views where possible. One extent of reshape may be -1. */
URSA_API ursa_tensor *ursa_reshape(ursa_tensor *x, ursa_dims shape);
URSA_API ursa_tensor *ursa_flatten(ursa_tensor *x, int first_axis, int last_axis);
URSA_API ursa_tensor *ursa_squeeze(ursa_tensor *x, int axis);
URSA_API ursa_tensor *ursa_unsqueeze(ursa_tensor *x, int axis);
URSA_API ursa_tensor *ursa_permute(ursa_tensor *x, ursa_dims order);
URSA_API ursa_tensor *ursa_transpose(ursa_tensor *x, int a, int b);
URSA_API ursa_tensor *ursa_expand(ursa_tensor *x, ursa_dims shape);
URSA_API ursa_tensor *ursa_flip(ursa_tensor *x, int axis);
/* Elements start, start + step, … before end along an axis. Negative start and
 * end count from the back; end INT64_MAX is the end. step > 0. */
URSA_API ursa_tensor *ursa_slice(ursa_tensor *x, int axis, int64_t start, int64_t end, int64_t step);
URSA_API ursa_tensor *ursa_select(ursa_tensor *x, int axis, int64_t index); /* drops the axis */

URSA_API ursa_tensor *ursa_concat(ursa_tensor *const *tensors, int count, int axis);
URSA_API ursa_tensor *ursa_stack(ursa_tensor *const *tensors, int count, int axis);
/* Fills `out` with ceil(dim / size) views of `size` (the last maybe less), and
 * returns how many, or -1; `capacity` is the length of `out`. */
URSA_API int ursa_split(ursa_tensor *x, int axis, int64_t size, ursa_tensor **out, int capacity);

typedef enum ursa_pad_mode { URSA_PAD_MODE_CONSTANT, URSA_PAD_MODE_REFLECT, URSA_PAD_MODE_REPLICATE } ursa_pad_mode;
/* `before` and `after` have one entry per axis. */
URSA_API ursa_tensor *ursa_pad(ursa_tensor *x, ursa_dims before, ursa_dims after, ursa_pad_mode mode, double value);

/* [N, H, W, C r²] ↔ [N, H r, W r, C]; channels as torch.nn.PixelShuffle has them. */
URSA_API ursa_tensor *ursa_pixel_shuffle(ursa_tensor *x, int factor);
URSA_API ursa_tensor *ursa_pixel_unshuffle(ursa_tensor *x, int factor);

/* ---- elementwise --------------------------------------------------------- */

URSA_API ursa_tensor *ursa_add(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_sub(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_mul(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_div(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_maximum(ursa_tensor *x, ursa_tensor *y); /* gradient of equals: half each */
URSA_API ursa_tensor *ursa_minimum(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_pow(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_atan2(ursa_tensor *y, ursa_tensor *x);

/* With a number; an integer x with a fraction becomes f32. */
URSA_API ursa_tensor *ursa_add_scalar(ursa_tensor *x, double value);
URSA_API ursa_tensor *ursa_mul_scalar(ursa_tensor *x, double value);
URSA_API ursa_tensor *ursa_pow_scalar(ursa_tensor *x, double exponent);
URSA_API ursa_tensor *ursa_clamp(ursa_tensor *x, double low, double high); /* ±INFINITY for no limit */

/* → bool, no gradient. */
URSA_API ursa_tensor *ursa_eq(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_ne(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_lt(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_le(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_gt(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_ge(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_logical_and(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_logical_or(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_logical_xor(ursa_tensor *x, ursa_tensor *y);
URSA_API ursa_tensor *ursa_logical_not(ursa_tensor *x);
URSA_API ursa_tensor *ursa_is_nan(ursa_tensor *x);
URSA_API ursa_tensor *ursa_is_finite(ursa_tensor *x);
/* condition bool; x and y broadcast with it. */
URSA_API ursa_tensor *ursa_where(ursa_tensor *condition, ursa_tensor *x, ursa_tensor *y);

URSA_API ursa_tensor *ursa_neg(ursa_tensor *x);
URSA_API ursa_tensor *ursa_abs(ursa_tensor *x);
URSA_API ursa_tensor *ursa_sign(ursa_tensor *x);
URSA_API ursa_tensor *ursa_floor(ursa_tensor *x);
URSA_API ursa_tensor *ursa_ceil(ursa_tensor *x);
URSA_API ursa_tensor *ursa_round(ursa_tensor *x); /* ties to even */
URSA_API ursa_tensor *ursa_reciprocal(ursa_tensor *x);
URSA_API ursa_tensor *ursa_square(ursa_tensor *x);
URSA_API ursa_tensor *ursa_sqrt(ursa_tensor *x);
URSA_API ursa_tensor *ursa_rsqrt(ursa_tensor *x);
URSA_API ursa_tensor *ursa_exp(ursa_tensor *x);
URSA_API ursa_tensor *ursa_expm1(ursa_tensor *x);
URSA_API ursa_tensor *ursa_log(ursa_tensor *x);
URSA_API ursa_tensor *ursa_log1p(ursa_tensor *x);
URSA_API ursa_tensor *ursa_log2(ursa_tensor *x);
URSA_API ursa_tensor *ursa_sin(ursa_tensor *x);
URSA_API ursa_tensor *ursa_cos(ursa_tensor *x);
URSA_API ursa_tensor *ursa_tan(ursa_tensor *x);
URSA_API ursa_tensor *ursa_asin(ursa_tensor *x);
URSA_API ursa_tensor *ursa_acos(ursa_tensor *x);
URSA_API ursa_tensor *ursa_atan(ursa_tensor *x); /* ArcTan as an activation, too */
URSA_API ursa_tensor *ursa_sinh(ursa_tensor *x);
URSA_API ursa_tensor *ursa_cosh(ursa_tensor *x);
URSA_API ursa_tensor *ursa_erf(ursa_tensor *x);

/* ---- activations --------------------------------------------------------- */

URSA_API ursa_tensor *ursa_binary_step(ursa_tensor *x); /* 1 where x > 0; gradient 0 */
URSA_API ursa_tensor *ursa_sigmoid(ursa_tensor *x);     /* the logistic function */
URSA_API ursa_tensor *ursa_log_sigmoid(ursa_tensor *x);
URSA_API ursa_tensor *ursa_tanh(ursa_tensor *x);
URSA_API ursa_tensor *ursa_relu(ursa_tensor *x);
URSA_API ursa_tensor *ursa_relu6(ursa_tensor *x); /* min(max(x, 0), 6); no gradient at 0 and 6 */
URSA_API ursa_tensor *ursa_leaky_relu(ursa_tensor *x, double slope);
URSA_API ursa_tensor *ursa_elu(ursa_tensor *x, double alpha);
URSA_API ursa_tensor *ursa_gelu(ursa_tensor *x);
URSA_API ursa_tensor *ursa_gelu_tanh(ursa_tensor *x);
URSA_API ursa_tensor *ursa_silu(ursa_tensor *x);
URSA_API ursa_tensor *ursa_mish(ursa_tensor *x);
URSA_API ursa_tensor *ursa_softplus(ursa_tensor *x, double beta, double threshold);
URSA_API ursa_tensor *ursa_hard_sigmoid(ursa_tensor *x);
URSA_API ursa_tensor *ursa_hard_swish(ursa_tensor *x);
URSA_API ursa_tensor *ursa_softmax(ursa_tensor *x, int axis);
URSA_API ursa_tensor *ursa_log_softmax(ursa_tensor *x, int axis);

/* An activation by its name: "binary_step", "logistic" (or "sigmoid"), "tanh",
 * "arctan" (or "atan"), "relu", "relu6", "leaky_relu" (slope 0.01), "elu", "gelu",
 * "silu", "mish", "softplus", "identity". An unknown name is an error that
 * lists them. */
typedef ursa_tensor *ursa_activation_fn(ursa_tensor *x);
URSA_API ursa_activation_fn *ursa_activation_by_name(const char *name);

/* p is the chance to zero an element; the mask comes from `rng`, which moves
 * on (NULL: the thread's stream of purpose DROPOUT). p = 0 returns x itself. */
URSA_API ursa_tensor *ursa_dropout(ursa_tensor *x, double p, ursa_rng *rng);

/* ---- reductions ----------------------------------------------------------- */

/* Axes to reduce: ursa_axes(0, 2); none means all. */
#define ursa_axes(...) ursa_shape(__VA_ARGS__)

URSA_API ursa_tensor *ursa_sum(ursa_tensor *x, ursa_dims axes, bool keep);
URSA_API ursa_tensor *ursa_mean(ursa_tensor *x, ursa_dims axes, bool keep);
URSA_API ursa_tensor *ursa_prod(ursa_tensor *x, ursa_dims axes, bool keep); /* no gradient: a constant to the tape */
URSA_API ursa_tensor *ursa_max(ursa_tensor *x, ursa_dims axes, bool keep);  /* gradient shared among equals */
URSA_API ursa_tensor *ursa_min(ursa_tensor *x, ursa_dims axes, bool keep);
URSA_API ursa_tensor *ursa_var(ursa_tensor *x, ursa_dims axes, int correction, bool keep);
URSA_API ursa_tensor *ursa_std(ursa_tensor *x, ursa_dims axes, int correction, bool keep);
URSA_API ursa_tensor *ursa_norm(ursa_tensor *x, double p, ursa_dims axes, bool keep); /* p 1, 2 or INFINITY */
URSA_API ursa_tensor *ursa_argmax(ursa_tensor *x, int axis, bool keep);               /* i64 */
URSA_API ursa_tensor *ursa_argmin(ursa_tensor *x, int axis, bool keep);
URSA_API ursa_tensor *ursa_cumsum(ursa_tensor *x, int axis);

/* Sorted elements and, where asked for, their positions. Gradients reach
 * `values`. */
URSA_API bool ursa_sort(ursa_tensor *x, int axis, bool descending, ursa_tensor **values, ursa_tensor **indices);
URSA_API bool ursa_topk(ursa_tensor *x, int axis, int64_t k, bool largest, ursa_tensor **values, ursa_tensor **indices);

/* ---- products and convolution ---------------------------------------------- */

/* [..., M, K] × [..., K, N]; leading axes broadcast; a vector on either side is
 * a row or a column that is dropped from the result. */
URSA_API ursa_tensor *ursa_matmul(ursa_tensor *x, ursa_tensor *y);
/* x [..., I] w [O, I] bias [O] or NULL → [..., O]: x wᵀ + bias. */
URSA_API ursa_tensor *ursa_linear(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias);

typedef struct ursa_conv_options {
    ursa_tensor *bias;              /* [O] */
    int stride[2];                  /* default 1; one number is for rows, .stride = { 2, 2 } for both */
    int padding[2];                 /* default 0 */
    int dilation[2];                /* default 1 */
    int output_padding[2];          /* transposed only: extra rows and columns at the end */
    int groups;                     /* default 1; C for a depthwise convolution */
    ursa_activation_fn *activation; /* conv2d: applied to the result; NULL for none */
} ursa_conv_options;

/* x [N, H, W, C], w [O, KH, KW, C / groups]. */
URSA_API ursa_tensor *ursa_conv2d_opt(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options);
#define ursa_conv2d(x, w, ...) ursa_conv2d_opt(x, w, &(ursa_conv_options){__VA_ARGS__})
/* x [N, H, W, I], w [I, KH, KW, O / groups]: the gradient of the convolution
 * that takes O channels to I. */
URSA_API ursa_tensor *ursa_conv_transpose2d_opt(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options);
#define ursa_conv_transpose2d(x, w, ...) ursa_conv_transpose2d_opt(x, w, &(ursa_conv_options){__VA_ARGS__})

/* ---- pooling ---------------------------------------------------------------- */

typedef struct ursa_pool_options {
    int stride[2]; /* default: the window */
    int padding[2];
    bool ceil;            /* round the output's size up */
    bool exclude_padding; /* average: padding does not count */
} ursa_pool_options;

/* Where a gradient is recorded, windows of maxima have at most 2²⁴ pixels, adaptive ones, too. */
URSA_API ursa_tensor *ursa_max_pool2d_opt(ursa_tensor *x, int rows, int columns, const ursa_pool_options *options);
URSA_API ursa_tensor *ursa_avg_pool2d_opt(ursa_tensor *x, int rows, int columns, const ursa_pool_options *options);
#define ursa_max_pool2d(x, rows, columns, ...) ursa_max_pool2d_opt(x, rows, columns, &(ursa_pool_options){__VA_ARGS__})
#define ursa_avg_pool2d(x, rows, columns, ...) ursa_avg_pool2d_opt(x, rows, columns, &(ursa_pool_options){__VA_ARGS__})
URSA_API ursa_tensor *ursa_adaptive_max_pool2d(ursa_tensor *x, int rows, int columns);
URSA_API ursa_tensor *ursa_adaptive_avg_pool2d(ursa_tensor *x, int rows, int columns);

/* ---- normalisation ------------------------------------------------------------ */

/* Over all axes but the last. In training the running tensors (may be NULL)
 * are updated in place by `momentum`. */
URSA_API ursa_tensor *ursa_batch_norm(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift, ursa_tensor *running_mean,
                                      ursa_tensor *running_var, bool training, double momentum, double eps);
/* activation(batch_norm(x) + residual): the same numbers as one after the other;
 * with ursa_relu, ursa_relu6 or none, in f32, memory is read and written once
 * for all of them. residual and activation may be NULL. */
URSA_API ursa_tensor *ursa_batch_norm_then(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift,
                                           ursa_tensor *running_mean, ursa_tensor *running_var, ursa_tensor *residual,
                                           ursa_activation_fn *activation, bool training, double momentum, double eps);
URSA_API ursa_tensor *ursa_layer_norm(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift,
                                      double eps); /* last axis */
URSA_API ursa_tensor *ursa_group_norm(ursa_tensor *x, int groups, ursa_tensor *scale, ursa_tensor *shift,
                                      double eps); /* x [N, …, C] */

/* ---- indexing -------------------------------------------------------------------- */

/* Slices of `axis` picked by an i64 index of any rank, which takes the place
 * of the axis. */
URSA_API ursa_tensor *ursa_take(ursa_tensor *x, int axis, ursa_tensor *index);
/* out[i, j, k] = x[i, index[i, j, k], k] for axis 1: torch.gather. The other
 * extents of index are those of x. */
URSA_API ursa_tensor *ursa_gather(ursa_tensor *x, int axis, ursa_tensor *index);
/* A copy of x with values added where index says: torch.scatter_add. */
URSA_API ursa_tensor *ursa_scatter_add(ursa_tensor *x, int axis, ursa_tensor *index, ursa_tensor *values);
/* Rows of weight [V, D] by an i64 index of any rank → [..., D]. */
URSA_API ursa_tensor *ursa_embedding(ursa_tensor *weight, ursa_tensor *index);
URSA_API ursa_tensor *ursa_one_hot(ursa_tensor *index, int64_t classes); /* f32, [..., classes] */

/* ---- resampling ------------------------------------------------------------------- */

typedef enum ursa_interpolation { URSA_NEAREST, URSA_BILINEAR, URSA_BICUBIC } ursa_interpolation;
typedef enum ursa_border { URSA_ZEROS, URSA_BORDER, URSA_REFLECTION } ursa_border;

/* x [N, H, W, C] → [N, rows, columns, C], as torch.nn.functional.interpolate. */
URSA_API ursa_tensor *ursa_resize2d(ursa_tensor *x, int64_t rows, int64_t columns, ursa_interpolation how,
                                    bool align_corners);
/* grid [N, OH, OW, 2] of (x, y) in -1 … 1, as torch.nn.functional.grid_sample;
 * nearest or bilinear. */
URSA_API ursa_tensor *ursa_grid_sample(ursa_tensor *x, ursa_tensor *grid, ursa_interpolation how, ursa_border border,
                                       bool align_corners);

/* ---- losses ------------------------------------------------------------------------ */

typedef enum ursa_reduction { URSA_MEAN, URSA_SUM, URSA_EACH } ursa_reduction;

typedef struct ursa_loss_options {
    ursa_reduction reduction;
    ursa_tensor *weight;    /* cross-entropy: [C] */
    double smoothing;       /* cross-entropy: label smoothing */
    int64_t ignore;         /* cross-entropy: the class to ignore; 0 means -100 */
    double positive_weight; /* binary cross-entropy: default 1 */
    double beta;            /* smooth L1 and Huber: default 1 */
    double alpha, gamma;    /* focal: defaults 0.25 and 2; alpha < 0 for no balance */
} ursa_loss_options;

/* logits [..., C], classes [...] i64. The mean is weighted by class weights. */
URSA_API ursa_tensor *ursa_cross_entropy_opt(ursa_tensor *logits, ursa_tensor *classes,
                                             const ursa_loss_options *options);
/* x and target have the same shape; target f32, without a gradient. */
URSA_API ursa_tensor *ursa_bce_logits_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
URSA_API ursa_tensor *ursa_mse_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
URSA_API ursa_tensor *ursa_l1_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
URSA_API ursa_tensor *ursa_smooth_l1_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
URSA_API ursa_tensor *ursa_huber_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
URSA_API ursa_tensor *ursa_focal_opt(ursa_tensor *x, ursa_tensor *target, const ursa_loss_options *options);
#define ursa_cross_entropy(x, target, ...) ursa_cross_entropy_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_bce_logits(x, target, ...)    ursa_bce_logits_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_mse(x, target, ...)           ursa_mse_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_l1(x, target, ...)            ursa_l1_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_smooth_l1(x, target, ...)     ursa_smooth_l1_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_huber(x, target, ...)         ursa_huber_opt(x, target, &(ursa_loss_options){__VA_ARGS__})
#define ursa_focal(x, target, ...)         ursa_focal_opt(x, target, &(ursa_loss_options){__VA_ARGS__})

/* ---- gradients ----------------------------------------------------------------------- *
 *
 * A tape of eager operators: an operator on a tensor that requires a gradient
 * is recorded, with what its backward step needs, and ursa_backward() plays
 * the tape from the end. Saved tensors are released as it passes them. */

/* Marks a leaf. Only float tensors can have gradients. */
URSA_API ursa_tensor *ursa_requires_grad(ursa_tensor *tensor, bool required);
URSA_API bool ursa_has_grad(const ursa_tensor *tensor); /* whether operators on it are recorded */

/* Adds the gradient of a scalar to the .grad of every leaf it was made from. A
 * second call for the same tensor is an error, since what it would need has
 * been released. */
URSA_API bool ursa_backward(ursa_tensor *scalar);
/* The same for a tensor of any shape, from the gradient with respect to it. */
URSA_API bool ursa_backward_from(ursa_tensor *tensor, ursa_tensor *gradient);

/* Of the leaf's type and shape, owned by it; it may be changed in place. NULL,
 * without an error, before the first backward. */
URSA_API ursa_tensor *ursa_grad(const ursa_tensor *leaf);
URSA_API void ursa_zero_grad(ursa_tensor *leaf);        /* drops it; the next backward starts afresh */
URSA_API ursa_tensor *ursa_detach(ursa_tensor *tensor); /* the same memory, unrecorded */

/* Between these, nothing is recorded on this thread. They nest. */
URSA_API void ursa_no_grad_begin(void);
URSA_API void ursa_no_grad_end(void);

#ifdef __cplusplus
}
#endif
#endif
