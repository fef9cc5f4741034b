/* loader.c — finds OpenCL and CLBlast at run time. */
#include "device/opencl/loader.h"
#include "base/log.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ursa_cl_api ursa_cl;
static bool loaded;
static struct ursa_clblast_api clblast;
static bool clblast_loaded;

static void *open_first(const char *const *names)
{
    for (; *names; names++) {
        void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

static bool find(void *library, const char *name, void *slot)
{
    void *address = dlsym(library, name);
    if (!address) {
        ursa_log_line(URSA_LOG_WARN, "opencl: the library found has no %s", name);
        return false;
    }
    memcpy(slot, &address, sizeof address);
    return true;
}

/* In a chroot without /sys a driver cannot look at the machine; PoCL then ends
 * the whole process. */
static bool drivers_would_abort(void)
{
#ifdef __linux__
    return access("/sys/devices/system/cpu", F_OK) != 0;
#else
    return false;
#endif
}

/* The library stays loaded: drivers do not survive being unloaded. */
static void load_cl(void)
{
    if (drivers_would_abort()) {
        ursa_log_line(URSA_LOG_WARN, "opencl: left out, because /sys is not mounted");
        return;
    }
    static const char *const names[] = {"libOpenCL.so.1", "libOpenCL.so",
                                        "/System/Library/Frameworks/OpenCL.framework/OpenCL", "OpenCL.dll", NULL};
    void *library = open_first(names);
    if (!library) {
        ursa_log_line(URSA_LOG_INFO, "opencl: no loader (libOpenCL.so.1) is installed");
        return;
    }
    bool ok = true;
#define URSA_CL(name) ok = ok && find(library, "cl" #name, &ursa_cl.name);
#include "cl.def"
#undef URSA_CL
    loaded = ok;
}

static void load_clblast(void)
{
    const char *wanted = getenv("URSA_CLBLAST");
    if (wanted && strcmp(wanted, "0") == 0)
        return;
    static const char *const names[] = {"libclblast.so.1", "libclblast.so", "libclblast.dylib", "clblast.dll", NULL};
    void *library = open_first(names);
    if (!library) {
        ursa_log_line(URSA_LOG_INFO, "opencl: CLBlast is not installed; products use the kernels of ursa");
        return;
    }
    bool ok = true;
#define URSA_CLBLAST(name) ok = ok && find(library, "CLBlast" #name, &clblast.name);
#include "clblast.def"
#undef URSA_CLBLAST
    clblast_loaded = ok;
}

bool ursa_cl_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_cl);
    return loaded;
}

const struct ursa_clblast_api *ursa_clblast(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_clblast);
    return clblast_loaded ? &clblast : NULL;
}

const char *ursa_cl_error_name(cl_int code)
{
    static _Thread_local char other[32];
#define NAME(code)                                                                                                     \
    case code:                                                                                                         \
        return #code;
    switch (code) {
        NAME(CL_DEVICE_NOT_FOUND)
        NAME(CL_DEVICE_NOT_AVAILABLE)
        NAME(CL_COMPILER_NOT_AVAILABLE)
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
        NAME(CL_OUT_OF_RESOURCES)
        NAME(CL_OUT_OF_HOST_MEMORY)
        NAME(CL_BUILD_PROGRAM_FAILURE)
        NAME(CL_INVALID_VALUE)
        NAME(CL_INVALID_DEVICE)
        NAME(CL_INVALID_CONTEXT)
        NAME(CL_INVALID_COMMAND_QUEUE)
        NAME(CL_INVALID_MEM_OBJECT)
        NAME(CL_INVALID_BINARY)
        NAME(CL_INVALID_BUILD_OPTIONS)
        NAME(CL_INVALID_PROGRAM_EXECUTABLE)
        NAME(CL_INVALID_KERNEL_NAME)
        NAME(CL_INVALID_ARG_INDEX)
        NAME(CL_INVALID_ARG_VALUE)
        NAME(CL_INVALID_ARG_SIZE)
        NAME(CL_INVALID_KERNEL_ARGS)
        NAME(CL_INVALID_WORK_GROUP_SIZE)
        NAME(CL_INVALID_WORK_ITEM_SIZE)
        NAME(CL_INVALID_BUFFER_SIZE)
        NAME(CL_INVALID_GLOBAL_WORK_SIZE)
    default:
        snprintf(other, sizeof other, "error %d", (int)code);
        return other;
    }
#undef NAME
}
