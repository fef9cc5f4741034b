/* tuning.h — what can be tuned about a product: the method and the tile that
 * compute it. A model of the device chooses at first; what `ursa tune` measured
 * and stored goes before it.
 *
 *     struct ursa_cl_product problem = {URSA_CL_GEMM, URSA_F32, .batch = 1, .m = m, .n = n, .k = k};
 *     struct ursa_cl_choice choice = ursa_cl_choose(device, &problem);
 *
 * The tuner goes through ursa_cl_candidates() with ursa_cl_time_choice() and keeps
 * the fastest under the problem's ursa_cl_product_class().
 */
#ifndef URSA_DEVICE_OPENCL_TUNING_H
#define URSA_DEVICE_OPENCL_TUNING_H

#include "device/opencl/runtime.h"

/* Devices that are alike: by the names that platform and device give themselves.
 * URSA_CL_FAMILY=cpu|nvidia|gcn|rdna|intel|mali|apple|gpu claims another, so that
 * kernels for devices that are not at hand can be tested. */
enum ursa_cl_family {
    URSA_CL_CPU,
    URSA_CL_NVIDIA,
    URSA_CL_GCN,  /* AMD: wavefronts of 64 */
    URSA_CL_RDNA, /* AMD: wavefronts of 32 */
    URSA_CL_INTEL,
    URSA_CL_MALI,
    URSA_CL_APPLE,
    URSA_CL_OTHER_GPU,
    URSA_CL_FAMILIES
};
enum ursa_cl_family ursa_cl_family(const struct ursa_cl_device *device);

/* `batch` products of m rows, n columns and sums of k terms. Of a convolution and its
 * gradients they are the sides of the matrices that it comes down to: pixels,
 * channels of the result, and taps times channels of the source; for the
 * gradient to the weights channels of the result, taps times channels, pixels.
 * Groups are the batch. */
struct ursa_cl_product {
    enum ursa_cl_product_kind { URSA_CL_GEMM, URSA_CL_CONV, URSA_CL_CONV_WEIGHT } kind;
    ursa_dtype type; /* that the factors are rounded to */
    int64_t batch, m, n, k;
    bool by_element;         /* of convolutions: channels are no multiple of four, so that no vectors are read */
    int window;              /* side of a square window of stride 1 whose taps meet, as 3 × 3; else 0. gemm: 0 */
    bool x_across, y_across; /* gemm: neighbours in memory are neighbours along K in x, along N in y */
};

/* A group of items_down × items_across work items computes rows × columns
 * results, depth terms at a time; every item computes blocks of
 * block_rows × block_columns, or every subgroup does where matrix instructions are used. */
struct ursa_cl_tile {
    int rows, columns, depth;
    int items_down, items_across;
    int block_rows, block_columns;
};

struct ursa_cl_choice {
    enum ursa_cl_method {
        URSA_CL_TILES,
        URSA_CL_CLBLAST,  /* gemm only; the tile is for factors whose strides it does not take */
        URSA_CL_WINOGRAD, /* convolutions with a window of 3; its products choose their own tile */
        URSA_CL_MATRIX,   /* by the device's matrix instructions */
    } method;
    struct ursa_cl_tile tile;
};

/* Everything that may compute this problem on this device, the model's choice first. */
enum { URSA_CL_MOST_CANDIDATES = 24 };
int ursa_cl_candidates(struct ursa_cl_device *device, const struct ursa_cl_product *product,
                       struct ursa_cl_choice *candidates);

/* Whether both compute a product in the same way. */
bool ursa_cl_same_way(const struct ursa_cl_choice *a, const struct ursa_cl_choice *b);

/* The model's choice among the tiles for the device's matrix instruction, which it must report. */
struct ursa_cl_choice ursa_cl_matrix_choice(const struct ursa_cl_device *device, const struct ursa_cl_product *product);

/* Seconds that the product takes with this choice, as the median of some runs on arrays made
 * for it; negative, with an error, when it does not run. Waits for the device. */
double ursa_cl_time_choice(struct ursa_cl_device *device, const struct ursa_cl_product *product,
                           const struct ursa_cl_choice *choice);

/* The name that problems share when a choice for one suits the others: "conv bf16 1x4096x64x1024 w3":
 * extents are rounded up to powers of two. */
enum { URSA_CL_CLASS_LENGTH = 96 };
void ursa_cl_product_class(const struct ursa_cl_product *product, char name[URSA_CL_CLASS_LENGTH]);

/* The choice: the one on trial in ursa_cl_time_choice(), the stored one while it is a candidate, or that of the
 * model. */
struct ursa_cl_choice ursa_cl_choose(struct ursa_cl_device *device, const struct ursa_cl_product *product);

/* Makes this thread's calls take a choice; NULL ends that. */
void ursa_cl_try_choice(const struct ursa_cl_choice *choice);

/* ---- what was measured (tuned.c) ------------------------------------------ */

/* The fastest way found for a class of problems on this device; false when none was measured. */
bool ursa_cl_stored_choice(const struct ursa_cl_device *device, const char *product_class,
                           struct ursa_cl_choice *choice);
/* Keeps one, on disk too; false with an error. */
bool ursa_cl_store_choice(const struct ursa_cl_device *device, const char *product_class,
                          const struct ursa_cl_choice *choice, double seconds);
/* Told of every problem that ursa_cl_choose() is asked about: `ursa tune` watches for them. */
void ursa_cl_note_product(const struct ursa_cl_device *device, const struct ursa_cl_product *product);

struct ursa_cl_tuning *ursa_cl_tuning_new(void);
void ursa_cl_tuning_free(struct ursa_cl_tuning *tuning);
extern const struct ursa_tuner ursa_cl_tuner;

#endif
