/* cache_size.c — asks the system for the sizes of the caches: sysconf() knows
 * them on x86, and Linux lists them in /sys on every processor whose firmware
 * tells. See cache_size.h.
 */
#include "cache_size.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 1, SECOND, THIRD, LEVELS };

static const int64_t usual[LEVELS] = {[FIRST] = 32 << 10, [SECOND] = 512 << 10};

static struct ursa_caches found, assumed;
static bool is_assumed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A line of a file that describes a cache; empty where there is none. */
static void read_line(int index, const char *name, char *line, size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
    FILE *file = fopen(path, "r");
    *line = '\0';
    if (!file)
        return;
    if (!fgets(line, (int)size, file))
        *line = '\0';
    fclose(file);
}

/* "512K", "32M" */
static int64_t parse_size(const char *text)
{
    char *end;
    long long count = strtoll(text, &end, 10);
    if (count <= 0 || count > 1 << 30)
        return 0;
    return *end == 'K' ? count << 10 : *end == 'M' ? count << 20 : count;
}

static int64_t listed_size(int level)
{
    char text[32];
    for (int index = 0; index < 8; index++) {
        read_line(index, "level", text, sizeof text);
        if (atoi(text) != level)
            continue;
        read_line(index, "type", text, sizeof text);
        if (strncmp(text, "Instruction", 11) == 0)
            continue;
        read_line(index, "size", text, sizeof text);
        return parse_size(text);
    }
    return 0;
}

static int64_t size_of(int level)
{
    long size = -1;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    size = sysconf(level == FIRST    ? _SC_LEVEL1_DCACHE_SIZE
                   : level == SECOND ? _SC_LEVEL2_CACHE_SIZE
                                     : _SC_LEVEL3_CACHE_SIZE);
#endif
    int64_t listed = size > 0 ? size : listed_size(level);
    return listed > 0 ? listed : usual[level];
}

static void find(void)
{
    int64_t third = size_of(THIRD);
    found = (struct ursa_caches){size_of(FIRST), size_of(SECOND), third};
    if (third < found.second)
        found.last = found.second;
}

struct ursa_caches ursa_caches(void)
{
    pthread_once(&once, find);
    return is_assumed ? assumed : found;
}

void ursa_caches_assume(const struct ursa_caches *caches)
{
    is_assumed = caches;
    if (caches)
        assumed = *caches;
}
