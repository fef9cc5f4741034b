/* trial.h — one trial of one operator: random arguments, the same call on the
 * reference device and on the device under test, and a bound on how far apart
 * the results may be.
 *
 * For every operator of ops.def a family file defines
 *
 *     void draw_<op>(struct trial *t, struct ursa_<op>_args *args)
 *         fills in the parameters and declares the operands, with their values
 *     void bound_<op>(struct trial *t, const struct ursa_<op>_args *args)
 *         called after the reference has run: derives the tolerance of every
 *         output from the values; an output without one must be exact
 *
 * "Exact" means: the reference's result, rounded once to float and once to the
 * type of the output.
 */
#ifndef URSA_TESTS_TRIAL_H
#define URSA_TESTS_TRIAL_H

#include "device/backend.h"
#include "reference64.h"

/* Half an ulp of a float, relative: what one rounding may do. */
#define U 0x1p-24

enum role {
    INPUT,
    OUTPUT,  /* poisoned before the call, compared after it */
    INOUT,   /* has values before the call, compared after it */
    SCRATCH, /* poisoned, not compared */
};

/* How an operand may lie in memory. */
enum layout { CONTIGUOUS, STRIDED, BROADCAST /* strided, with zero strides */ };

struct shape {
    int ndim;
    int64_t dim[URSA_MAX_DIMS];
};

struct operand {
    const char *name;
    enum role role;
    size_t field;         /* where its array stands in the argument struct */
    struct operand *same; /* in place: the operand that it is */
    ursa_array array;     /* without a buffer */
    int64_t count;        /* elements */
    int64_t total;        /* elements of the buffer, with the guards around */
    unsigned char *content;

    /* Row-major; floats in the first of each pair, integers in the second. */
    double *values;
    int64_t *integers;
    double *expected;
    int64_t *expected_integers;
    double *tolerance; /* absolute; NULL: exact */
    double *magnitude; /* of the sums in the result, after measure() */
};

#define MAX_OPERANDS 12
#define MAX_ARGS     2048

struct trial;

struct kernel_test {
    const char *name, *types;
    size_t size;
    void (*draw)(struct trial *t, void *args);
    void (*bound)(struct trial *t, const void *args);
    bool (*run)(ursa_device *device, const void *args);
};

struct trial {
    const struct kernel_test *test;
    ursa_device *reference, *tested;
    bool libm_is_tight; /* functions within 1 ulp, as on the CPU; else OpenCL's limits */
    int64_t number;
    uint64_t key, counter;
    int64_t index_limit; /* what the indices, if any, stay below */
    bool small;          /* arrays of few elements, products of few multiplications */
    bool integers;       /* float operands hold small integers, so that sums are exact */
    void *args;
    struct operand operands[MAX_OPERANDS];
    int operand_count;
    char notes[1024];
};

/* ---- drawing ------------------------------------------------------------- */

uint32_t draw_bits(struct trial *t);
int64_t draw_below(struct trial *t, int64_t bound);
int64_t draw_between(struct trial *t, int64_t low, int64_t high); /* inclusive */
double draw_uniform(struct trial *t, double low, double high);
float draw_float(struct trial *t, double low, double high);
bool draw_chance(struct trial *t, double p);
ursa_dtype draw_float_type(struct trial *t);
ursa_dtype draw_number_type(struct trial *t); /* floats, i32, i64 */
ursa_dtype draw_any_type(struct trial *t);
/* Now and then empty, now and then large enough for several threads. */
struct shape draw_shape(struct trial *t, int min_ndim, int max_ndim);
struct shape draw_shape_of(struct trial *t, int min_ndim, int max_ndim, int64_t small, int64_t large);
int64_t draw_extent(struct trial *t, int64_t limit);
int64_t shape_count(struct shape shape);
#define SHAPE(...) ((struct shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/* Adds a line about the parameters to what is printed when the trial fails. */
void note(struct trial *t, const char *format, ...) URSA_PRINTF(2, 3);

/* Declares an operand; an INPUT or INOUT has values in -2 … 2 (integers -4 … 4)
 * until the family sets others. `array` points into the argument struct. */
struct operand *declare(struct trial *t, ursa_array *array, const char *name, enum role role, ursa_dtype dtype,
                        struct shape shape, enum layout layout);
/* Declares `array` to be an output in the very place of an input. */
struct operand *declare_same(struct trial *t, ursa_array *array, const char *name, struct operand *same);
void set_range(struct trial *t, struct operand *operand, double low, double high);

/* ---- bounds -------------------------------------------------------------- */

struct operand *operand_named(struct trial *t, const char *name); /* NULL when absent */
const double *values_of(struct trial *t, const char *name);       /* before the call; NULL when absent */
const double *expected_of(struct trial *t, const char *name);     /* after it */
double *tolerance_of(struct trial *t, const char *name);          /* to be filled in; NULL when absent */

/* Runs the reference once more with every float input replaced by its absolute
 * value, for the magnitudes of the terms of every sum. */
bool measure(struct trial *t, const void *absolute_args);
const double *magnitude_of(struct trial *t, const char *name);

/* How far a float sum of n terms may be off, relative to the sum of their
 * magnitudes, whatever the order: n roundings at worst, and within 6 √n of
 * them with near certainty (Higham and Mary, "A new approach to probabilistic
 * rounding error analysis", SIAM J. Sci. Comput. 41, 2019). */
double sum_error(int64_t n);

/* How far the mean of n numbers may be off, and then the variance, where `magnitude` is the mean of theirs: two passes,
 * or parts that are merged, but not the mean of squares less the square of the mean. */
double mean_error(double magnitude, int64_t n);
double variance_error(double var, double magnitude, double mean_off, int64_t n);
/* Half the distance of neighbours in a type, at a value that is not negative. */
double half_ulp(ursa_dtype dtype, double value);

/* What a unary function may be off at x, y = f(x), computed in float. */
double unary_error(const struct trial *t, ursa_unary_kind kind, double x, double y, double a, double b);
/* An activation behind a sum that is off by `error` itself. */
double activation_error(const struct trial *t, const ursa_activation *activation, double sum, double error, double y);
const char *unary_name(ursa_unary_kind kind);

/* ---- trials -------------------------------------------------------------- */

struct report {
    bool threads;   /* compare 1 and 3 threads, too */
    char text[512]; /* why the trial failed */
};

bool trial_run(struct trial *t, struct report *report);
/* The wrapper refuses arguments that do not fit. */
bool trial_refuses(struct trial *t, struct report *report);
/* An index outside its axis is an error, and nothing outside is touched. True
 * for operators without indices. */
bool trial_refuses_index(struct trial *t, struct report *report);
void trial_describe(struct trial *t);
void trial_free(struct trial *t);

#define URSA_OP(name, types, text)                                                                                     \
    void draw_##name(struct trial *t, struct ursa_##name##_args *args);                                                \
    void bound_##name(struct trial *t, const struct ursa_##name##_args *args);
#include "device/ops.def"
#undef URSA_OP

#endif
