/* matrix.c — which instruction multiplies matrices of halves here, and whether it does so. */
#include "device/opencl/matrix.h"
#include "base/error.h"
#include "base/log.h"
#include "device/opencl/tuning.h"
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int lanes;
} instructions[URSA_CL_INSTRUCTIONS] = {
    [URSA_CL_NO_MMA] = {"off", 1}, [URSA_CL_M16N8K16] = {"m16n8k16", 32}, [URSA_CL_M16N8K8] = {"m16n8k8", 32},
    [URSA_CL_WMMA] = {"wmma", 32}, [URSA_CL_MFMA] = {"mfma", 64},         [URSA_CL_DPAS] = {"dpas", 8},
};

const char *ursa_cl_mma_name(enum ursa_cl_instruction instruction)
{
    return instructions[instruction].name;
}

/* ---- what the device reports --------------------------------------------------- */

/* cl_nv_device_attribute_query, cl_intel_required_subgroup_size */
enum { COMPUTE_CAPABILITY_MAJOR_NV = 0x4000, COMPUTE_CAPABILITY_MINOR_NV = 0x4001, SUB_GROUP_SIZES_INTEL = 0x4108 };

static enum ursa_cl_instruction of_nvidia(cl_device_id id)
{
    cl_uint major = 0, minor = 0;
    ursa_cl.GetDeviceInfo(id, COMPUTE_CAPABILITY_MAJOR_NV, sizeof major, &major, NULL);
    ursa_cl.GetDeviceInfo(id, COMPUTE_CAPABILITY_MINOR_NV, sizeof minor, &minor, NULL);
    return major >= 8 ? URSA_CL_M16N8K16 : major == 7 && minor >= 5 ? URSA_CL_M16N8K8 : URSA_CL_NO_MMA;
}

static enum ursa_cl_instruction of_intel(cl_device_id id)
{
    size_t sizes[8] = {0}, bytes = 0;
    if (ursa_cl.GetDeviceInfo(id, SUB_GROUP_SIZES_INTEL, sizeof sizes, sizes, &bytes) != CL_SUCCESS)
        return URSA_CL_NO_MMA;
    for (size_t i = 0; i < bytes / sizeof *sizes; i++)
        if (sizes[i] == (size_t)instructions[URSA_CL_DPAS].lanes)
            return URSA_CL_DPAS;
    return URSA_CL_NO_MMA; /* subgroups of 16 hold other halves */
}

static bool begins_with(const char *name, const char *const *beginnings)
{
    for (; *beginnings; beginnings++)
        if (strncmp(name, *beginnings, strlen(*beginnings)) == 0)
            return true;
    return false;
}

enum ursa_cl_instruction ursa_cl_reported_mma(cl_device_id id, const char *name, const char *extensions)
{
    static const char *const with_wmma[] = {"gfx11", NULL};
    static const char *const with_mfma[] = {"gfx908", "gfx90a", "gfx940", "gfx941", "gfx942", NULL};
    if (strstr(extensions, "cl_nv_device_attribute_query"))
        return of_nvidia(id);
    if (strstr(extensions, "cl_intel_subgroup_matrix_multiply_accumulate"))
        return of_intel(id);
    return begins_with(name, with_wmma) ? URSA_CL_WMMA : begins_with(name, with_mfma) ? URSA_CL_MFMA : URSA_CL_NO_MMA;
}

bool ursa_cl_mma_takes(enum ursa_cl_instruction instruction, const char *name, ursa_dtype type)
{
    bool f16_only = instruction == URSA_CL_M16N8K8 || (instruction == URSA_CL_MFMA && strstr(name, "gfx908"));
    return instruction != URSA_CL_NO_MMA && (type == URSA_F16 || (type == URSA_BF16 && !f16_only));
}

static enum ursa_cl_instruction named(const char *name)
{
    enum ursa_cl_instruction i = URSA_CL_NO_MMA;
    while (i < URSA_CL_INSTRUCTIONS && strcmp(instructions[i].name, name) != 0)
        i++;
    return i;
}

struct ursa_cl_mma ursa_cl_mma_unchecked(const struct ursa_cl_device *device, ursa_dtype type)
{
    const char *claim = getenv("URSA_CL_MMA");
    enum ursa_cl_instruction claimed = claim ? named(claim) : URSA_CL_INSTRUCTIONS;
    bool twin = claimed != URSA_CL_INSTRUCTIONS;
    enum ursa_cl_instruction instruction = twin ? claimed : (enum ursa_cl_instruction)device->reported_mma;
    if (!ursa_cl_mma_takes(instruction, device->base.info.name, type))
        instruction = URSA_CL_NO_MMA;
    return (struct ursa_cl_mma){instruction, twin, instructions[instruction].lanes};
}

/* ---- whether it works ------------------------------------------------------------- */

/* A product of whole numbers, which is exact. */
enum { M = 40, N = 36, K = 72 };

static float x_at(int i)
{
    return (float)(i * 7 % 5 - 2);
}

static float y_at(int i)
{
    return (float)(i * 5 % 7 - 3);
}

static ursa_array matrix(struct ursa_cl_device *device, ursa_dtype type, int rows, int columns)
{
    ursa_buffer *buffer = ursa_buffer_new(&device->base, type, (int64_t)rows * columns);
    return (ursa_array){.buffer = buffer,
                        .dtype = type,
                        .ndim = 3,
                        .shape = {1, rows, columns},
                        .stride = {(int64_t)rows * columns, columns, 1}};
}

static bool fill(struct ursa_cl_device *device, const ursa_array *a, float (*at)(int))
{
    uint16_t halves[M * K + N * K];
    int64_t count = ursa_array_count(a);
    for (int i = 0; i < count; i++)
        halves[i] = a->dtype == URSA_F16 ? ursa_f16_from_f32(at(i)) : ursa_bf16_from_f32(at(i));
    return a->buffer && ursa_cl_write(&device->base, a->buffer, 0, a->dtype, halves, count);
}

/* Past ursa_cl_read(), which would report what other kernels found amiss. */
static bool is_product(struct ursa_cl_device *device, const ursa_array *out)
{
    float found[M * N];
    if (ursa_cl.EnqueueReadBuffer(device->queue, out->buffer->handle, CL_TRUE, 0, sizeof found, found, 0, NULL, NULL) !=
        CL_SUCCESS)
        return false;
    for (int i = 0; i < M * N; i++) {
        float sum = 0;
        for (int k = 0; k < K; k++)
            sum += x_at(i / N * K + k) * y_at(k * N + i % N);
        if (found[i] != sum)
            return false;
    }
    return true;
}

static bool multiplies(struct ursa_cl_device *device, ursa_dtype type)
{
    struct ursa_cl_product product = {
        .kind = URSA_CL_GEMM, .type = type, .batch = 1, .m = M, .n = N, .k = K, .x_across = true, .y_across = true};
    struct ursa_cl_choice choice = ursa_cl_matrix_choice(device, &product);
    ursa_array x = matrix(device, type, M, K), y = matrix(device, type, K, N), out = matrix(device, URSA_F32, M, N);
    ursa_cl_try_choice(&choice);
    bool ok = out.buffer && fill(device, &x, x_at) && fill(device, &y, y_at) &&
              ursa_opencl_gemm(&device->base, &(struct ursa_gemm_args){.x = x, .y = y, .out = out, .alpha = 1}) &&
              is_product(device, &out);
    ursa_cl_try_choice(NULL);
    ursa_buffer_release(x.buffer);
    ursa_buffer_release(y.buffer);
    ursa_buffer_release(out.buffer);
    return ok;
}

/* With the thread's errors set aside: that an instruction is of no use is none. */
static bool works(struct ursa_cl_device *device, ursa_dtype type, enum ursa_cl_instruction instruction)
{
    ursa_error_state aside;
    ursa_error_set_aside(&aside);
    bool ok = multiplies(device, type);
    const char *why = ursa_error() ? ursa_error() : "a product comes out wrong";
    ursa_log_line(ok ? URSA_LOG_DEBUG : URSA_LOG_WARN, "opencl: %s on %s: %s%s", instructions[instruction].name,
                  device->base.info.name, ok ? "works" : "is left alone: ", ok ? "" : why);
    ursa_error_restore(&aside);
    return ok;
}

struct ursa_cl_mma ursa_cl_mma(struct ursa_cl_device *device, ursa_dtype type)
{
    enum { UNKNOWN, WORKS, FAILS };
    struct ursa_cl_mma mma = ursa_cl_mma_unchecked(device, type);
    if (mma.instruction == URSA_CL_NO_MMA || mma.twin)
        return mma;
    int *state = &device->mma_state[type == URSA_BF16], known = __atomic_load_n(state, __ATOMIC_ACQUIRE);
    if (known == UNKNOWN) { /* by two threads at once, perhaps: they find the same */
        known = works(device, type, mma.instruction) ? WORKS : FAILS;
        __atomic_store_n(state, known, __ATOMIC_RELEASE);
    }
    return known == WORKS ? mma : (struct ursa_cl_mma){.instruction = URSA_CL_NO_MMA, .lanes = 1};
}
