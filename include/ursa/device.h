/* device.h — where tensors live and operators run: element types, the choice
 * of a device, and its memory.
 *
 * Work on a device is asynchronous: functions that start it return at once,
 * and only reading a number back waits.
 */
#ifndef URSA_DEVICE_H
#define URSA_DEVICE_H

#include <ursa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element types ------------------------------------------------------ */

typedef enum ursa_dtype {
    URSA_F32 = 0, /* the default of every function that makes a tensor */
    URSA_F16,     /* IEEE half */
    URSA_BF16,    /* the upper half of a float */
    URSA_I32,
    URSA_I64,
    URSA_U8,
    URSA_BOOL, /* one byte, 0 or 1 */
    URSA_DTYPE_COUNT,
} ursa_dtype;

URSA_API const char *ursa_dtype_name(ursa_dtype dtype); /* "f32", … */
URSA_API size_t ursa_dtype_size(ursa_dtype dtype);      /* bytes of an element on the host */
URSA_API bool ursa_dtype_is_float(ursa_dtype dtype);

/* Conversions as every device does them: to nearest, ties to even. */
URSA_API uint16_t ursa_f16_from_f32(float value);
URSA_API float ursa_f32_from_f16(uint16_t bits);
URSA_API uint16_t ursa_bf16_from_f32(float value);
URSA_API float ursa_f32_from_bf16(uint16_t bits);

/* ---- profiles ----------------------------------------------------------- */

/* Times every call of an operator from now on, as `ursa profile` does, and shows
 * at ursa_finish() where the time went. Called before a device is opened. On
 * OpenCL the time is the device's own, of the operator's kernels, and nothing
 * waits for them; on the CPU it is the clock's. URSA_PROFILE=1 in the environment
 * is .table, URSA_PROFILE=FILE.json is .trace. docs/profiling.md says more. */
typedef struct ursa_profile_options {
    bool table;        /* on stderr: operators by their shapes, with time, share, GFLOP/s and GB/s */
    bool json;         /* the same on stdout, an object per line */
    int rows;          /* of the table, before the rest is summed up (30) */
    const char *trace; /* file for all calls and kernels, which chrome://tracing and Perfetto show */
} ursa_profile_options;
#define ursa_profile(...) ursa_profile_opt(&(ursa_profile_options){__VA_ARGS__})
URSA_API bool ursa_profile_opt(const ursa_profile_options *options);

/* ---- devices ------------------------------------------------------------ */

typedef struct ursa_device ursa_device;

/* One line of `ursa devices`. Strings live as long as the program. */
typedef struct ursa_device_info {
    const char *id;     /* what selects it: "cpu", "opencl:0", … */
    const char *name;   /* the processor's or the card's */
    const char *driver; /* "ursa 0.1" for the CPU; platform and driver version for OpenCL */
    const char *level;  /* instruction set ("avx2") or OpenCL version ("OpenCL 1.2") */
    uint64_t memory;    /* bytes; URSA_DEVICE_MEMORY=512M makes an opened device do with less */
    uint64_t largest;   /* bytes that one buffer can have; 0: as many as there are */
    bool unified;       /* the device works on the host's own memory */
    bool f16_storage, f16_compute, bf16_compute;
    bool is_gpu;
    bool is_default; /* what "auto" means here */
} ursa_device_info;

/* How many devices there are, and each. Missing drivers, or a missing OpenCL
 * loader, only make the list shorter. */
URSA_API int ursa_device_count(void);
URSA_API bool ursa_device_describe(int index, ursa_device_info *info);

/* Opens a device, or returns the open one. `spec` is
 *   NULL        what URSA_DEVICE says, else "auto"
 *   "auto"      the first OpenCL GPU that works, else the CPU
 *   "cpu"       the SIMD backend (URSA_CPU=reference|avx2|avx512|… picks another instruction set)
 *   "opencl"    the first OpenCL device, GPUs first
 *   "opencl:N"  the N-th, as `ursa devices` numbers them
 *   other       the device whose name contains this text, whatever its case
 * Devices are shared, live until ursa_finish(), and are not freed by hand.
 * NULL, with an error that lists the devices there are, when none fits. */
URSA_API ursa_device *ursa_device_open(const char *spec);

/* The device of tensors that do not say otherwise, per process; opened on
 * first use by ursa_device_open(NULL). */
URSA_API ursa_device *ursa_default_device(void);
URSA_API bool ursa_set_default_device(ursa_device *device);

URSA_API const char *ursa_device_id(const ursa_device *device);
URSA_API const char *ursa_device_name(const ursa_device *device);

/* Waits until all that was asked of the device is done. */
URSA_API bool ursa_device_sync(ursa_device *device);

/* What the caching allocator holds, in bytes. */
typedef struct ursa_memory_stats {
    uint64_t used;        /* in buffers that somebody holds */
    uint64_t cached;      /* free, kept for the next request */
    uint64_t peak;        /* the highest `used` since the last reset */
    uint64_t allocations; /* requests that went through to the driver */
    uint64_t refused;     /* requests for which there was no memory */
} ursa_memory_stats;

URSA_API ursa_memory_stats ursa_device_memory(const ursa_device *device);
URSA_API void ursa_device_reset_peak(ursa_device *device);
URSA_API void ursa_device_trim(ursa_device *device); /* gives cached memory back */

/* How often the host has waited for the device to finish what it was asked to do
 * since the device was opened. Steps of training do not: what is counted is the
 * reading of losses that somebody wants to see. */
URSA_API uint64_t ursa_device_waits(const ursa_device *device);

/* Programs of kernels that this process made for the device: compiled, which
 * takes long, or taken from the cache on disk, where every compiled one is kept. */
typedef struct ursa_program_stats {
    uint64_t compiled, loaded;
    double seconds; /* for both */
} ursa_program_stats;
URSA_API ursa_program_stats ursa_device_programs(const ursa_device *device);

/* The rate of independent fused multiply-adds that the device reaches on factors
 * of this type, added up as floats, in GFLOP/s: measured now, in a tenth of a
 * second or so; 0 where it cannot be. */
URSA_API double ursa_device_peak_gflops(ursa_device *device, ursa_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
