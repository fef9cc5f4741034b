/* cpu.c — the processor as a device: what it is called, which instruction sets
 * it has, and its memory. */
#include "device/cpu/cpu.h"
#include "base/memory.h"
#include "simd/gemm_half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* Blocks from this size on are aligned to huge pages, and ask for them. */
#define HUGE_PAGE ((size_t)2 << 20)

/* ---- instruction sets ----------------------------------------------------- */

#if defined(__x86_64__)
/* Clang 14 does not know the name "f16c" of __builtin_cpu_supports. */
static bool has_f16c(void)
{
    unsigned a, b, c = 0, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static bool has_avx512(void)
{
    if (ursa_simd_avx512.emulated)
        return has_avx2();
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#ifdef URSA_HAVE_AVX512_BF16
static bool has_avx512_bf16(void)
{
    return has_avx512() && (ursa_simd_avx512_bf16.emulated || __builtin_cpu_supports("avx512bf16"));
}

/* Intel's multiply pairs at half the rate of floats, and only their matrix tiles make up for it. */
static bool has_slow_pairs(void)
{
    return __builtin_cpu_is("intel");
}
#endif

#ifdef URSA_HAVE_AVX512_AMX
/* Linux wants to be asked before a process uses the tiles, whose registers are eight kilobytes (ARCH_REQ_XCOMP_PERM).
 */
static bool has_avx512_amx(void)
{
    const unsigned tile = 1u << 24, bf16 = 1u << 22;
    const long request = 0x1023, tile_data = 18;
    unsigned a, b, c, d = 0;
    if (ursa_simd_avx512_amx.emulated)
        return has_avx2();
    return has_avx512_bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & tile) && (d & bf16) &&
           syscall(SYS_arch_prctl, request, tile_data) == 0;
}
#endif
#endif

#ifdef URSA_HAVE_NEON_BF16
/* The system says so on Linux; of all others that run on such a processor too little is known to ask. */
static bool has_neon_bf16(void)
{
#ifdef __linux__
    const unsigned long bf16 = 1ul << 14; /* HWCAP2_BF16, which older headers lack */
    return getauxval(AT_HWCAP2) & bf16;
#else
    return false;
#endif
}
#endif

const struct ursa_simd *ursa_cpu_set(int index)
{
    const struct ursa_simd *sets[6] = {&ursa_simd_reference};
    int count = 1;
#if defined(__x86_64__)
    if (has_avx2())
        sets[count++] = &ursa_simd_avx2;
#ifdef URSA_HAVE_AVX512_BF16
    if (has_avx512_bf16() && has_slow_pairs())
        sets[count++] = &ursa_simd_avx512_bf16;
#endif
    if (has_avx512())
        sets[count++] = &ursa_simd_avx512;
#ifdef URSA_HAVE_AVX512_BF16
    if (has_avx512_bf16() && !has_slow_pairs())
        sets[count++] = &ursa_simd_avx512_bf16;
#endif
#ifdef URSA_HAVE_AVX512_AMX
    if (has_avx512_amx())
        sets[count++] = &ursa_simd_avx512_amx;
#endif
#elif defined(__aarch64__)
    sets[count++] = &ursa_simd_neon; /* part of the architecture */
#ifdef URSA_HAVE_NEON_BF16
    if (has_neon_bf16())
        sets[count++] = &ursa_simd_neon_bf16;
#endif
#endif
    return index >= 0 && index < count ? sets[index] : NULL;
}

static const struct ursa_simd *best_set(void)
{
    int last = 0;
    while (ursa_cpu_set(last + 1))
        last++;
    return ursa_cpu_set(last);
}

static const struct ursa_simd *find_set(const char *name)
{
    for (int i = 0; ursa_cpu_set(i); i++)
        if (strcmp(ursa_cpu_set(i)->name, name) == 0)
            return ursa_cpu_set(i);
    return NULL;
}

static bool fail_no_set(const char *name)
{
    char list[64] = "";
    for (int i = 0; ursa_cpu_set(i); i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", ursa_cpu_set(i)->name);
    }
    return ursa_fail(URSA_ERROR_DEVICE, "URSA_CPU: this processor has no instruction set \"%s\"; it has %s", name,
                     list);
}

static const struct ursa_simd *current;

const struct ursa_simd *ursa_cpu_simd(void)
{
    return current ? current : best_set();
}

bool ursa_cpu_use(const char *set)
{
    const struct ursa_simd *found = find_set(set);
    if (!found)
        return fail_no_set(set);
    current = found;
    return true;
}

/* What URSA_CPU asks for, or the best; NULL when it names a set that is not there. */
static const struct ursa_simd *wanted_set(void)
{
    const char *name = getenv("URSA_CPU");
    return name && *name ? find_set(name) : best_set();
}

/* ---- description ------------------------------------------------------------ */

/* The value of a line "key : value" of /proc/cpuinfo; false when there is none. */
static bool read_cpuinfo(const char *key, char *value, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return false;
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || !colon)
            continue;
        const char *text = colon + 1 + strspn(colon + 1, " \t");
        snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
        found = *value != '\0';
    }
    fclose(file);
    return found;
}

static const char *processor_name(void)
{
    static char name[128];
    if (!*name && !read_cpuinfo("model name", name, sizeof name) && !read_cpuinfo("Model", name, sizeof name))
#if defined(__x86_64__)
        snprintf(name, sizeof name, "x86-64 processor");
#elif defined(__aarch64__)
        snprintf(name, sizeof name, "Arm 64-bit processor");
#else
        snprintf(name, sizeof name, "processor");
#endif
    return name;
}

static uint64_t memory_size(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

static int count(void)
{
    return 1;
}

static bool describe(int index, ursa_device_info *info)
{
    if (index != 0)
        return ursa_fail(URSA_ERROR_DEVICE, "cpu: there is one, number 0, not number %d", index);
    const struct ursa_simd *set = wanted_set() ? wanted_set() : best_set();
    *info = (ursa_device_info){
        .id = "cpu",
        .name = processor_name(),
        .driver = "ursa " URSA_VERSION,
        .level = set->name,
        .memory = memory_size(),
        .f16_storage = true,
        .bf16_compute = set->gemm_half->type[URSA_BF16]->product[1][1].depth > 1,
    };
    return true;
}

static ursa_device *open_cpu(int index)
{
    ursa_device_info info;
    if (!describe(index, &info))
        return NULL;
    const struct ursa_simd *set = wanted_set();
    if (!set) {
        fail_no_set(getenv("URSA_CPU"));
        return NULL;
    }
    ursa_device *device = ursa_alloc(sizeof *device);
    if (!device)
        return NULL;
    current = set;
    device->backend = &ursa_cpu_backend;
    device->info = info;
    return device;
}

const struct ursa_provider ursa_cpu_provider = {.count = count, .describe = describe, .open = open_cpu};

/* ---- memory ----------------------------------------------------------------- */

void *ursa_cpu_allocate(ursa_device *device, size_t bytes)
{
    (void)device;
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
    if (bytes > SIZE_MAX - alignment)
        return NULL;
    bytes = bytes ? (bytes + alignment - 1) / alignment * alignment : alignment;
    void *memory = aligned_alloc(alignment, bytes);
#ifdef MADV_HUGEPAGE
    if (memory && alignment == HUGE_PAGE)
        madvise(memory, bytes, MADV_HUGEPAGE); /* only a wish */
#endif
    return memory;
}

void ursa_cpu_release(ursa_device *device, void *handle, size_t bytes)
{
    (void)device;
    (void)bytes;
    free(handle);
}

bool ursa_cpu_write(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                    int64_t elements)
{
    (void)device;
    size_t size = ursa_dtype_size(dtype);
    if (elements > 0)
        memcpy((char *)buffer->handle + offset * (int64_t)size, data, (size_t)elements * size);
    return true;
}

bool ursa_cpu_read(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                   int64_t elements)
{
    (void)device;
    size_t size = ursa_dtype_size(dtype);
    if (elements > 0)
        memcpy(data, (const char *)buffer->handle + offset * (int64_t)size, (size_t)elements * size);
    return true;
}

/* Operators have finished when they return. */
bool ursa_cpu_sync(ursa_device *device)
{
    (void)device;
    return true;
}

void ursa_cpu_close(ursa_device *device)
{
    free(device);
}
