/* splitters.c — which items are for training and which for validation. */
#include "datablock.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- at random --------------------------------------------------------------- */

bool ursa_split_randomly(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    (void)items;
    double share = splitter->valid_pct == 0 ? 0.2 : splitter->valid_pct;
    if (!(share > 0 && share < 1))
        return ursa_fail(URSA_ERROR_ARGUMENT, "random_splitter: valid_pct is %g; it must be between 0 and 1", share);
    int64_t held_out = (int64_t)(share * (double)count);
    if (held_out == 0)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "random_splitter: %lld items are too few to hold out %g of them for validation",
                         (long long)count, share);
    int64_t *order = ursa_alloc_array((size_t)count, sizeof *order);
    for (int64_t i = 0; order && i < count; i++)
        order[i] = i;
    if (!order)
        return false;
    ursa_rng rng = ursa_rng_new(splitter->seed ? splitter->seed : ursa_seed(), URSA_PURPOSE_SPLIT, 0);
    ursa_rng_shuffle(&rng, order, count);
    for (int64_t i = 0; i < held_out; i++)
        parts[order[i]] = URSA_PART_VALID;
    free(order);
    return true;
}

/* ---- by folder --------------------------------------------------------------------- */

/* Whether the folder around the one a file is in has this name. */
static bool grandparent_is(const char *path, const char *name)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *end = slash;
    while (end && end > path && end[-1] != '/')
        end--;
    if (!end || end == path)
        return false;
    size_t length = strlen(name);
    const char *last = end - 1; /* the slash behind the grandparent */
    return (size_t)(last - path) >= length && strncmp(last - length, name, length) == 0 &&
           (last - length == path || last[-(ptrdiff_t)length - 1] == '/');
}

bool ursa_split_by_grandparent(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                               ursa_part *parts)
{
    const char *train = splitter->train ? splitter->train : "train";
    const char *valid = splitter->valid ? splitter->valid : "valid";
    int64_t found[2] = {0};
    for (int64_t i = 0; i < count; i++) {
        parts[i] = grandparent_is(items[i].path, train)   ? URSA_PART_TRAIN
                   : grandparent_is(items[i].path, valid) ? URSA_PART_VALID
                                                          : URSA_PART_NEITHER;
        if (parts[i] != URSA_PART_NEITHER)
            found[parts[i]]++;
    }
    if (found[URSA_PART_TRAIN] && found[URSA_PART_VALID])
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT, "grandparent_splitter: no file is in a folder in the folder \"%s\"",
                     found[URSA_PART_TRAIN] ? valid : train);
}

/* ---- by index and column --------------------------------------------------------------- */

bool ursa_split_by_index(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    (void)items;
    for (int64_t i = 0; i < splitter->count; i++) {
        int64_t index = splitter->indices[i];
        if (index < 0 || index >= count)
            return ursa_fail(URSA_ERROR_ARGUMENT, "index_splitter: index %lld at position %lld is outside 0 … %lld",
                             (long long)index, (long long)i, (long long)count - 1);
        parts[index] = URSA_PART_VALID;
    }
    return true;
}

/* 1 for a text that says yes, 0 for one that says no or nothing, -1 for any other. */
static int truth(const char *text)
{
    static const char *const yes[] = {"true", "1", "1.0", "valid", "yes"};
    static const char *const no[] = {"false", "0", "0.0", "train", "no", ""};
    for (size_t i = 0; text && i < sizeof yes / sizeof *yes; i++)
        if (strcasecmp(text, yes[i]) == 0)
            return 1;
    for (size_t i = 0; text && i < sizeof no / sizeof *no; i++)
        if (strcasecmp(text, no[i]) == 0)
            return 0;
    return text ? -1 : 0;
}

bool ursa_split_by_column(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    for (int64_t i = 0; i < count; i++) {
        if (!items[i].frame)
            return ursa_fail(URSA_ERROR_ARGUMENT, "column_splitter: items are files, not rows of a frame");
        int column = ursa_frame_column_index(items[i].frame, splitter->column);
        if (column < 0)
            return false;
        const char *text = ursa_frame_text(items[i].frame, items[i].row, column);
        int valid = truth(text);
        if (valid < 0)
            return ursa_fail(URSA_ERROR_FORMAT,
                             "column_splitter: column \"%s\", row %lld: \"%.40s\" is neither true nor false",
                             splitter->column, (long long)items[i].row + 1, text);
        parts[i] = valid ? URSA_PART_VALID : URSA_PART_TRAIN;
    }
    return true;
}

/* ---- by a list of files ------------------------------------------------------------------ */

struct lines {
    char **list;
    int64_t count;
};

static void free_lines(struct lines *lines)
{
    for (int64_t i = 0; i < lines->count; i++)
        free(lines->list[i]);
    free(lines->list);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_line(struct lines *lines, const char *line)
{
    char **grown = ursa_grow(lines->list, (size_t)(lines->count + 1) * sizeof *grown);
    char *copy = ursa_copy_string(line);
    if (grown)
        lines->list = grown;
    if (grown && copy)
        grown[lines->count++] = copy;
    else
        free(copy);
    return grown && copy;
}

static bool read_lines(const char *path, struct lines *lines)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "file_splitter: %s: cannot be read: %s", path, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    bool fine = true;
    while (fine && getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        fine = !*line || add_line(lines, line);
    }
    free(line);
    fclose(file);
    if (lines->count)
        qsort(lines->list, (size_t)lines->count, sizeof *lines->list, by_text);
    return fine;
}

/* Whether a line is the file's name, or the end of its path from a folder on. */
static bool is_listed(const struct lines *lines, const char *path)
{
    for (const char *end = path; end && lines->count; end = strchr(end, '/')) {
        end += *end == '/';
        if (bsearch(&end, lines->list, (size_t)lines->count, sizeof *lines->list, by_text))
            return true;
    }
    return lines->count && bsearch(&path, lines->list, (size_t)lines->count, sizeof *lines->list, by_text);
}

bool ursa_split_by_file(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    struct lines lines = {0};
    int64_t found = 0;
    bool fine = read_lines(splitter->file, &lines);
    for (int64_t i = 0; fine && i < count; i++)
        if (items[i].path && is_listed(&lines, items[i].path)) {
            parts[i] = URSA_PART_VALID;
            found++;
        }
    if (fine && found == 0)
        fine = ursa_fail(URSA_ERROR_ARGUMENT, "file_splitter: none of the %lld names in %s is one of the %lld items",
                         (long long)lines.count, splitter->file, (long long)count);
    free_lines(&lines);
    return fine;
}

/* ---- others ---------------------------------------------------------------------------------- */

bool ursa_split_by_function(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    for (int64_t i = 0; i < count; i++)
        parts[i] = splitter->function(splitter->context, &items[i]);
    return true;
}

bool ursa_split_nothing(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    (void)splitter, (void)items, (void)count, (void)parts;
    return true;
}

bool ursa_split_off_all(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts)
{
    (void)splitter, (void)items;
    for (int64_t i = 0; i < count; i++)
        parts[i] = URSA_PART_VALID;
    return true;
}
