/* program.c — kernels by name: programs are built from the embedded sources on
 * first use, or taken from the disk cache. */
#include "device/opencl/runtime.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "device/opencl/kernel.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW_PROGRAMS 3 /* to compile without a word */

struct ursa_cl_program {
    struct ursa_cl_program *next;
    const struct ursa_cl_source *source;
    cl_program program; /* NULL: does not compile; the error was latched once */
    char options[];
};

static const struct ursa_cl_source *find_source(const char *file)
{
    for (const struct ursa_cl_source *source = ursa_cl_sources; source->name; source++)
        if (strcmp(source->name, file) == 0)
            return source;
    return NULL;
}

/* The compiler's log is long; its beginning says what is wrong. */
static void fail_build(struct ursa_cl_device *device, cl_program program, const struct ursa_cl_source *source,
                       const char *options, cl_int code)
{
    size_t bytes = 0;
    ursa_cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    char *log = ursa_alloc(bytes + 1);
    if (log && bytes)
        ursa_cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    const char *text = log ? log : "";
    ursa_log_line(URSA_LOG_WARN, "opencl: %s.cl %s: %s", source->name, options, text);
    for (char *c = log; c && *c; c++)
        if (*c == '\n')
            *c = ' ';
    ursa_fail(URSA_ERROR_DEVICE, "opencl: %s.cl does not compile with \"%s\" on %s: %s: %.600s", source->name, options,
              device->base.info.name, ursa_cl_error_name(code), text);
    free(log);
}

static void keep_binary(cl_program program, const char *key)
{
    size_t bytes = 0;
    if (ursa_cl.GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) != CL_SUCCESS || !bytes)
        return;
    unsigned char *data = malloc(bytes);
    if (data && ursa_cl.GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof data, &data, NULL) == CL_SUCCESS)
        ursa_cl_cache_write(key, data, bytes);
    free(data);
}

static cl_program build_from_cache(struct ursa_cl_device *device, const char *key, const char *options)
{
    size_t bytes = 0;
    unsigned char *data = ursa_cl_cache_read(key, &bytes);
    if (!data)
        return NULL;
    cl_int status = CL_SUCCESS, code = CL_SUCCESS;
    const unsigned char *binary = data;
    cl_program program =
        ursa_cl.CreateProgramWithBinary(device->context, 1, &device->id, &bytes, &binary, &status, &code);
    if (code == CL_SUCCESS && status == CL_SUCCESS)
        code = ursa_cl.BuildProgram(program, 1, &device->id, options, NULL, NULL);
    free(data);
    if (code == CL_SUCCESS && status == CL_SUCCESS)
        return program;
    ursa_log_line(URSA_LOG_INFO, "opencl: the driver does not take a kept program: %s", ursa_cl_error_name(code));
    if (program)
        ursa_cl.ReleaseProgram(program);
    return NULL;
}

static cl_program build_from_source(struct ursa_cl_device *device, const struct ursa_cl_source *source, const char *key,
                                    const char *options)
{
    cl_int code = CL_SUCCESS;
    cl_program program =
        ursa_cl.CreateProgramWithSource(device->context, 1, (const char *[]){source->text}, NULL, &code);
    if (code != CL_SUCCESS) {
        ursa_fail(URSA_ERROR_DEVICE, "opencl: clCreateProgramWithSource: %s", ursa_cl_error_name(code));
        return NULL;
    }
    code = ursa_cl.BuildProgram(program, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        fail_build(device, program, source, options, code);
        ursa_cl.ReleaseProgram(program);
        return NULL;
    }
    keep_binary(program, key);
    return program;
}

/* One program is soon there; that there are more of them, somebody who waits should know. */
static void say_compiling(const struct ursa_cl_device *device)
{
    if (device->base.programs.compiled == FEW_PROGRAMS)
        ursa_log_line(URSA_LOG_WARN, "opencl: compiling kernels for %s, which are kept for the next start",
                      device->base.info.name);
}

static cl_program build(struct ursa_cl_device *device, const struct ursa_cl_source *source, const char *options)
{
    char *key = ursa_format("%s\n%s\n%s", device->identity, options, source->text);
    if (!key)
        return NULL;
    ursa_program_stats *stats = &device->base.programs;
    double begin = ursa_seconds();
    cl_program program = build_from_cache(device, key, options);
    if (program) {
        stats->loaded++;
    } else {
        say_compiling(device);
        ursa_log_line(URSA_LOG_DEBUG, "opencl: compiling %s.cl %s", source->name, options);
        program = build_from_source(device, source, key, options);
        stats->compiled++;
    }
    stats->seconds += ursa_seconds() - begin;
    free(key);
    return program;
}

static cl_program find_program(struct ursa_cl_device *device, const char *file, const char *options)
{
    const struct ursa_cl_source *source = find_source(file);
    if (!source) {
        ursa_fail(URSA_ERROR_UNSUPPORTED, "opencl: there is no kernel file %s.cl", file);
        return NULL;
    }
    for (struct ursa_cl_program *known = device->programs; known; known = known->next)
        if (known->source == source && strcmp(known->options, options) == 0)
            return known->program;
    struct ursa_cl_program *entry = ursa_alloc(sizeof *entry + strlen(options) + 1);
    if (!entry)
        return NULL;
    strcpy(entry->options, options);
    entry->source = source;
    entry->program = build(device, source, options);
    if (!entry->program) {
        free(entry);
        return NULL;
    }
    entry->next = device->programs;
    device->programs = entry;
    return entry->program;
}

static struct ursa_cl_kernel *make_kernel(struct ursa_cl_device *device, const char *file, const char *name,
                                          const char *options, const char *id)
{
    cl_program program = find_program(device, file, options);
    if (!program)
        return NULL;
    cl_int code = CL_SUCCESS;
    cl_kernel handle = ursa_cl.CreateKernel(program, name, &code);
    if (code != CL_SUCCESS) {
        ursa_fail(URSA_ERROR_DEVICE, "opencl: kernel %s of %s.cl \"%s\": %s", name, file, options,
                  ursa_cl_error_name(code));
        return NULL;
    }
    struct ursa_cl_kernel *kernel = ursa_alloc(sizeof *kernel + strlen(id) + 1);
    if (!kernel) {
        ursa_cl.ReleaseKernel(handle);
        return NULL;
    }
    strcpy(kernel->id, id);
    strncpy(kernel->name, name, sizeof kernel->name - 1);
    kernel->kernel = handle;
    kernel->max_group = device->max_group;
    size_t most = 0;
    if (ursa_cl.GetKernelWorkGroupInfo(handle, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, NULL) ==
            CL_SUCCESS &&
        most > 0 && most < kernel->max_group)
        kernel->max_group = most;
    if (device->max_item[0] < kernel->max_group)
        kernel->max_group = device->max_item[0];
    return kernel;
}

static unsigned bucket_of(const char *id)
{
    unsigned value = 2166136261u; /* FNV-1a */
    for (; *id; id++)
        value = (value ^ (unsigned char)*id) * 16777619u;
    return value % (sizeof(((struct ursa_cl_device *)0)->kernels) / sizeof(struct ursa_cl_kernel *));
}

struct ursa_cl_kernel *ursa_cl_kernel(struct ursa_cl_device *device, const char *file, const char *name,
                                      const char *format, ...)
{
    /* id: "file kernel options" */
    char id[768];
    int head = snprintf(id, sizeof id, "%s %s -cl-std=CL1.2 ", file, name);
    va_list arguments;
    va_start(arguments, format);
    int length = head + vsnprintf(id + head, sizeof id - head, format, arguments);
    va_end(arguments);
    if ((size_t)length >= sizeof id) {
        ursa_fail(URSA_ERROR_ARGUMENT, "opencl: the options of kernel %s take more than %zu bytes", name, sizeof id);
        return NULL;
    }
    const char *options = id + strlen(file) + 1 + strlen(name) + 1;
    unsigned bucket = bucket_of(id);
    pthread_mutex_lock(&device->lock);
    struct ursa_cl_kernel *kernel = device->kernels[bucket];
    while (kernel && strcmp(kernel->id, id) != 0)
        kernel = kernel->next;
    if (!kernel && (kernel = make_kernel(device, file, name, options, id))) {
        kernel->next = device->kernels[bucket];
        device->kernels[bucket] = kernel;
    }
    pthread_mutex_unlock(&device->lock);
    return kernel;
}

size_t ursa_cl_group_size(const struct ursa_cl_kernel *kernel, size_t wanted)
{
    size_t size = 1;
    while (kernel && size * 2 <= wanted && size * 2 <= kernel->max_group)
        size *= 2;
    return size;
}

const char *ursa_cl_type(ursa_dtype dtype)
{
    static const char *const names[URSA_DTYPE_COUNT] = {"f32", "f16", "bf16", "i32", "i64", "u8", "b8"};
    return (unsigned)dtype < URSA_DTYPE_COUNT ? names[dtype] : "unknown";
}

void ursa_cl_free_programs(struct ursa_cl_device *device)
{
    for (size_t bucket = 0; bucket < sizeof device->kernels / sizeof *device->kernels; bucket++)
        for (struct ursa_cl_kernel *kernel = device->kernels[bucket], *next; kernel; kernel = next) {
            next = kernel->next;
            ursa_cl.ReleaseKernel(kernel->kernel);
            free(kernel);
        }
    for (struct ursa_cl_program *program = device->programs, *next; program; program = next) {
        next = program->next;
        ursa_cl.ReleaseProgram(program->program);
        free(program);
    }
}
