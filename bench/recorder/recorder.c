/* recorder.c — an OpenCL library that computes nothing and writes down what it is
 * asked to compile and to run. It says that it is a GPU which need not be at hand, so that the
 * backend chooses for that GPU; bench/gpu-evidence then gives what was written down to
 * the compilers of such GPUs.
 *
 *     LD_LIBRARY_PATH=build/bench/recorder URSA_RECORDER=FOLDER URSA_RECORDER_GPU=nvidia \
 *         ursa bench train --device opencl
 *
 * FOLDER/N.cl is the source of program N; a line of FOLDER/kernels is
 * "N<TAB>kernel<TAB>work items of a group<TAB>options of the program". Memory that is read holds zeros or what the host
 * wrote. One thread at a time.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a GPU says about itself, as drivers do. */
static const struct gpu {
    const char *name; /* for URSA_RECORDER_GPU */
    const char *platform, *device;
    size_t group;
    cl_ulong local_memory;
    cl_uint units;
} gpus[] = {
    {"nvidia", "NVIDIA CUDA", "NVIDIA A100-PCIE-40GB", 1024, 48 << 10, 108},
    {"amd", "AMD Accelerated Parallel Processing", "gfx1030", 256, 64 << 10, 36},
    {"intel", "Intel(R) OpenCL Graphics", "Intel(R) Arc(TM) A770 Graphics", 1024, 64 << 10, 512},
};

struct _cl_mem {
    unsigned char *bytes; /* pages that nobody touches take no memory */
    size_t size;
};

struct _cl_program {
    char *source, options[1024];
    int number; /* 0 before it is built */
};

struct _cl_kernel {
    cl_program program;
    char name[64];
    bool was_run;
};

/* Objects of which there is only one. */
struct _cl_platform_id {
    int unused;
};
static struct _cl_platform_id thing;

static const struct gpu *gpu(void)
{
    const char *name = getenv("URSA_RECORDER_GPU");
    for (size_t i = 0; name && i < sizeof gpus / sizeof *gpus; i++)
        if (strcmp(gpus[i].name, name) == 0)
            return &gpus[i];
    return &gpus[0];
}

static FILE *open_record(const char *name, const char *mode)
{
    char path[4096];
    const char *folder = getenv("URSA_RECORDER");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    FILE *file = fopen(path, mode);
    if (!file)
        abort(); /* a record that lacks something would be believed */
    return file;
}

/* ---- answers --------------------------------------------------------------- */

static cl_int answer(const void *value, size_t size, size_t room, void *to, size_t *needed)
{
    if (needed)
        *needed = size;
    if (to && room < size)
        return CL_INVALID_VALUE;
    if (to)
        memcpy(to, value, size);
    return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t room, void *to, size_t *needed)
{
    return answer(text, strlen(text) + 1, room, to, needed);
}

#define ANSWER(type, ...) answer(&(type){__VA_ARGS__}, sizeof(type), room, to, needed)

cl_int clGetPlatformIDs(cl_uint most, cl_platform_id *platforms, cl_uint *count)
{
    if (platforms && most)
        platforms[0] = &thing;
    if (count)
        *count = 1;
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void *to, size_t *needed)
{
    return answer_text(what == CL_PLATFORM_NAME ? gpu()->platform : "OpenCL 1.2", room, to, needed);
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint most, cl_device_id *devices, cl_uint *count)
{
    if (devices && most)
        devices[0] = (cl_device_id)&thing;
    if (count)
        *count = 1;
    return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *to, size_t *needed)
{
    const struct gpu *g = gpu();
    switch (what) {
    case CL_DEVICE_TYPE:
        return ANSWER(cl_device_type, CL_DEVICE_TYPE_GPU);
    case CL_DEVICE_NAME:
        return answer_text(g->device, room, to, needed);
    case CL_DEVICE_VERSION:
        return answer_text("OpenCL 1.2", room, to, needed);
    case CL_DRIVER_VERSION:
        return answer_text("recorder", room, to, needed);
    case CL_DEVICE_EXTENSIONS:
        return answer_text("", room, to, needed);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
        return ANSWER(cl_bool, CL_TRUE);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
        return ANSWER(cl_bool, CL_FALSE);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        return ANSWER(cl_ulong, (cl_ulong)16 << 30);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return ANSWER(cl_ulong, (cl_ulong)4 << 30);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return ANSWER(cl_ulong, g->local_memory);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return ANSWER(cl_uint, g->units);
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
        return ANSWER(cl_uint, 3);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return ANSWER(size_t, g->group);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES: {
        const size_t sizes[3] = {g->group, g->group, g->group};
        return answer(sizes, sizeof sizes, room, to, needed);
    }
    default:
        return CL_INVALID_VALUE;
    }
}

/* ---- objects of which there is nothing to know -------------------------------- */

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data,
                           cl_int *code)
{
    *code = CL_SUCCESS;
    return (cl_context)&thing;
}

cl_int clReleaseContext(cl_context context)
{
    return CL_SUCCESS;
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device, cl_command_queue_properties properties,
                                      cl_int *code)
{
    *code = CL_SUCCESS;
    return (cl_command_queue)&thing;
}

cl_int clReleaseCommandQueue(cl_command_queue queue)
{
    return CL_SUCCESS;
}

cl_int clFlush(cl_command_queue queue)
{
    return CL_SUCCESS;
}

cl_int clFinish(cl_command_queue queue)
{
    return CL_SUCCESS;
}

/* Everything is done at once. */
static cl_int finished(cl_event *event)
{
    if (event)
        *event = (cl_event)&thing;
    return CL_SUCCESS;
}

cl_int clWaitForEvents(cl_uint count, const cl_event *events)
{
    return CL_SUCCESS;
}

cl_int clGetEventInfo(cl_event event, cl_event_info what, size_t room, void *to, size_t *needed)
{
    return ANSWER(cl_int, CL_COMPLETE);
}

cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info what, size_t room, void *to, size_t *needed)
{
    return ANSWER(cl_ulong, 0);
}

cl_int clRetainEvent(cl_event event)
{
    return CL_SUCCESS;
}

cl_int clReleaseEvent(cl_event event)
{
    return CL_SUCCESS;
}

/* ---- memory ------------------------------------------------------------------- */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code)
{
    cl_mem mem = calloc(1, sizeof *mem);
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!mem || bytes == MAP_FAILED) {
        free(mem);
        *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    mem->bytes = bytes;
    mem->size = size;
    if (flags & CL_MEM_COPY_HOST_PTR)
        memcpy(bytes, host, size);
    *code = CL_SUCCESS;
    return mem;
}

cl_int clReleaseMemObject(cl_mem mem)
{
    munmap(mem->bytes, mem->size);
    free(mem);
    return CL_SUCCESS;
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem mem, cl_bool waits, size_t offset, size_t size,
                            const void *from, cl_uint count, const cl_event *wanted, cl_event *event)
{
    memcpy(mem->bytes + offset, from, size);
    return finished(event);
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem mem, cl_bool waits, size_t offset, size_t size, void *to,
                           cl_uint count, const cl_event *wanted, cl_event *event)
{
    memcpy(to, mem->bytes + offset, size);
    return finished(event);
}

cl_int clEnqueueCopyBuffer(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
                           size_t size, cl_uint count, const cl_event *wanted, cl_event *event)
{
    memmove(to->bytes + to_offset, from->bytes + from_offset, size);
    return finished(event);
}

void *clEnqueueMapBuffer(cl_command_queue queue, cl_mem mem, cl_bool waits, cl_map_flags flags, size_t offset,
                         size_t size, cl_uint count, const cl_event *wanted, cl_event *event, cl_int *code)
{
    *code = finished(event);
    return mem->bytes + offset;
}

cl_int clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem mem, void *mapped, cl_uint count, const cl_event *wanted,
                               cl_event *event)
{
    return finished(event);
}

/* ---- programs and kernels -------------------------------------------------------- */

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts, const size_t *lengths,
                                     cl_int *code)
{
    cl_program program = calloc(1, sizeof *program);
    program->source = strdup(texts[0]);
    *code = CL_SUCCESS;
    return program;
}

/* There are no binaries, so that every run records all. */
cl_program clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                     const size_t *lengths, const unsigned char **binaries, cl_int *status,
                                     cl_int *code)
{
    *status = *code = CL_INVALID_BINARY;
    return NULL;
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *notify)(cl_program, void *), void *data)
{
    static int programs;
    char name[32];
    program->number = ++programs;
    snprintf(program->options, sizeof program->options, "%s", options);
    snprintf(name, sizeof name, "%d.cl", program->number);
    FILE *file = open_record(name, "w");
    fputs(program->source, file);
    return fclose(file) == 0 ? CL_SUCCESS : CL_BUILD_PROGRAM_FAILURE;
}

cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t room, void *to, size_t *needed)
{
    return ANSWER(size_t, 0);
}

cl_int clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *to,
                             size_t *needed)
{
    return answer_text("", room, to, needed);
}

cl_int clReleaseProgram(cl_program program)
{
    free(program->source);
    free(program);
    return CL_SUCCESS;
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code)
{
    cl_kernel kernel = calloc(1, sizeof *kernel);
    kernel->program = program;
    snprintf(kernel->name, sizeof kernel->name, "%s", name);
    *code = CL_SUCCESS;
    return kernel;
}

cl_int clReleaseKernel(cl_kernel kernel)
{
    free(kernel);
    return CL_SUCCESS;
}

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    return CL_SUCCESS;
}

cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room,
                                void *to, size_t *needed)
{
    return ANSWER(size_t, gpu()->group);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint count, const cl_event *wanted,
                              cl_event *event)
{
    size_t items = 1;
    for (cl_uint axis = 0; axis < dims; axis++)
        items *= local[axis];
    if (!kernel->was_run) {
        FILE *file = open_record("kernels", "a");
        fprintf(file, "%d\t%s\t%zu\t%s\n", kernel->program->number, kernel->name, items, kernel->program->options);
        fclose(file);
    }
    kernel->was_run = true;
    return finished(event);
}
