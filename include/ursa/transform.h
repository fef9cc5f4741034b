/* transform.h — values on their way from a file to a batch, and what is done to them.
 *
 * A value is one input or target in host memory. Transforms of items work on
 * values, on the threads that fetch data; transforms of batches work on whole
 * tensors, on the device. A transform is itself a value, made by a function
 * that names its arguments (ursa_resize(128), ursa_normalize(ursa_imagenet_stats)),
 * so that lists of them are plain initialisers and any of them can be written
 * to a model file by its name and arguments.
 *
 * What is random draws from a stream that belongs to the item and the epoch
 * alone: neither threads nor the make-up of batches change it.
 */
#ifndef URSA_TRANSFORM_H
#define URSA_TRANSFORM_H

#include <ursa/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values ---------------------------------------------------------------- */

/* What an input or a target is. The shape of one item, and its type: */
typedef enum ursa_kind {
    URSA_KIND_TENSOR,         /* anything else */
    URSA_KIND_IMAGE,          /* u8 [H, W, C], C 1 or 3; in a batch f32, 0 … 1 before normalisation */
    URSA_KIND_MASK,           /* u8 [H, W], a class per pixel; in a batch i64 */
    URSA_KIND_POINTS,         /* f32 [K, 2], x then y in pixels; in a batch -1 … 1 from edge to edge of the image */
    URSA_KIND_CATEGORY,       /* i64 [] */
    URSA_KIND_MULTI_CATEGORY, /* f32 [classes], 0 or 1 */
    URSA_KIND_REGRESSION,     /* f32 [K], or [] for a single number */
} ursa_kind;

typedef struct ursa_value {
    ursa_kind kind;
    ursa_dtype dtype;
    ursa_dims shape;
    void *data; /* row-major, the value's own. NULL while an image or mask is still in its file: `shape` then is what
                   the file says (upright, with the channels wanted), and ursa_value_decode() reads it */
    char *path; /* the file it comes from, the value's own, or NULL */
    /* How to read it, from whoever made a value without data: fills in `data`, of `shape` and `dtype`. Transforms that
     * know the kind may by themselves read less than all of it. */
    bool (*decode)(struct ursa_value *value);
} ursa_value;

/* Reads the pixels of an image that is still in its file; at once true for
 * every other value. */
URSA_API bool ursa_value_decode(ursa_value *value);
/* Frees what the value holds and makes it empty. */
URSA_API void ursa_value_clear(ursa_value *value);

/* ---- transforms -------------------------------------------------------------- */

enum { URSA_TRANSFORMS = 16, URSA_TRANSFORM_ARGUMENTS = 16 };

/* One of the values, `class` NULL for the end of a list. */
typedef struct ursa_transform {
    const struct ursa_transform_class *class;
    double argument[URSA_TRANSFORM_ARGUMENTS];
} ursa_transform;

/* A batch on the device, and what is in it. */
typedef struct ursa_transform_batch {
    ursa_tensor *x, *y; /* of the caller's scope; y NULL where there are no targets */
    ursa_kind x_kind, y_kind;
    int64_t count;
    ursa_rng *rngs; /* a stream per item */
} ursa_transform_batch;

/* How neighbouring geometry reads its source. Whoever is first to say something
 * decides. */
typedef struct ursa_sampling {
    int64_t rows, columns; /* of the result; 0: as the source */
    int border;            /* an ursa_border; -1: nobody has said, which means URSA_REFLECTION */
} ursa_sampling;

/* How a kind of transform works. Exactly one of `item`, `geometry`, `light`,
 * `batch` and `expand` is there. */
typedef struct ursa_transform_class {
    const char *name;             /* "resize": in model files and summaries */
    const char *const *arguments; /* names of argument[], up to a NULL; in model files */
    int order;                    /* lists are run in this order, equal ones as they stand: warping 29, other geometry
                                     30, hue 35, light 40, normalisation 90, erasing 100; items' 0 */
    bool training_only;           /* augmentation: left out in validation and prediction */

    /* Changes one item, x and y alike; y NULL where there is no target. `training` false asks for the sure variant
     * of a random transform. */
    bool (*item)(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng);

    /* The geometry of one item of a batch of images, rows × columns: multiplies
     * `map`, a row-major 3×3 homography from coordinates of the result to those
     * of the source (x right, y down, -1 … 1 from the centre of the first pixel
     * to that of the last, as fastai's), from the right, so that all geometry of
     * a list is one interpolation. Returns false, with an error, when it cannot. */
    bool (*geometry)(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                     double map[9]);
    /* Beside `geometry`: what it has to say about the interpolation; NULL: nothing. */
    void (*sampling)(const ursa_transform *transform, ursa_sampling *sampling);

    /* The colours of one item of a batch of images: multiplies `map`, a row-major
     * 3×4 affine map of the logits of red, green and blue, from the left, so that
     * all light of a list is one pass. */
    bool (*light)(const ursa_transform *transform, ursa_rng *rng, double map[12]);

    /* Changes a whole batch. */
    bool (*batch)(const ursa_transform *transform, ursa_transform_batch *batch);
    bool takes_bytes; /* `batch` takes images u8 as they are uploaded, too, where it is the first of a list, and makes
                         of them what it makes of them in f32 */

    /* Undoes it for showing (normalisation); NULL: nothing to undo. */
    ursa_tensor *(*decode)(const ursa_transform *transform, ursa_tensor *x);

    /* Stands for others, at most URSA_TRANSFORMS: writes them to `out` and returns how many. */
    int (*expand)(const ursa_transform *transform, ursa_transform *out);
} ursa_transform_class;

/* Runs a list, up to its first entry without class or URSA_TRANSFORMS entries. */
URSA_API bool ursa_transform_item(const ursa_transform *list, ursa_value *x, ursa_value *y, bool training,
                                  ursa_rng *rng);
/* The same for a batch as the loader uploads it. First images u8 become f32
 * 0 … 1, masks i64, and points in pixels of x -1 … 1 from edge to edge.
 * Neighbouring geometry is run as one interpolation, neighbouring light as one pass over the pixels; geometry is
 * applied to images bilinearly, to masks by nearest neighbour, to points by the inverse map. Transforms that are for
 * training only are left out of others. */
URSA_API bool ursa_transform_run_batch(const ursa_transform *list, bool training, ursa_transform_batch *batch);
/* x of a batch as it was before what can be undone, f32 0 … 1 for images. */
URSA_API ursa_tensor *ursa_transform_decode(const ursa_transform *list, ursa_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
