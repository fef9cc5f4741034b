/* tuned.c — choices that were measured on a device: a text file beside the kept
 * programs, a line per kind of product, and its copy in memory.
 *
 *     ursa tuned 1
 *     Portable Computing Language|OpenCL 3.0 …|3.1
 *     conv f32 1x4096x64x1024 w3<TAB>tiles 64 64 16 8 8 8 8<TAB>0.00123
 *
 * A file that is not of this form is as good as missing. */
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "device/opencl/tuning.h"
#include "device/tuner.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_KINDS = 1024, LARGEST_EXTENT = 4096 };

struct kept {
    char name[URSA_CL_CLASS_LENGTH];
    struct ursa_cl_choice choice;
    double seconds;
};

struct ursa_cl_tuning {
    pthread_mutex_t lock;
    bool is_read, watches;
    struct kept *kept;
    struct ursa_cl_product *seen; /* one of each kind */
    int kept_count, seen_count;
};

struct ursa_cl_tuning *ursa_cl_tuning_new(void)
{
    struct ursa_cl_tuning *tuning = ursa_alloc(sizeof *tuning);
    if (tuning)
        pthread_mutex_init(&tuning->lock, NULL);
    return tuning;
}

void ursa_cl_tuning_free(struct ursa_cl_tuning *tuning)
{
    if (!tuning)
        return;
    pthread_mutex_destroy(&tuning->lock);
    free(tuning->kept);
    free(tuning->seen);
    free(tuning);
}

/* ---- a choice as text --------------------------------------------------------- */

static const char *const methods[] = {[URSA_CL_TILES] = "tiles",
                                      [URSA_CL_CLBLAST] = "clblast",
                                      [URSA_CL_WINOGRAD] = "winograd",
                                      [URSA_CL_MATRIX] = "matrix"};
enum { METHODS = sizeof methods / sizeof *methods };

static void write_choice(const struct ursa_cl_choice *choice, char *text, size_t size)
{
    const struct ursa_cl_tile *t = &choice->tile;
    snprintf(text, size, "%s %d %d %d %d %d %d %d", methods[choice->method], t->rows, t->columns, t->depth,
             t->items_down, t->items_across, t->block_rows, t->block_columns);
}

static bool read_method(const char *name, enum ursa_cl_method *method)
{
    for (int i = 0; i < METHODS; i++)
        if (strcmp(methods[i], name) == 0) {
            *method = (enum ursa_cl_method)i;
            return true;
        }
    return false;
}

static bool is_sane(const struct ursa_cl_choice *choice)
{
    const struct ursa_cl_tile *t = &choice->tile;
    const int extents[] = {t->rows,         t->columns,    t->depth,        t->items_down,
                           t->items_across, t->block_rows, t->block_columns};
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        if (extents[i] < (choice->method == URSA_CL_CLBLAST ? 0 : 1) || extents[i] > LARGEST_EXTENT)
            return false;
    return true;
}

/* Takes the line apart. */
static bool read_entry(char *line, struct kept *entry)
{
    char method[16];
    struct ursa_cl_tile *t = &entry->choice.tile;
    char *name = strsep(&line, "\t"), *choice = strsep(&line, "\t"), *seconds = line, *end = NULL;
    if (!seconds || !*name || strlen(name) >= sizeof entry->name)
        return false;
    strcpy(entry->name, name);
    entry->seconds = strtod(seconds, &end);
    return sscanf(choice, "%15s %d %d %d %d %d %d %d", method, &t->rows, &t->columns, &t->depth, &t->items_down,
                  &t->items_across, &t->block_rows, &t->block_columns) == 8 &&
           *end == '\n' && isfinite(entry->seconds) && read_method(method, &entry->choice.method) &&
           is_sane(&entry->choice);
}

/* ---- the file ----------------------------------------------------------------- */

static const char first_line[] = "ursa tuned 1\n";

/* The device's identity on one line. */
static char *identity_line(const struct ursa_cl_device *device)
{
    char *line = ursa_format("%s\n", device->identity);
    for (char *c = line; c && c[0] && c[1]; c++)
        if (*c == '\n')
            *c = '|';
    return line;
}

static struct kept *add(struct ursa_cl_tuning *tuning)
{
    struct kept *grown = ursa_grow(tuning->kept, (size_t)(tuning->kept_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    tuning->kept = grown;
    grown[tuning->kept_count] = (struct kept){0};
    return &grown[tuning->kept_count++];
}

static bool read_file(struct ursa_cl_tuning *tuning, FILE *file, const char *identity)
{
    char line[1024];
    if (!fgets(line, sizeof line, file) || strcmp(line, first_line) != 0 || !fgets(line, sizeof line, file) ||
        strcmp(line, identity) != 0)
        return false;
    while (fgets(line, sizeof line, file)) {
        struct kept *entry = tuning->kept_count < MOST_KINDS ? add(tuning) : NULL;
        if (!entry || !read_entry(line, entry))
            return false;
    }
    return true;
}

/* Once, with the lock held. */
static void read_kept(const struct ursa_cl_device *device)
{
    struct ursa_cl_tuning *tuning = device->tuning;
    if (tuning->is_read)
        return;
    tuning->is_read = true;
    char *path = ursa_cl_cache_path(device->identity, "tuned"), *identity = identity_line(device);
    FILE *file = path && identity ? fopen(path, "r") : NULL;
    if (file && !read_file(tuning, file, identity)) {
        ursa_log_line(URSA_LOG_WARN, "opencl: %s is not a file of `ursa tune` for this device; ignored", path);
        tuning->kept_count = 0;
    }
    if (file)
        fclose(file);
    free(identity);
    free(path);
}

static bool write_file(const struct ursa_cl_tuning *tuning, FILE *file, const char *identity)
{
    char choice[80];
    fprintf(file, "%s%s", first_line, identity);
    for (int i = 0; i < tuning->kept_count; i++) {
        write_choice(&tuning->kept[i].choice, choice, sizeof choice);
        fprintf(file, "%s\t%s\t%.9g\n", tuning->kept[i].name, choice, tuning->kept[i].seconds);
    }
    bool ok = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && ok;
}

/* Written beside, synced and renamed. */
static bool write_kept(const struct ursa_cl_device *device)
{
    char *path = ursa_cl_cache_path(device->identity, "tuned"), *identity = identity_line(device);
    char *beside = path ? ursa_format("%s.%ld", path, (long)getpid()) : NULL;
    FILE *file = beside && identity ? fopen(beside, "w") : NULL;
    bool done = file && write_file(device->tuning, file, identity) && rename(beside, path) == 0;
    if (!done)
        ursa_fail(URSA_ERROR_IO, "tune: %s cannot be written: %s", path ? path : "the cache", strerror(errno));
    if (!done && file)
        unlink(beside);
    free(beside);
    free(identity);
    free(path);
    return done;
}

/* ---- choices ------------------------------------------------------------------ */

static struct kept *find(const struct ursa_cl_tuning *tuning, const char *name)
{
    for (int i = 0; i < tuning->kept_count; i++)
        if (strcmp(tuning->kept[i].name, name) == 0)
            return &tuning->kept[i];
    return NULL;
}

bool ursa_cl_stored_choice(const struct ursa_cl_device *device, const char *product_class,
                           struct ursa_cl_choice *choice)
{
    pthread_mutex_lock(&device->tuning->lock);
    read_kept(device);
    const struct kept *entry = find(device->tuning, product_class);
    if (entry)
        *choice = entry->choice;
    pthread_mutex_unlock(&device->tuning->lock);
    return entry;
}

bool ursa_cl_store_choice(const struct ursa_cl_device *device, const char *product_class,
                          const struct ursa_cl_choice *choice, double seconds)
{
    struct ursa_cl_tuning *tuning = device->tuning;
    pthread_mutex_lock(&tuning->lock);
    read_kept(device);
    struct kept *entry = find(tuning, product_class);
    if (!entry)
        entry = add(tuning);
    bool done = entry;
    if (entry) {
        snprintf(entry->name, sizeof entry->name, "%s", product_class);
        entry->choice = *choice;
        entry->seconds = seconds;
        done = write_kept(device);
    }
    pthread_mutex_unlock(&tuning->lock);
    return done;
}

/* ---- watching ----------------------------------------------------------------- */

void ursa_cl_note_product(const struct ursa_cl_device *device, const struct ursa_cl_product *product)
{
    struct ursa_cl_tuning *tuning = device->tuning;
    if (!__atomic_load_n(&tuning->watches, __ATOMIC_RELAXED))
        return;
    char name[URSA_CL_CLASS_LENGTH], other[URSA_CL_CLASS_LENGTH];
    ursa_cl_product_class(product, name);
    pthread_mutex_lock(&tuning->lock);
    bool known = tuning->seen_count == MOST_KINDS;
    for (int i = 0; i < tuning->seen_count && !known; i++) {
        ursa_cl_product_class(&tuning->seen[i], other);
        known = strcmp(name, other) == 0;
    }
    struct ursa_cl_product *grown =
        known ? NULL : ursa_grow(tuning->seen, (size_t)(tuning->seen_count + 1) * sizeof *grown);
    if (grown) {
        tuning->seen = grown;
        grown[tuning->seen_count++] = *product;
    }
    pthread_mutex_unlock(&tuning->lock);
}

static void watch(ursa_device *base)
{
    struct ursa_cl_tuning *tuning = ursa_cl_device(base)->tuning;
    tuning->seen_count = 0;
    __atomic_store_n(&tuning->watches, true, __ATOMIC_RELAXED);
}

static int seen(ursa_device *base)
{
    struct ursa_cl_tuning *tuning = ursa_cl_device(base)->tuning;
    __atomic_store_n(&tuning->watches, false, __ATOMIC_RELAXED); /* what is timed is not to be seen */
    return tuning->seen_count;
}

/* ---- tuning ------------------------------------------------------------------- */

/* "tiles 64×64×16 8×8 4×4": what a group computes at a time, its work items, and what each has in registers. */
static void describe(const struct ursa_cl_choice *choice, char *text, size_t size)
{
    const struct ursa_cl_tile *t = &choice->tile;
    if (choice->method == URSA_CL_CLBLAST || choice->method == URSA_CL_WINOGRAD)
        snprintf(text, size, "%s", methods[choice->method]);
    else
        snprintf(text, size, "%s %d×%d×%d %d×%d %d×%d", methods[choice->method], t->rows, t->columns, t->depth,
                 t->items_down, t->items_across, t->block_rows, t->block_columns);
}

static void way(ursa_device *base, int index, char text[64])
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_choice choice = ursa_cl_choose(device, &device->tuning->seen[index]);
    describe(&choice, text, 64);
}

/* The way used so far comes first: a stored one, or the model's. Other methods promise more than other tiles. */
static int list_ways(struct ursa_cl_device *device, const struct ursa_cl_product *product, int most,
                     struct ursa_cl_choice *ways)
{
    struct ursa_cl_choice candidates[URSA_CL_MOST_CANDIDATES];
    int count = ursa_cl_candidates(device, product, candidates), kept = 0;
    ways[kept++] = ursa_cl_choose(device, product);
    for (int tiles = 0; tiles < 2; tiles++)
        for (int i = 0; i < count && kept < most; i++)
            if ((candidates[i].method == ways[0].method) == tiles && !ursa_cl_same_way(&candidates[i], &ways[0]))
                ways[kept++] = candidates[i];
    return kept;
}

/* Times vary: what is hardly faster than the way used so far does not replace it. */
static const double worth = 0.95;

static bool tune(ursa_device *base, int index, int most, struct ursa_tuned *result)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    const struct ursa_cl_product product = device->tuning->seen[index];
    struct ursa_cl_choice ways[URSA_CL_MOST_CANDIDATES + 1];
    int count = list_ways(device, &product, most < 2 ? 2 : most, ways), best = 0;
    *result = (struct ursa_tuned){0};
    ursa_cl_product_class(&product, result->name);
    for (int i = 0; i < count; i++) {
        double seconds = ursa_cl_time_choice(device, &product, &ways[i]);
        if (seconds < 0 && (i == 0 || ursa_error_kind_of() == URSA_ERROR_MEMORY))
            return false;
        if (seconds < 0) {
            ursa_log_line(URSA_LOG_INFO, "tune: %s: %s", result->name, ursa_error());
            ursa_clear_error(); /* a way that this device cannot go */
            continue;
        }
        result->tried++;
        if (i == 0)
            result->before_seconds = result->after_seconds = seconds;
        if (seconds < (best == 0 ? worth : 1) * result->after_seconds) {
            result->after_seconds = seconds;
            best = i;
        }
    }
    describe(&ways[0], result->before, sizeof result->before);
    describe(&ways[best], result->after, sizeof result->after);
    return ursa_cl_store_choice(device, result->name, &ways[best], result->after_seconds);
}

static bool kept(ursa_device *base, int index, struct ursa_tuned *entry)
{
    const struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_tuning *tuning = device->tuning;
    pthread_mutex_lock(&tuning->lock);
    read_kept(device);
    bool there = index < tuning->kept_count;
    *entry = (struct ursa_tuned){0};
    if (there) {
        snprintf(entry->name, sizeof entry->name, "%s", tuning->kept[index].name);
        describe(&tuning->kept[index].choice, entry->after, sizeof entry->after);
        entry->after_seconds = tuning->kept[index].seconds;
    }
    pthread_mutex_unlock(&tuning->lock);
    return there;
}

static bool forget(ursa_device *base)
{
    const struct ursa_cl_device *device = ursa_cl_device(base);
    char *path = ursa_cl_cache_path(device->identity, "tuned");
    bool done = path && (unlink(path) == 0 || errno == ENOENT);
    if (!done)
        ursa_fail(URSA_ERROR_IO, "tune: %s cannot be removed: %s", path ? path : "the cache", strerror(errno));
    free(path);
    pthread_mutex_lock(&device->tuning->lock);
    device->tuning->kept_count = 0;
    device->tuning->is_read = true;
    pthread_mutex_unlock(&device->tuning->lock);
    return done;
}

const struct ursa_tuner ursa_cl_tuner = {watch, seen, way, tune, kept, forget};
