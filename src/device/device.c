/* device.c — which devices there are, which are open, and how one is chosen. */
#include "allocator.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A device that can be opened: number `index` of its provider, or one that was
 * registered by hand and has no provider. */
struct entry {
    const struct ursa_provider *provider;
    int index;
    ursa_device_info info;
};

enum { MOST_DEVICES = 64 };

/* Opened devices. `opening` is held while a device is being opened, so that no
 * two threads open the same; `lock` guards the list. */
static struct {
    pthread_mutex_t opening, lock;
    ursa_device *device[MOST_DEVICES];
    const struct ursa_provider *provider[MOST_DEVICES];
    int index[MOST_DEVICES];
    int count;
    ursa_device *chosen; /* the default device */
} opened = {.opening = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the list of devices ------------------------------------------------- */

static int add_provided(struct entry *entries, int count, const struct ursa_provider *provider)
{
    int provided = provider ? provider->count() : 0;
    for (int i = 0; i < provided && count < MOST_DEVICES; i++) {
        struct entry *entry = &entries[count];
        *entry = (struct entry){.provider = provider, .index = i};
        if (provider->describe(i, &entry->info))
            count++;
    }
    return count;
}

/* The devices that no driver has to be loaded for: the CPU and those registered
 * by hand. */
static int list_near(struct entry *entries)
{
    int count = add_provided(entries, 0, &ursa_cpu_provider);
    pthread_mutex_lock(&opened.lock);
    for (int i = 0; i < opened.count && count < MOST_DEVICES; i++)
        if (!opened.provider[i])
            entries[count++] = (struct entry){.index = i, .info = opened.device[i]->info};
    pthread_mutex_unlock(&opened.lock);
    return count;
}

/* All devices. "auto" is the first GPU, else the CPU. */
static int list_devices(struct entry *entries)
{
    int count = add_provided(entries, list_near(entries), &ursa_opencl_provider), chosen = 0;
    for (int i = count - 1; i >= 0; i--)
        if (entries[i].info.is_gpu)
            chosen = i;
    for (int i = 0; i < count; i++)
        entries[i].info.is_default = i == chosen;
    return count;
}

int ursa_device_count(void)
{
    struct entry entries[MOST_DEVICES];
    return list_devices(entries);
}

bool ursa_device_describe(int index, ursa_device_info *info)
{
    struct entry entries[MOST_DEVICES];
    int count = list_devices(entries);
    if (index < 0 || index >= count)
        return ursa_fail(URSA_ERROR_ARGUMENT, "device %d of %d does not exist", index, count);
    *info = entries[index].info;
    return true;
}

/* ---- opened devices ------------------------------------------------------ */

/* Runs at ursa_finish(). */
static void close_all(void)
{
    while (opened.count) {
        ursa_device *device = opened.device[--opened.count];
        device->backend->sync(device);
        ursa_allocator_close(device);
        if (device->backend->close)
            device->backend->close(device);
    }
    opened.chosen = NULL;
}

static bool register_as(ursa_device *device, const struct ursa_provider *provider, int index)
{
    pthread_mutex_lock(&opened.lock);
    int place = 0;
    while (place < opened.count && opened.device[place] != device)
        place++;
    bool fits = place < MOST_DEVICES;
    if (fits && place == opened.count) {
        device->allocator = ursa_allocator_new();
        fits = device->allocator != NULL;
        if (fits) {
            if (opened.count == 0)
                ursa_at_finish(close_all);
            opened.device[opened.count++] = device;
        }
    }
    if (fits) {
        opened.provider[place] = provider;
        opened.index[place] = index;
    }
    pthread_mutex_unlock(&opened.lock);
    return fits;
}

bool ursa_device_register(ursa_device *device)
{
    if (!device)
        return false;
    if (device->allocator) /* known already */
        return true;
    return register_as(device, NULL, 0) ||
           ursa_fail(URSA_ERROR_DEVICE, "%s cannot be opened: %d devices are open", device->info.id, MOST_DEVICES);
}

static ursa_device *find_opened(const struct entry *entry)
{
    ursa_device *found = NULL;
    pthread_mutex_lock(&opened.lock);
    if (!entry->provider && entry->index < opened.count)
        found = opened.device[entry->index];
    for (int i = 0; i < opened.count && entry->provider && !found; i++)
        if (opened.provider[i] == entry->provider && opened.index[i] == entry->index)
            found = opened.device[i];
    pthread_mutex_unlock(&opened.lock);
    return found;
}

/* URSA_DEVICE_MEMORY: bytes, or with K, M or G behind; the device does with at most so many. */
static bool limit_memory(ursa_device *device)
{
    const char *text = getenv("URSA_DEVICE_MEMORY");
    if (!text || !*text)
        return true;
    char *end;
    double limit = strtod(text, &end);
    const char *units = "KMG", *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    for (const char *step = units; unit && step <= unit; step++)
        limit *= 1024;
    if (end == text || !(limit >= 1 && limit < 0x1p60) || (*end && (!unit || end[1])))
        return ursa_fail(URSA_ERROR_ARGUMENT, "URSA_DEVICE_MEMORY is \"%s\"; expected a size such as 512M or 2G", text);
    if (!device->info.memory || limit < (double)device->info.memory)
        device->info.memory = (uint64_t)limit;
    return true;
}

static ursa_device *open_provided(const struct entry *entry)
{
    ursa_device *device = entry->provider->open(entry->index);
    if (!device)
        return NULL;
    if (limit_memory(device) && register_as(device, entry->provider, entry->index))
        return device;
    device->backend->close(device);
    return NULL;
}

static ursa_device *open_entry(const struct entry *entry)
{
    ursa_device *device = find_opened(entry);
    if (device)
        return device;
    pthread_mutex_lock(&opened.opening);
    device = find_opened(entry);
    if (!device)
        device = open_provided(entry);
    pthread_mutex_unlock(&opened.opening);
    return device;
}

/* ---- choosing ------------------------------------------------------------ */

static bool contains(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, length) == 0)
            return true;
    return false;
}

static bool is_opencl(const struct entry *entry)
{
    return entry->provider && entry->provider == &ursa_opencl_provider;
}

/* The device with the id `spec`, or -1. */
static int match_id(const struct entry *entries, int count, const char *spec)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(entries[i].info.id, spec) == 0)
            return i;
    return -1;
}

static int first_opencl(const struct entry *entries, int count)
{
    int first = -1;
    for (int i = count - 1; i >= 0; i--)
        if (is_opencl(&entries[i]) && (first < 0 || entries[i].info.is_gpu || !entries[first].info.is_gpu))
            first = i;
    return first;
}

/* The entry that `spec` names, or -1. An id is matched whole, so that a device
 * called "cpu something" does not stand in the way of "cpu". */
static int match(const struct entry *entries, int count, const char *spec)
{
    int found = match_id(entries, count, spec);
    if (found >= 0)
        return found;
    if (strcasecmp(spec, "opencl") == 0)
        return first_opencl(entries, count);
    if (strncasecmp(spec, "opencl:", 7) == 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (contains(entries[i].info.name, spec))
            return i;
    return -1;
}

static void fail_unknown(const char *spec, const struct entry *entries, int count)
{
    char list[1024] = "none";
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s (%s)", i ? ", " : "", entries[i].info.id,
                                 entries[i].info.name);
    ursa_fail(URSA_ERROR_DEVICE, "no device \"%s\"; the devices here are: %s", spec, list);
}

/* The first GPU that opens, else the CPU. A GPU whose driver fails is no error
 * here: it is left out. */
static ursa_device *open_auto(const struct entry *entries, int count)
{
    bool had_error = ursa_error() != NULL;
    for (int i = 0; i < count; i++) {
        if (!entries[i].info.is_gpu)
            continue;
        ursa_device *device = open_entry(&entries[i]);
        if (device)
            return device;
        if (!had_error) {
            ursa_log_line(URSA_LOG_WARN, "%s is left out: %s", entries[i].info.id, ursa_error());
            ursa_clear_error();
        }
    }
    if (count)
        return open_entry(&entries[0]);
    ursa_fail(URSA_ERROR_DEVICE, "there is no device");
    return NULL;
}

ursa_device *ursa_device_open(const char *spec)
{
    if (!spec)
        spec = getenv("URSA_DEVICE");
    struct entry entries[MOST_DEVICES];
    bool automatic = !spec || !*spec || strcasecmp(spec, "auto") == 0;
    int near = automatic ? -1 : match_id(entries, list_near(entries), spec);
    if (near >= 0)
        return open_entry(&entries[near]);
    int count = list_devices(entries);
    if (automatic)
        return open_auto(entries, count);
    int found = match(entries, count, spec);
    if (found < 0) {
        fail_unknown(spec, entries, count);
        return NULL;
    }
    return open_entry(&entries[found]);
}

ursa_device *ursa_default_device(void)
{
    ursa_device *device = __atomic_load_n(&opened.chosen, __ATOMIC_ACQUIRE);
    if (!device) {
        device = ursa_device_open(NULL);
        ursa_set_default_device(device);
    }
    return device;
}

bool ursa_set_default_device(ursa_device *device)
{
    if (!device)
        return false;
    __atomic_store_n(&opened.chosen, device, __ATOMIC_RELEASE);
    return true;
}

/* ---- one device ------------------------------------------------------------ */

const char *ursa_device_id(const ursa_device *device)
{
    return device ? device->info.id : NULL;
}

const char *ursa_device_name(const ursa_device *device)
{
    return device ? device->info.name : NULL;
}

bool ursa_device_sync(ursa_device *device)
{
    if (!device)
        return false;
    __atomic_add_fetch(&device->waits, 1, __ATOMIC_RELAXED);
    return device->backend->sync(device);
}

ursa_program_stats ursa_device_programs(const ursa_device *device)
{
    return device ? device->programs : (ursa_program_stats){0};
}

double ursa_device_peak_gflops(ursa_device *device, ursa_dtype dtype)
{
    return device && device->backend->peak_gflops ? device->backend->peak_gflops(device, dtype) : 0;
}

uint64_t ursa_device_waits(const ursa_device *device)
{
    return device ? __atomic_load_n(&device->waits, __ATOMIC_RELAXED) : 0;
}
