/* faulty.c — a kernel with the mistakes that Oclgrind is there to find, so that
 * its silence about ours means something: a read past the end of a buffer, a race
 * of two work items, and a read of what nobody has written.
 *
 *     faulty bounds | race | uninitialised
 */
#include "device/opencl/loader.h"

#include <stdio.h>

static const char *const source =
    "kernel void bounds(global const int *x, global int *y) { y[get_global_id(0)] = x[get_global_id(0) + 1]; }\n"
    "kernel void race(global const int *x, global int *y) { y[0] = x[get_global_id(0)] + (int)get_global_id(0); }\n"
    "kernel void uninitialised(global const int *x, global int *y) { y[get_global_id(0)] += x[get_global_id(0)]; }\n";

enum { ITEMS = 16 };

static bool run(cl_context context, cl_device_id device, const char *name)
{
    static const cl_int zeros[ITEMS];
    cl_int code;
    cl_command_queue queue = ursa_cl.CreateCommandQueue(context, device, 0, &code);
    cl_mem x = ursa_cl.CreateBuffer(context, CL_MEM_READ_WRITE, sizeof zeros, NULL, &code);
    cl_mem y = ursa_cl.CreateBuffer(context, CL_MEM_READ_WRITE, sizeof zeros, NULL, &code);
    cl_program program = ursa_cl.CreateProgramWithSource(context, 1, (const char **)&source, NULL, &code);
    if (code || ursa_cl.BuildProgram(program, 1, &device, "", NULL, NULL))
        return false;
    cl_kernel kernel = ursa_cl.CreateKernel(program, name, &code);
    size_t items = ITEMS;
    bool ran = !code && !ursa_cl.EnqueueWriteBuffer(queue, x, CL_TRUE, 0, sizeof zeros, zeros, 0, NULL, NULL) &&
               !ursa_cl.SetKernelArg(kernel, 0, sizeof x, &x) && !ursa_cl.SetKernelArg(kernel, 1, sizeof y, &y) &&
               !ursa_cl.EnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL) &&
               !ursa_cl.Finish(queue);
    ursa_cl.ReleaseKernel(kernel);
    ursa_cl.ReleaseProgram(program);
    ursa_cl.ReleaseMemObject(x);
    ursa_cl.ReleaseMemObject(y);
    ursa_cl.ReleaseCommandQueue(queue);
    return ran;
}

int main(int argc, char **argv)
{
    cl_platform_id platform;
    cl_device_id device;
    cl_int code;
    if (argc != 2 || !ursa_cl_load() || ursa_cl.GetPlatformIDs(1, &platform, NULL) ||
        ursa_cl.GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL))
        return 2;
    cl_context context = ursa_cl.CreateContext(NULL, 1, &device, NULL, NULL, &code);
    if (code || !run(context, device, argv[1])) {
        fprintf(stderr, "faulty: the kernel \"%s\" did not run\n", argv[1]);
        return 2;
    }
    ursa_cl.ReleaseContext(context);
    return 0;
}
