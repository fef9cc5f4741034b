/* augment.c — the list of --augment. */
#include "image_job.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset; /* of a double in the options */
} numbers[] = {
    {"max_rotate", offsetof(ursa_aug_transforms_options, max_rotate)},
    {"min_zoom", offsetof(ursa_aug_transforms_options, min_zoom)},
    {"max_zoom", offsetof(ursa_aug_transforms_options, max_zoom)},
    {"max_lighting", offsetof(ursa_aug_transforms_options, max_lighting)},
    {"max_warp", offsetof(ursa_aug_transforms_options, max_warp)},
    {"p_affine", offsetof(ursa_aug_transforms_options, p_affine)},
    {"p_lighting", offsetof(ursa_aug_transforms_options, p_lighting)},
    {"min_scale", offsetof(ursa_aug_transforms_options, min_scale)},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* Options take 0 for their default, and a number below 0 for 0. */
static double as_option(double value)
{
    return value == 0 ? -1 : value;
}

/* The option of a name; -1, with an error, when there is none. */
static int find_number(const char *name)
{
    for (int i = 0; i < NUMBERS; i++)
        if (strcmp(numbers[i].name, name) == 0)
            return i;
    ursa_fail(URSA_ERROR_ARGUMENT,
              "--augment: there is no \"%s\"; there are flip_vert, no_flip, max_rotate=, min_zoom=, max_zoom=, "
              "max_lighting=, max_warp=, p_affine=, p_lighting=, min_scale=, default and none",
              name);
    return -1;
}

static bool read_number(const char *name, const char *value, ursa_aug_transforms_options *options)
{
    char *end;
    int place = find_number(name);
    double number = strtod(value, &end);
    if (place < 0)
        return false;
    if (end == value || *end || !(number >= 0 && number <= 1000))
        return ursa_fail(URSA_ERROR_ARGUMENT, "--augment: %s is \"%s\"; expected a number from 0", name, value);
    *(double *)((char *)options + numbers[place].offset) = as_option(number);
    return true;
}

static bool read_entry(char *entry, ursa_aug_transforms_options *options)
{
    if (strcmp(entry, "flip_vert") == 0)
        return options->flip_vert = true;
    if (strcmp(entry, "no_flip") == 0)
        return options->no_flip = true;
    if (strcmp(entry, "default") == 0)
        return true;
    char *value = strchr(entry, '=');
    if (value)
        *value++ = 0;
    return read_number(entry, value ? value : "", options);
}

bool read_augment(const char *list, ursa_transform *out)
{
    char text[400], *rest = text;
    ursa_aug_transforms_options options = {0};
    *out = (ursa_transform){0};
    if (strcmp(list, "none") == 0)
        return true;
    if (snprintf(text, sizeof text, "%s", list) >= (int)sizeof text)
        return ursa_fail(URSA_ERROR_ARGUMENT, "--augment: the list is too long");
    for (char *entry; (entry = strsep(&rest, ","));)
        if (!read_entry(entry, &options))
            return false;
    *out = ursa_aug_transforms_opt(&options);
    return out->class;
}
