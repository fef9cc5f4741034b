/* runtime.h — what the operators of the OpenCL backend stand on: a device with
 * one in-order queue of kernels and one of uploads beside it, kernels compiled
 * on first use, and one way to launch them.
 *
 * An operator is a few lines on the host:
 *
 *     bool ursa_opencl_softmax(ursa_device *base, const struct ursa_softmax_args *args)
 *     {
 *         struct ursa_cl_device *device = ursa_cl_device(base);
 *         struct ursa_cl_kernel *kernel =
 *             ursa_cl_kernel(device, "softmax", "softmax", "-DT=%s", ursa_cl_type(args->x.dtype));
 *         return ursa_cl_launch(device, kernel, ursa_cl_groups(rows, ursa_cl_group_size(kernel, 128)),
 *                               ursa_cl_array(&args->x), ursa_cl_array(&args->out), ursa_cl_int(n));
 *     }
 *
 * and its kernel in cl/softmax.cl begins with
 *
 *     #include "common.cl"
 *     kernel void softmax(INPUT(T, x), OUTPUT(T, out), int n)
 *     {
 *         LOCATE(x);
 *         LOCATE(out);
 *
 * Rules
 * - An array is two arguments of a kernel: the pointer and a `long` offset in
 *   elements. An absent array is a NULL pointer with offset 0.
 * - Kernels index within an array with `int`: ursa_cl_count() fails, with an
 *   error that names the operator, where that does not reach.
 * - Structs go by value with the same layout on both sides: cl_int and
 *   cl_float only, in the same order.
 * - What differs at compile time (types, kinds, what is present) is a build
 *   option; every distinct string of options is a program of its own, compiled
 *   when first needed and kept on disk.
 * - NULL kernels and negative counts come from failures that are latched
 *   already; ursa_cl_launch() turns them into false.
 */
#ifndef URSA_DEVICE_OPENCL_RUNTIME_H
#define URSA_DEVICE_OPENCL_RUNTIME_H

#include "device/backend.h"
#include "device/loop.h"
#include "device/opencl/loader.h"
#include <pthread.h>

struct ursa_cl_program;
struct ursa_cl_kernel;
struct ursa_cl_fault;
struct ursa_cl_timed;
struct ursa_cl_ring;
struct ursa_cl_tuning;

struct ursa_cl_device {
    struct ursa_device base;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue, uploads; /* both in order; of uploads: upload.c */
    const char *identity;            /* platform, device and driver version: what a binary is good for */
    size_t max_group;                /* work items in a group */
    size_t max_item[3];              /* along each axis of a group */
    cl_ulong local_memory;           /* bytes of local memory a group may use */
    cl_uint units;                   /* compute units */
    int reported_mma;                /* enum ursa_cl_instruction of matrix.h */
    int mma_state[2];                /* of f16 and bf16, for matrix.c */
    bool is_cpu;
    struct ursa_cl_tuning *tuning; /* of tuned.c, with a lock of its own */
    bool measures;                 /* commands are timed, for a profile: timing.c */

    pthread_mutex_t lock; /* guards everything below */
    struct ursa_cl_program *programs;
    struct ursa_cl_kernel *kernels[256]; /* by hash of name */
    int unflushed;                       /* launches since the last clFlush */
    cl_mem fault;                        /* two ints: code of the fault or 0, the index found */
    bool fault_armed;                    /* a kernel that may report one was launched since the last check */
    struct ursa_cl_fault *faults;        /* what the codes mean */
    int fault_count;

    pthread_mutex_t upload_lock; /* guards: */
    struct ursa_cl_ring *ring;   /* of upload.c */

    pthread_mutex_t timing_lock; /* guards: */
    struct ursa_cl_timed *timed; /* commands whose times were not asked for yet */
    int timed_count, timed_capacity;
    double clock_offset; /* what to add to the device's seconds to have the host's */
    bool clock_known;
};

static inline struct ursa_cl_device *ursa_cl_device(ursa_device *device)
{
    return (struct ursa_cl_device *)device;
}

/* ---- kernels ------------------------------------------------------------- */

/* Kernel `name` of cl/<file>.cl compiled with these options; shared, lives as
 * long as the device. NULL with an error when it does not compile. */
struct ursa_cl_kernel *ursa_cl_kernel(struct ursa_cl_device *device, const char *file, const char *name,
                                      const char *options, ...) URSA_PRINTF(4, 5);

/* The largest power of two ≤ `wanted` that this kernel can have as the size of
 * a one-dimensional group on its device; 1 for NULL. */
size_t ursa_cl_group_size(const struct ursa_cl_kernel *kernel, size_t wanted);

/* The name of a type in kernels, for -DT=…: f32, f16, bf16, i32, i64, u8, b8. */
const char *ursa_cl_type(ursa_dtype dtype);
/* The name of a function of unary.def, for -DACTIVATION=unary_%s (functions.cl). */
const char *ursa_cl_unary_name(ursa_unary_kind kind);

/* A type of the same size, for kernels that only move elements. */
const char *ursa_cl_raw_type(ursa_dtype dtype);
/* A number as the type stores it, in the low bytes; converts as copy does. */
cl_long ursa_cl_bits_of(ursa_dtype dtype, double value);

/* ---- arguments ----------------------------------------------------------- */

typedef struct ursa_cl_arg {
    enum { URSA_CL_ARRAY, URSA_CL_VALUE, URSA_CL_STRUCT, URSA_CL_LOCAL, URSA_CL_FAULT } kind;
    size_t size;
    union {
        cl_int i;
        cl_long l;
        cl_float f;
        cl_mem mem;
        const void *pointer;
    } value;
    cl_long offset;
} ursa_cl_arg;

/* The pointer and the offset of an array: two arguments. */
static inline ursa_cl_arg ursa_cl_array(const ursa_array *array)
{
    cl_mem mem = array->buffer ? (cl_mem)array->buffer->handle : NULL;
    return (ursa_cl_arg){
        .kind = URSA_CL_ARRAY, .size = sizeof(cl_mem), .value.mem = mem, .offset = mem ? array->offset : 0};
}

/* The same for a scratch buffer of ursa_buffer_new(): pointer and offset 0. */
static inline ursa_cl_arg ursa_cl_buffer(const ursa_buffer *buffer)
{
    cl_mem mem = buffer ? (cl_mem)buffer->handle : NULL;
    return (ursa_cl_arg){.kind = URSA_CL_ARRAY, .size = sizeof(cl_mem), .value.mem = mem};
}

static inline ursa_cl_arg ursa_cl_int(cl_int value)
{
    return (ursa_cl_arg){.kind = URSA_CL_VALUE, .size = sizeof value, .value.i = value};
}

static inline ursa_cl_arg ursa_cl_long(cl_long value)
{
    return (ursa_cl_arg){.kind = URSA_CL_VALUE, .size = sizeof value, .value.l = value};
}

static inline ursa_cl_arg ursa_cl_float(cl_float value)
{
    return (ursa_cl_arg){.kind = URSA_CL_VALUE, .size = sizeof value, .value.f = value};
}

/* A struct by value; read during the launch only. */
#define ursa_cl_struct(pointer_to_struct) ursa_cl_bytes(pointer_to_struct, sizeof *(pointer_to_struct))
static inline ursa_cl_arg ursa_cl_bytes(const void *pointer, size_t size)
{
    return (ursa_cl_arg){.kind = URSA_CL_STRUCT, .size = size, .value.pointer = pointer};
}

/* Local memory of a group. */
static inline ursa_cl_arg ursa_cl_local(size_t bytes)
{
    return (ursa_cl_arg){.kind = URSA_CL_LOCAL, .size = bytes};
}

/* Where a kernel reports an index outside 0 … limit - 1: three arguments,
 * `global int *fault, int fault_code, int limit` (FAULT_ARGUMENTS in common.cl). The
 * next read or sync fails with "<op>: index … is outside 0 … <limit - 1>". */
static inline ursa_cl_arg ursa_cl_fault(const char *op, cl_long limit)
{
    return (ursa_cl_arg){.kind = URSA_CL_FAULT, .value.pointer = op, .offset = limit};
}

/* ---- launching ----------------------------------------------------------- */

typedef struct ursa_cl_grid {
    int dims;
    size_t global[3]; /* work items; rounded up to whole groups, so kernels check their bounds */
    size_t local[3];  /* work items of a group */
} ursa_cl_grid;

/* `count` independent work items, in groups of a size the device likes. */
ursa_cl_grid ursa_cl_items(const struct ursa_cl_device *device, int64_t count);
/* The same over columns (the fast axis, 0) and rows (axis 1). */
ursa_cl_grid ursa_cl_items2(const struct ursa_cl_device *device, int64_t columns, int64_t rows);
/* `count` groups of `size` work items, for kernels that use local memory. */
ursa_cl_grid ursa_cl_groups(int64_t count, size_t size);

/* Enqueues a kernel; the only place that does. A grid without items is a
 * success without a launch. */
bool ursa_cl_run(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel, ursa_cl_grid grid, int count,
                 const ursa_cl_arg *args);
#define ursa_cl_launch(device, kernel, grid, ...)                                                                      \
    ursa_cl_run(device, kernel, grid, (int)(sizeof((ursa_cl_arg[]){__VA_ARGS__}) / sizeof(ursa_cl_arg)),               \
                (ursa_cl_arg[]){__VA_ARGS__})

/* Where the device `measures`: takes the event of a command that the calling
 * thread's operator has just enqueued; `beside` on the queue of uploads. */
void ursa_cl_time(struct ursa_cl_device *device, cl_event event, const char *name, bool beside);

/* The elements of an array, for `int` indices; -1 with an error that names the
 * operator when there are 2³¹ or more. */
cl_int ursa_cl_count(const char *op, const ursa_array *array);

/* ---- elementwise --------------------------------------------------------- */

/* The merged axes of an elementwise operator, twin of loop_t in cl/common.cl.
 * Goes to the kernel by value; `ndim` goes into its options as -DNDIM=%d. */
struct ursa_cl_axes {
    cl_int count;
    cl_int shape[URSA_MAX_DIMS];
    cl_int stride[URSA_LOOP_OPERANDS][URSA_MAX_DIMS];
};

struct ursa_cl_loop {
    struct ursa_cl_axes axes; /* &loop.axes for ursa_cl_struct() */
    int ndim;                 /* 0: every array that is present is contiguous */
};

/* False with an error where `int` indices do not reach. */
bool ursa_cl_loop_plan(const char *op, struct ursa_cl_loop *loop, int operands, const ursa_array *const *arrays);

/* ---- parts of the backend, for table.c and provider.c --------------------- */

void *ursa_cl_allocate(ursa_device *device, size_t bytes);
void ursa_cl_release(ursa_device *device, void *handle, size_t bytes);
bool ursa_cl_write(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                   int64_t count);
bool ursa_cl_read(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                  int64_t count);
bool ursa_cl_sync(ursa_device *device);
void ursa_cl_close(ursa_device *device);
void ursa_cl_collect(ursa_device *device);
double ursa_cl_peak_gflops(ursa_device *device, ursa_dtype dtype);
void ursa_cl_free_uploads(struct ursa_cl_device *device);
void ursa_cl_free_times(struct ursa_cl_device *device);

/* Frees the kernels and programs of a device. */
void ursa_cl_free_programs(struct ursa_cl_device *device);

/* The operators, each where its family is. */
#define URSA_OP(name, types, text) bool ursa_opencl_##name(ursa_device *device, const struct ursa_##name##_args *args);
#include "device/ops.def"
#undef URSA_OP
extern const struct ursa_backend ursa_opencl_backend;

/* The embedded sources, generated from cl/ by scripts/embed.py; the last has a
 * NULL name. */
struct ursa_cl_source {
    const char *name, *text;
};
extern const struct ursa_cl_source ursa_cl_sources[];

/* The disk cache of compiled programs (cache.c). `key` tells everything that a
 * binary depends on. Reading gives NULL when there is none, or none that is
 * whole; failing to write is only logged. */
unsigned char *ursa_cl_cache_read(const char *key, size_t *bytes); /* free() it */
void ursa_cl_cache_write(const char *key, const unsigned char *data, size_t bytes);
/* The path of a file for a key in the folder of the cache, which is made; NULL where there is no place for it. */
char *ursa_cl_cache_path(const char *key, const char *extension);

#endif
