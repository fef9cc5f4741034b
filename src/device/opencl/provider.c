/* provider.c — finds the OpenCL devices of all platforms and opens them. */
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "device/opencl/matrix.h"
#include "device/opencl/tuning.h"
#include "device/profile.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_PLATFORMS = 16, MOST_PER_PLATFORM = 32, MOST_DEVICES = 64 };

struct found {
    cl_device_id id;
    cl_device_type type;
    ursa_device_info info;
    char *identity;
    int reported_mma;
};

static struct found devices[MOST_DEVICES];
static int device_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- what a device says about itself ------------------------------------- */

/* "" when the driver does not say. */
static char *device_text(cl_device_id id, cl_device_info what)
{
    size_t bytes = 0;
    if (ursa_cl.GetDeviceInfo(id, what, 0, NULL, &bytes) != CL_SUCCESS)
        bytes = 0;
    char *text = ursa_alloc(bytes + 1);
    if (text && bytes && ursa_cl.GetDeviceInfo(id, what, bytes, text, NULL) != CL_SUCCESS)
        text[0] = 0;
    return text;
}

static char *platform_text(cl_platform_id platform, cl_platform_info what)
{
    size_t bytes = 0;
    if (ursa_cl.GetPlatformInfo(platform, what, 0, NULL, &bytes) != CL_SUCCESS)
        bytes = 0;
    char *text = ursa_alloc(bytes + 1);
    if (text && bytes && ursa_cl.GetPlatformInfo(platform, what, bytes, text, NULL) != CL_SUCCESS)
        text[0] = 0;
    return text;
}

/* "OpenCL 1.2" of "OpenCL 1.2 CUDA and more". */
static void keep_version(char *level)
{
    char *space = strchr(level, ' ');
    space = space ? strchr(space + 1, ' ') : NULL;
    if (space)
        *space = 0;
}

static bool at_least_1_2(const char *level)
{
    int major = 0, minor = 0;
    const char *space = strchr(level, ' ');
    if (space) {
        char *dot;
        major = (int)strtol(space + 1, &dot, 10);
        minor = *dot == '.' ? (int)strtol(dot + 1, NULL, 10) : 0;
    }
    return major > 1 || (major == 1 && minor >= 2);
}

static bool describe_found(cl_platform_id platform, struct found *found)
{
    cl_device_id id = found->id;
    cl_bool available = CL_FALSE, compiler = CL_FALSE;
    cl_bool unified = CL_FALSE;
    cl_ulong memory = 0, largest = 0;
    ursa_cl.GetDeviceInfo(id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    ursa_cl.GetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, NULL);
    ursa_cl.GetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    ursa_cl.GetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, NULL);
    ursa_cl.GetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    char *name = device_text(id, CL_DEVICE_NAME), *level = device_text(id, CL_DEVICE_VERSION);
    char *version = device_text(id, CL_DRIVER_VERSION), *extensions = device_text(id, CL_DEVICE_EXTENSIONS);
    char *maker = platform_text(platform, CL_PLATFORM_NAME), *release = platform_text(platform, CL_PLATFORM_VERSION);
    bool whole = name && level && version && extensions && maker && release;
    bool ok = whole && available && compiler && at_least_1_2(level);
    if (ok) {
        found->identity = ursa_format("%s\n%s\n%s\n%s\n%s", maker, release, name, level, version);
        keep_version(level);
        enum ursa_cl_instruction reported = ursa_cl_reported_mma(id, name, extensions);
        found->info = (ursa_device_info){
            .name = ursa_copy_string(name),
            .driver = ursa_format("%s %s", maker, version),
            .level = ursa_copy_string(level),
            .memory = memory,
            .largest = largest,
            .unified = unified,
            .f16_storage = true, /* vload_half and vstore_half need no extension */
            .f16_compute = ursa_cl_mma_takes(reported, name, URSA_F16),
            .bf16_compute = ursa_cl_mma_takes(reported, name, URSA_BF16),
            .is_gpu = (found->type & CL_DEVICE_TYPE_GPU) != 0,
        };
        found->reported_mma = (int)reported;
        ok = found->identity && found->info.name && found->info.driver && found->info.level;
    } else if (whole) {
        ursa_log_line(URSA_LOG_WARN,
                      "opencl: %s (%s, %s) is left out: it is not available, has no compiler or is older than "
                      "OpenCL 1.2",
                      name, maker, level);
    }
    free(name), free(level), free(version), free(extensions), free(maker), free(release);
    return ok;
}

/* ---- finding ------------------------------------------------------------- */

static void find_on_platform(cl_platform_id platform, bool gpus)
{
    cl_device_id ids[MOST_PER_PLATFORM];
    cl_uint count = 0;
    cl_int code = ursa_cl.GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MOST_PER_PLATFORM, ids, &count);
    if (code != CL_SUCCESS) {
        if (code != CL_DEVICE_NOT_FOUND)
            ursa_log_line(URSA_LOG_WARN, "opencl: a platform is left out: clGetDeviceIDs: %s",
                          ursa_cl_error_name(code));
        return;
    }
    for (cl_uint i = 0; i < count && i < MOST_PER_PLATFORM && device_count < MOST_DEVICES; i++) {
        struct found found = {.id = ids[i]};
        if (ursa_cl.GetDeviceInfo(ids[i], CL_DEVICE_TYPE, sizeof found.type, &found.type, NULL) != CL_SUCCESS)
            continue;
        if (((found.type & CL_DEVICE_TYPE_GPU) != 0) == gpus && describe_found(platform, &found)) {
            found.info.id = ursa_format("opencl:%d", device_count);
            if (found.info.id)
                devices[device_count++] = found;
        }
    }
}

static void find_devices(void)
{
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint count = 0;
    if (!ursa_cl_load())
        return;
    cl_int code = ursa_cl.GetPlatformIDs(MOST_PLATFORMS, platforms, &count);
    if (code != CL_SUCCESS || count == 0) {
        ursa_log_line(URSA_LOG_INFO, "opencl: no driver is installed");
        return;
    }
    for (int pass = 0; pass < 2; pass++)
        for (cl_uint i = 0; i < count && i < MOST_PLATFORMS; i++)
            find_on_platform(platforms[i], pass == 0);
}

static int count_devices(void)
{
    pthread_once(&once, find_devices);
    return device_count;
}

static bool describe(int index, ursa_device_info *info)
{
    if (index < 0 || index >= count_devices())
        return ursa_fail(URSA_ERROR_ARGUMENT, "opencl: there is no device %d", index);
    *info = devices[index].info;
    return true;
}

/* ---- opening ------------------------------------------------------------- */

static void ask_limits(struct ursa_cl_device *device)
{
    cl_uint axes = 0;
    size_t items[8] = {1, 1, 1};
    device->max_group = 1;
    device->units = 1;
    ursa_cl.GetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof device->max_group, &device->max_group,
                          NULL);
    ursa_cl.GetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, sizeof axes, &axes, NULL);
    if (axes <= 8)
        ursa_cl.GetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_ITEM_SIZES, axes * sizeof *items, items, NULL);
    memcpy(device->max_item, items, sizeof device->max_item);
    ursa_cl.GetDeviceInfo(device->id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof device->local_memory, &device->local_memory,
                          NULL);
    ursa_cl.GetDeviceInfo(device->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof device->units, &device->units, NULL);
}

static bool start(struct ursa_cl_device *device)
{
    cl_int code = CL_SUCCESS;
    device->context = ursa_cl.CreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: %s: clCreateContext: %s", device->base.info.name,
                         ursa_cl_error_name(code));
    cl_command_queue_properties properties = device->measures ? CL_QUEUE_PROFILING_ENABLE : 0;
    device->queue = ursa_cl.CreateCommandQueue(device->context, device->id, properties, &code);
    if (code == CL_SUCCESS)
        device->uploads = ursa_cl.CreateCommandQueue(device->context, device->id, properties, &code);
    if (code != CL_SUCCESS)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: %s: clCreateCommandQueue: %s", device->base.info.name,
                         ursa_cl_error_name(code));
    cl_int none[2] = {0, 0};
    device->fault =
        ursa_cl.CreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof none, none, &code);
    if (code != CL_SUCCESS)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: %s: clCreateBuffer: %s", device->base.info.name,
                         ursa_cl_error_name(code));
    return true;
}

void ursa_cl_close(ursa_device *base)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!device)
        return;
    if (device->queue)
        ursa_cl.Finish(device->queue);
    ursa_cl_free_uploads(device);
    ursa_cl_free_programs(device);
    if (device->fault)
        ursa_cl.ReleaseMemObject(device->fault);
    if (device->queue)
        ursa_cl.ReleaseCommandQueue(device->queue);
    if (device->uploads)
        ursa_cl.ReleaseCommandQueue(device->uploads);
    if (device->context)
        ursa_cl.ReleaseContext(device->context);
    pthread_mutex_destroy(&device->lock);
    pthread_mutex_destroy(&device->upload_lock);
    pthread_mutex_destroy(&device->timing_lock);
    ursa_cl_tuning_free(device->tuning);
    ursa_cl_free_times(device);
    free(device->faults);
    free(device);
}

static ursa_device *open_device(int index)
{
    ursa_device_info info;
    if (!describe(index, &info))
        return NULL;
    struct ursa_cl_device *device = ursa_alloc(sizeof *device);
    if (!device)
        return NULL;
    device->base.backend = &ursa_opencl_backend;
    device->base.info = info;
    device->id = devices[index].id;
    device->identity = devices[index].identity;
    device->reported_mma = devices[index].reported_mma;
    device->is_cpu = (devices[index].type & CL_DEVICE_TYPE_CPU) != 0;
    device->measures = ursa_profile_is_on();
    pthread_mutex_init(&device->lock, NULL);
    pthread_mutex_init(&device->upload_lock, NULL);
    pthread_mutex_init(&device->timing_lock, NULL);
    ask_limits(device);
    device->tuning = ursa_cl_tuning_new();
    if (!device->tuning || !start(device)) {
        ursa_cl_close(&device->base);
        return NULL;
    }
    return &device->base;
}

const struct ursa_provider ursa_opencl_provider = {count_devices, describe, open_device};
