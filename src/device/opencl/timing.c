/* timing.c — the time commands took, from their events: the profile's view of
 * a device that works while the host goes on.
 *
 * Events are kept as commands are enqueued and asked for their times a batch at
 * a time, once they are done anyway. A device has a clock of its own; its
 * distance from the host's is taken at the first event, which was put in its
 * queue when the host enqueued it. */
#include "base/clock.h"
#include "base/memory.h"
#include "device/opencl/runtime.h"
#include "device/profile.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024 };

struct ursa_cl_timed {
    cl_event event;
    int64_t call;
    double enqueued; /* on the host's clock */
    bool beside;
    char name[32];
};

static double seconds_at(cl_event event, cl_profiling_info what)
{
    cl_ulong nanoseconds = 0;
    ursa_cl.GetEventProfilingInfo(event, what, sizeof nanoseconds, &nanoseconds, NULL);
    return (double)nanoseconds * 1e-9;
}

static bool is_done(cl_event event)
{
    cl_int status = CL_QUEUED;
    ursa_cl.GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
    return status <= CL_COMPLETE; /* negative: failed */
}

static void report(struct ursa_cl_device *device, const struct ursa_cl_timed *timed)
{
    if (!device->clock_known)
        device->clock_offset = timed->enqueued - seconds_at(timed->event, CL_PROFILING_COMMAND_QUEUED);
    device->clock_known = true;
    ursa_profile_span(timed->call, timed->name, timed->beside,
                      seconds_at(timed->event, CL_PROFILING_COMMAND_START) + device->clock_offset,
                      seconds_at(timed->event, CL_PROFILING_COMMAND_END) + device->clock_offset);
}

/* Reports those that are done, up to the first that is not; with the lock held. */
static void report_done(struct ursa_cl_device *device)
{
    int done = 0;
    for (; done < device->timed_count && is_done(device->timed[done].event); done++) {
        report(device, &device->timed[done]);
        ursa_cl.ReleaseEvent(device->timed[done].event);
    }
    device->timed_count -= done;
    memmove(device->timed, device->timed + done, (size_t)device->timed_count * sizeof *device->timed);
}

void ursa_cl_time(struct ursa_cl_device *device, cl_event event, const char *name, bool beside)
{
    struct ursa_cl_timed timed = {event, ursa_profile_current(), ursa_seconds(), beside, {0}};
    strncpy(timed.name, name, sizeof timed.name - 1);
    pthread_mutex_lock(&device->timing_lock);
    if (device->timed_count && device->timed_count % BATCH == 0)
        report_done(device);
    if (device->timed_count == device->timed_capacity) {
        int capacity = device->timed_capacity + BATCH;
        struct ursa_cl_timed *grown = ursa_grow(device->timed, (size_t)capacity * sizeof *grown);
        device->timed_capacity = grown ? capacity : device->timed_capacity;
        device->timed = grown ? grown : device->timed;
    }
    if (device->timed_count < device->timed_capacity)
        device->timed[device->timed_count++] = timed;
    else
        ursa_cl.ReleaseEvent(event);
    pthread_mutex_unlock(&device->timing_lock);
}

void ursa_cl_free_times(struct ursa_cl_device *device)
{
    for (int i = 0; i < device->timed_count; i++)
        ursa_cl.ReleaseEvent(device->timed[i].event);
    free(device->timed);
}

void ursa_cl_collect(ursa_device *base)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    ursa_cl.Finish(device->queue);
    pthread_mutex_lock(&device->timing_lock);
    report_done(device);
    pthread_mutex_unlock(&device->timing_lock);
}
