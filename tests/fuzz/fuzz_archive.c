/* fuzz_archive.c — archives: whatever they hold, nothing appears outside their folder, and they stay within their
 * limits. A canary beside the folder must be there, alone and unchanged, after each. */
#include "fuzz.h"

#include "io/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char top[64], folder[96], canary[96];

static void check(bool right)
{
    if (!right)
        abort();
}

static void remove_top(void)
{
    ursa_remove_tree(top);
}

static void prepare(void)
{
    snprintf(top, sizeof top, "/dev/shm/ursa-fuzz-archive-%ld", (long)getpid());
    snprintf(folder, sizeof folder, "%s/out", top);
    snprintf(canary, sizeof canary, "%s/canary", top);
    check(ursa_remove_tree(top) && mkdir(top, 0700) == 0);
    FILE *file = fopen(canary, "w");
    check(file && fputs("sings", file) >= 0 && fclose(file) == 0);
    atexit(remove_top);
    ursa_set_progress(false);
}

static void check_canary(bool unpacked)
{
    char song[8] = "";
    FILE *file = fopen(canary, "r");
    check(file && fread(song, 1, sizeof song, file) == 5 && memcmp(song, "sings", 5) == 0);
    fclose(file);
    int entries = 0;
    DIR *listing = opendir(top);
    while (listing && readdir(listing))
        entries++;
    closedir(listing);
    check(entries == 2 + 1 + unpacked); /* . and .., the canary, and what was unpacked */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*top)
        prepare();
    bool unpacked = ursa_unpack(fuzz_file(data, size), folder, .most_bytes = 4 << 20, .most_entries = 200);
    check(unpacked == !ursa_error());
    check_canary(unpacked);
    ursa_clear_error();
    check(ursa_remove_tree(folder));
    return 0;
}
