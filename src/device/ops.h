/* ops.h — the primitive operators: one argument struct each, and the wrapper
 * that checks it and hands it to the device's backend.
 *
 * The same struct reaches the SIMD kernels, the OpenCL launchers and the
 * reference in the tests.
 *
 * Conventions
 * - An ursa_array with a NULL buffer is absent; only arrays marked "optional"
 *   may be.
 * - "strided" arrays take any strides: zero (broadcast, inputs only), negative,
 *   permuted. All others are contiguous in row-major order, from any offset.
 * - All arrays of a call live on the device that runs it. Outputs do not
 *   overlap inputs, unless marked "in place": then an output may be the very
 *   same array as the input named.
 * - Arrays may be empty; operators on them do nothing, but reductions to a
 *   non-empty result, which give the neutral element (sum 0, product 1, mean
 *   NaN, min +inf, max -inf, norms 0).
 * - Images are [N, H, W, C], convolution weights [O, KH, KW, I / groups].
 * - Arithmetic on f16 and bf16 is done in float and rounded once, at the end.
 */
#ifndef URSA_DEVICE_OPS_H
#define URSA_DEVICE_OPS_H

#include <ursa/device.h>

#define URSA_MAX_DIMS 6

typedef struct ursa_buffer ursa_buffer;

typedef struct ursa_array {
    ursa_buffer *buffer;
    int64_t offset; /* of the first element, in elements from the start of the buffer */
    ursa_dtype dtype;
    int ndim;
    int64_t shape[URSA_MAX_DIMS];
    int64_t stride[URSA_MAX_DIMS]; /* in elements */
} ursa_array;

/* ---- kinds -------------------------------------------------------------- */

typedef enum ursa_unary_kind {
#define URSA_UNARY(name, needs, text) URSA_UNARY_##name,
#include "unary.def"
#undef URSA_UNARY
    URSA_UNARY_COUNT,
} ursa_unary_kind;

typedef enum ursa_grad_needs { URSA_NEEDS_NONE, URSA_NEEDS_X, URSA_NEEDS_Y, URSA_NEEDS_ZERO } ursa_grad_needs;

typedef enum ursa_binary_kind {
#define URSA_BINARY(name, result, types, text) URSA_BINARY_##name,
#include "binary.def"
#undef URSA_BINARY
    URSA_BINARY_COUNT,
} ursa_binary_kind;

typedef enum ursa_loss_kind {
#define URSA_LOSS(name, text) URSA_LOSS_##name,
#include "loss.def"
#undef URSA_LOSS
    URSA_LOSS_COUNT,
} ursa_loss_kind;

typedef enum ursa_reduce_kind {
    URSA_REDUCE_SUM,
    URSA_REDUCE_MEAN,
    URSA_REDUCE_PROD,
    URSA_REDUCE_MIN, /* not a number if any element is */
    URSA_REDUCE_MAX,
    URSA_REDUCE_L1, /* sum of |x| */
    URSA_REDUCE_L2, /* √(sum of x²) */
    URSA_REDUCE_COUNT,
} ursa_reduce_kind;

typedef enum ursa_random_kind { URSA_RANDOM_UNIFORM, URSA_RANDOM_NORMAL, URSA_RANDOM_BERNOULLI } ursa_random_kind;
typedef enum ursa_pool_kind { URSA_POOL_MAX, URSA_POOL_AVG } ursa_pool_kind;
typedef enum ursa_pad_kind { URSA_PAD_CONSTANT, URSA_PAD_REFLECT, URSA_PAD_REPLICATE } ursa_pad_kind;
typedef enum ursa_resize_kind { URSA_RESIZE_NEAREST, URSA_RESIZE_BILINEAR, URSA_RESIZE_BICUBIC } ursa_resize_kind;
typedef enum ursa_border_kind { URSA_BORDER_ZEROS, URSA_BORDER_CLAMP, URSA_BORDER_REFLECT } ursa_border_kind;

/* An activation fused into the end of a product: any function of unary.def,
 * applied after the bias. Not `used`: none. */
typedef struct ursa_activation {
    bool used;
    ursa_unary_kind kind;
    float a, b;
} ursa_activation;

/* ---- making and moving -------------------------------------------------- */

struct ursa_fill_args {
    ursa_array out; /* strided */
    double value;   /* converted to the type of out */
};

struct ursa_arange_args {
    ursa_array out;
    double start,
        step; /* out[i] = start + i step, computed in double (on devices without it: start and step in float) */
};

/* Element i of out (row-major) comes from word i % 4 of Philox block
 * counter + i / 4 under `key`; see philox.h. Uniform: a + (b - a) u with
 * u = (word >> 8) 2⁻²⁴. Bernoulli: 1 where u < a. Normal: a + b n, with n by
 * Box and Muller from the words of a pair (2j, 2j + 1):
 * r = √(-2 log(1 - u₀)), n₀ = r cos(2π u₁), n₁ = r sin(2π u₁). */
struct ursa_random_args {
    ursa_random_kind kind;
    ursa_array out;
    double a, b;
    uint64_t key, counter;
};

struct ursa_copy_args {
    ursa_array x;   /* strided */
    ursa_array out; /* strided; float to integer truncates and saturates, NaN gives 0; to bool: != 0 */
};

/* ---- elementwise -------------------------------------------------------- */

struct ursa_unary_args {
    ursa_unary_kind kind;
    ursa_array x;   /* strided */
    ursa_array out; /* strided; in place with x */
    float a, b;
};

struct ursa_unary_grad_args {
    ursa_unary_kind kind;
    ursa_array x;  /* strided; optional unless the kind needs X */
    ursa_array y;  /* strided; optional unless the kind needs Y */
    ursa_array dy; /* strided */
    ursa_array dx; /* strided; in place with dy */
    float a, b;
};

struct ursa_binary_args {
    ursa_binary_kind kind;
    ursa_array x, y; /* strided, same shape as out by zero strides */
    ursa_array out;  /* strided; in place with x or y when of the same type */
    float a, b;
};

struct ursa_where_args {
    ursa_array condition; /* strided, bool */
    ursa_array x, y;      /* strided */
    ursa_array out;       /* strided; in place with x or y */
};

/* Element i is kept where the uniform number u of element i (as in random) is
 * not below p. The gradient is the same call on dy. */
struct ursa_dropout_args {
    ursa_array x;
    ursa_array out; /* in place with x */
    float p;
    uint64_t key, counter;
};

/* ---- reductions and scans ----------------------------------------------- */

/* out has the rank of x; out.shape[i] is 1 on reduced axes, x.shape[i] on the
 * others. Integers: sum, product, min and max only. out has the type of x, or is
 * f32 where that is a half type. */
struct ursa_reduce_args {
    ursa_reduce_kind kind;
    ursa_array x; /* strided */
    ursa_array out;
};

/* var = Σ(x - mean)² / (n - correction), by two passes or Welford's method. */
struct ursa_moments_args {
    ursa_array x;         /* strided */
    ursa_array mean, var; /* shapes as in reduce; either optional */
    int correction;
};

/* out has shape 1 along axis, type i64. Ties: the first; NaN counts as the
 * extreme. */
struct ursa_arg_reduce_args {
    bool max; /* else min */
    int axis;
    ursa_array x; /* strided */
    ursa_array out;
};

struct ursa_cumsum_args {
    int axis;
    bool reverse; /* sums from the end */
    ursa_array x; /* strided */
    ursa_array out;
};

/* Stable. NaN sorts as larger than everything. k = values.shape[axis] ≤
 * x.shape[axis]. */
struct ursa_sort_args {
    int axis;
    bool descending;
    ursa_array x;       /* strided */
    ursa_array values;  /* optional */
    ursa_array indices; /* optional, i64 */
};

struct ursa_softmax_args {
    int axis;
    bool log;
    ursa_array x;
    ursa_array out; /* in place with x */
};

struct ursa_softmax_grad_args {
    int axis;
    bool log;
    ursa_array y, dy;
    ursa_array dx; /* in place with dy */
};

/* ---- products ----------------------------------------------------------- *
 * Every array but bias is f32 or T, which is one of f16 and bf16 in a call; bias
 * is f32. Where a factor — x and y, x and w, w and dy, or x and dy — is T, both
 * are rounded to T (to nearest, ties to even) before they are multiplied. Sums,
 * alpha, beta, bias and activation are in float, and the result is rounded once,
 * to the type of the output. So weights are kept as floats beside activations
 * of a half type, and their gradients come out as floats. */

/* out[b] = activation(alpha x[b] y[b] + beta out[b] + bias)
 * x [B, M, K] and y [B, K, N] take any strides as long as one of the last two
 * is 1 (or its extent is); batch strides may be 0. out [B, M, N] is
 * contiguous. beta 0 never reads out. */
struct ursa_gemm_args {
    ursa_array x, y;
    ursa_array out;
    ursa_array bias; /* [N], optional */
    float alpha, beta;
    ursa_activation activation;
};

/* The geometry of a convolution. Output pixel o looks at input pixels
 * o stride - pad + k dilation; what lies outside counts as zero. pad is that
 * of the top and left; the other side follows from the output's shape. */
typedef struct ursa_conv_geometry {
    int stride[2], pad[2], dilation[2]; /* rows, columns */
    int groups;
} ursa_conv_geometry;

/* mean and var are what batch norm asks of out: the mean and the biased variance of every channel over all pixels, of
 * out as it is stored or before it is rounded to a half type. Both or neither, and not with an activation; where out is
 * empty they are left as they are. */
struct ursa_conv2d_args {
    ursa_conv_geometry geometry;
    ursa_array x;    /* [N, H, W, C] */
    ursa_array w;    /* [O, KH, KW, C / groups] */
    ursa_array bias; /* [O], optional */
    ursa_array out;  /* [N, OH, OW, O] */
    ursa_activation activation;
    ursa_array mean, var; /* [O], f32, optional */
};

struct ursa_conv2d_grad_input_args {
    ursa_conv_geometry geometry;
    ursa_array dy; /* [N, OH, OW, O] */
    ursa_array w;
    ursa_array dx; /* [N, H, W, C] */
};

struct ursa_conv2d_grad_weight_args {
    ursa_conv_geometry geometry;
    ursa_array x, dy;
    ursa_array dw;
};

/* ---- pooling and normalisation ------------------------------------------ *
 * Images and activations (x, residual, out, y and their gradients) are of one
 * float type; scale, shift, their gradients and all statistics are f32, and so
 * is the arithmetic. */

/* Adaptive: output cell i of OH covers input rows floor(i H / OH) up to, not
 * including, ceil((i + 1) H / OH); window, stride and pad are ignored. */
typedef struct ursa_pool_geometry {
    int window[2], stride[2], pad[2];
    bool adaptive;
    bool count_pad; /* average: padding counts in the divisor */
} ursa_pool_geometry;

struct ursa_pool2d_args {
    ursa_pool_kind kind;
    ursa_pool_geometry geometry;
    ursa_array x;       /* [N, H, W, C] */
    ursa_array out;     /* [N, OH, OW, C] */
    ursa_array winners; /* max, optional: which pixel of its window won, the first of equals; shape of out */
};

/* Pixels along an axis (0 rows, 1 columns) of `in` pixels that a window spans at most, for `out` outputs. */
int64_t ursa_pool_span(const ursa_pool_geometry *geometry, int axis, int64_t in, int64_t out);
/* The first pixel under output o, negative in the padding. */
int64_t ursa_pool_first(const ursa_pool_geometry *geometry, int axis, int64_t o, int64_t in, int64_t out);
/* Winners count pixels from the first of their window, in rows of the span: a byte where
 * that is enough for every window, otherwise i32. Images are [N, H, W, C]. */
ursa_dtype ursa_pool_winner_type(const ursa_pool_geometry *geometry, const int64_t *image, const int64_t *result);

struct ursa_pool2d_grad_args {
    ursa_pool_kind kind;
    ursa_pool_geometry geometry;
    ursa_array dy;
    ursa_array winners; /* max only */
    ursa_array dx;      /* [N, H, W, C] */
};

/* x is [..., C]; statistics are over all axes but the last, with the biased
 * variance; running_var takes the unbiased one. In training the running
 * arrays, where present, become (1 - momentum) old + momentum new.
 * out = activation((x - mean) inv_std scale + shift + residual).
 * Where batch_mean and batch_var are present, they are taken for the statistics
 * of x, which is then read once. */
struct ursa_batch_norm_args {
    ursa_array x;
    ursa_array residual;                  /* optional: added, like x; out may be in its place */
    ursa_activation activation;           /* relu or relu6, where used */
    ursa_array scale, shift;              /* [C], optional: 1 and 0 */
    ursa_array batch_mean, batch_var;     /* [C], optional, both or neither, in training */
    ursa_array running_mean, running_var; /* [C]; read in inference; optional in training */
    ursa_array out;                       /* in place with x */
    ursa_array mean, inv_std;             /* [C], written in training */
    bool training;
    float momentum, eps;
};

/* In inference mean and inv_std are those of the running statistics, and dx is
 * only scaled. Behind an activation, dy counts where y, the output of the
 * forward call, lets it pass: a y that is absent is computed again from x,
 * scale and shift, which takes that there was no residual. */
struct ursa_batch_norm_grad_args {
    ursa_array x, dy;
    ursa_array y; /* optional */
    ursa_activation activation;
    ursa_array dresidual;      /* optional: what passes of dy; in place with dy */
    ursa_array scale, shift;   /* optional */
    ursa_array mean, inv_std;  /* [C] */
    ursa_array dx;             /* optional; in place with dy */
    ursa_array dscale, dshift; /* [C], optional */
    bool training;
};

/* x is [N, S, C]; each group of C / groups channels is normalised over S and
 * its channels. Layer norm: S = 1, groups = 1. Instance norm: groups = C. */
struct ursa_group_norm_args {
    ursa_array x;
    ursa_array scale, shift; /* [C], optional */
    ursa_array out;
    ursa_array mean, inv_std; /* [N, groups] */
    int groups;
    float eps;
};

struct ursa_group_norm_grad_args {
    ursa_array x, dy;
    ursa_array scale; /* optional */
    ursa_array mean, inv_std;
    ursa_array dx;
    ursa_array dscale, dshift; /* [C], optional */
    int groups;
};

/* ---- indexing ----------------------------------------------------------- */

/* x is seen as [outer, A, inner] around `axis`.
 * index [I] (along = false): out[o, i, n] = x[o, index[i], n]; index may have
 *   any rank, out then has its shape in the place of the axis.
 * index [outer, I, inner] (along = true, the shape of out):
 *   out[o, i, n] = x[o, index[o, i, n], n].
 * An index below 0 or not below A is an error: at once on the CPU, on an
 * asynchronous device when the host next reads from it. Nothing outside x is
 * ever touched. */
struct ursa_gather_args {
    int axis;
    bool along;
    ursa_array x;
    ursa_array index; /* i64 */
    ursa_array out;
};

/* The reverse: out[o, index[i], n] += x[o, i, n], added in the order of i. */
struct ursa_scatter_add_args {
    int axis; /* of out */
    bool along;
    ursa_array x;
    ursa_array index; /* i64 */
    ursa_array out;   /* read and written */
};

struct ursa_pad_args {
    ursa_pad_kind kind;
    ursa_array x;   /* strided */
    ursa_array out; /* shape of x plus before and after */
    int64_t before[URSA_MAX_DIMS];
    double value; /* constant only */
};

/* Not for constant borders: there the gradient is a slice. */
struct ursa_pad_grad_args {
    ursa_pad_kind kind;
    ursa_array dy;
    ursa_array dx;
    int64_t before[URSA_MAX_DIMS];
};

/* ---- resampling --------------------------------------------------------- *
 * Images and their gradients are of one float type, positions and theirs f32. */

/* As torch.nn.functional.interpolate: output pixel i is input position
 * (i + ½) H / OH - ½, or i (H - 1) / (OH - 1) with align_corners; nearest:
 * floor(i H / OH). Bicubic with a = -0.75. */
struct ursa_resize_args {
    ursa_resize_kind kind;
    bool align_corners;
    ursa_array x;   /* [N, H, W, C] */
    ursa_array out; /* [N, OH, OW, C] */
};

struct ursa_resize_grad_args {
    ursa_resize_kind kind;
    bool align_corners;
    ursa_array dy;
    ursa_array dx;
};

/* As torch.nn.functional.grid_sample. Positions are (x, y) from -1 to 1. */
struct ursa_grid_sample_args {
    ursa_resize_kind kind; /* nearest or bilinear */
    ursa_border_kind border;
    bool align_corners;
    ursa_array x;    /* [N, H, W, C] */
    ursa_array grid; /* [N, OH, OW, 2] */
    ursa_array out;  /* [N, OH, OW, C] */
};

struct ursa_grid_sample_grad_args {
    ursa_resize_kind kind;
    ursa_border_kind border;
    bool align_corners;
    ursa_array x, grid, dy;
    ursa_array dx;    /* optional */
    ursa_array dgrid; /* optional */
};

/* ---- losses ------------------------------------------------------------- */

/* Rows of logits x [M, C] against classes [M]. With q = (1 - smoothing) of the
 * class + smoothing / C of every class, and class weights v:
 *   loss[m] = -Σ_c q_c v_c log softmax(x[m])_c
 *   row_weight[m] = v[class]  (1 without weights)
 * Rows whose class is `ignore` get loss 0 and row_weight 0. Other classes
 * outside 0 … C-1 are an error, as in gather. */
struct ursa_cross_entropy_args {
    ursa_array x;
    ursa_array classes;    /* [M], i64 */
    ursa_array weight;     /* [C], optional */
    ursa_array loss;       /* [M] */
    ursa_array row_weight; /* [M] */
    ursa_array log_sum;    /* [M]: log Σ exp x, kept for the gradient */
    float smoothing;
    int64_t ignore;
};

struct ursa_cross_entropy_grad_args {
    ursa_array x;
    ursa_array classes;
    ursa_array weight; /* optional */
    ursa_array log_sum;
    ursa_array dloss; /* [M] */
    ursa_array dx;    /* [M, C] */
    float smoothing;
    int64_t ignore;
};

struct ursa_loss_args {
    ursa_loss_kind kind;
    ursa_array x, target; /* strided */
    ursa_array out;
    float a, b;
};

struct ursa_loss_grad_args {
    ursa_loss_kind kind;
    ursa_array x, target; /* strided */
    ursa_array dout;      /* strided */
    ursa_array dx;
    float a, b;
};

/* ---- optimizer steps ---------------------------------------------------- *
 * All arrays have the shape of param, are contiguous, and are updated in
 * place. Formulas are PyTorch's. `skip` is one number on the device: where it
 * is present and not 0, the step leaves everything as it is. */

/* g = grad + l2 param; momentum = mu momentum + (1 - dampening) g (first step:
 * momentum = g); d = nesterov ? g + mu momentum : momentum;
 * param = param (1 - lr decay) - lr d */
struct ursa_sgd_step_args {
    ursa_array param, grad;
    ursa_array momentum; /* optional when mu is 0 */
    float lr, mu, dampening, l2, decay;
    bool nesterov, first;
    ursa_array skip; /* [1], optional */
};

/* g = grad + l2 param; param *= 1 - lr decay; m = β1 m + (1 - β1) g;
 * v = β2 v + (1 - β2) g²;
 * param -= step_size m / (√v / denom_scale + eps), or, where `no_denom` (the
 * early steps of RAdam), param -= step_size m.
 * Adam: step_size = lr / (1 - β1ᵗ), denom_scale = √(1 - β2ᵗ). RAdam (Liu et
 * al. 2019) folds its rectification into step_size. */
struct ursa_adam_step_args {
    ursa_array param, grad, m, v;
    float lr, beta1, beta2, eps, l2, decay, step_size, denom_scale;
    bool no_denom;
    ursa_array skip; /* [1], optional */
};

/* g = grad + l2 param; param *= 1 - lr decay; v = α v + (1 - α) g²;
 * mean = α mean + (1 - α) g and v' = v - mean² where mean is present, else
 * v' = v; d = g / (√v' + eps); with momentum: buf = mu buf + d, d = buf;
 * param -= lr d */
struct ursa_rmsprop_step_args {
    ursa_array param, grad, v;
    ursa_array mean;     /* optional: the centred variant */
    ursa_array momentum; /* optional when mu is 0 */
    float lr, alpha, eps, mu, l2, decay;
    ursa_array skip; /* [1], optional */
};

/* LAMB (You et al. 2020): m, v as in Adam with bias corrections c1 = 1 - β1ᵗ,
 * c2 = 1 - β2ᵗ; u = (m / c1) / (√(v / c2) + eps) + decay param;
 * ratio = |param| / |u| (1 where either is 0), limited to max_ratio where that
 * is > 0; param -= lr ratio u. */
struct ursa_lamb_step_args {
    ursa_array param, grad, m, v;
    ursa_array update; /* scratch, shape of param */
    float lr, beta1, beta2, eps, decay, c1, c2, max_ratio;
    ursa_array skip; /* [1], optional */
};

/* ---- loss scaling -------------------------------------------------------- *
 * The state of a dynamic loss scale (Micikevicius et al. 2018, as PyTorch's
 * GradScaler has it): [4] = scale, good steps since it last changed, whether a
 * gradient was not finite (1 or 0), and steps skipped so far. */

/* grad /= scale; an element that is not finite sets the third number to 1. */
struct ursa_unscale_args {
    ursa_array grad; /* updated in place */
    ursa_array scaling;
};

/* After a step: where a gradient was not finite, scale *= backoff, no good
 * steps, one skipped more. Else one good step more; `interval` of them: scale *=
 * growth, unless that is not finite, and no good steps. Then nothing is found. */
struct ursa_update_scale_args {
    ursa_array scaling;
    float growth, backoff;
    int interval;
};

/* ---- the wrappers ------------------------------------------------------- */

/* Each checks its arguments (types, shapes, strides, devices), latches an
 * error and returns false when they do not fit, and starts the operator. */
#define URSA_OP(name, types, text) bool ursa_op_##name(ursa_device *device, const struct ursa_##name##_args *args);
#include "ops.def"
#undef URSA_OP

/* What the gradient of a unary function is computed from. */
ursa_grad_needs ursa_unary_needs(ursa_unary_kind kind);

/* The half type among up to three arrays, NULL or not; f32 where there is none. */
ursa_dtype ursa_half_type(const ursa_array *x, const ursa_array *y, const ursa_array *z);

/* Number of elements. */
int64_t ursa_array_count(const ursa_array *array);
bool ursa_array_is_contiguous(const ursa_array *array);

/* A shape as messages show it: ursa_shape_text(2, shape).text is "[2, 3]". */
struct ursa_shape_text {
    char text[144];
};
struct ursa_shape_text ursa_shape_text(int ndim, const int64_t *shape);

#endif
