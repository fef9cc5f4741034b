/* number_blocks.c — targets that are numbers, or points in the input image. */
#include "datablock.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading numbers -------------------------------------------------------------- */

static bool number_of(const ursa_block *block, const char *text, float *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || end[strspn(end, " \t")] || !isfinite(value))
        return ursa_fail(URSA_ERROR_FORMAT, "%s block: \"%.40s\" is no number", block->class->name, text);
    *out = (float)value;
    return true;
}

static int found_count(const ursa_found *found)
{
    return found->number_count ? found->number_count : found->text_count;
}

/* The numbers of an item, `count` of them, to free(). */
static float *read_numbers(const ursa_block *block, const ursa_found *found, int count)
{
    if (found_count(found) != count) {
        ursa_fail(URSA_ERROR_ARGUMENT, "%s block: an item has %d numbers; expected %d", block->class->name,
                  found_count(found), count);
        return NULL;
    }
    float *data = ursa_alloc_array((size_t)count + 1, sizeof *data);
    bool fine = data;
    for (int i = 0; fine && i < count; i++) {
        if (found->number_count)
            data[i] = (float)found->numbers[i];
        else
            fine = number_of(block, found->texts[i], &data[i]);
    }
    if (fine)
        return data;
    free(data);
    return NULL;
}

static char *numbers_text(const float *data, int64_t count, bool pairs)
{
    char *text = ursa_copy_string("");
    for (int64_t i = 0; text && i < count; i++) {
        const char *before = !i ? (pairs ? "(" : "") : !pairs || i % 2 ? ", " : ") (";
        char *longer = ursa_format("%s%s%.4g", text, before, (double)data[i]);
        free(text);
        text = longer;
    }
    if (text && pairs && count) {
        char *longer = ursa_format("%s)", text);
        free(text);
        text = longer;
    }
    return text;
}

static int64_t elements(ursa_dims shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape.ndim; axis++)
        count *= shape.dim[axis];
    return count;
}

/* ---- regression ----------------------------------------------------------------------- */

static bool settle_regression(ursa_block *block, const ursa_getter *getter, const ursa_found *all, int64_t count,
                              ursa_found *vocab)
{
    (void)getter, (void)vocab;
    if (!block->count && count > 0)
        block->count = found_count(&all[0]);
    return block->count > 0 || ursa_fail(URSA_ERROR_ARGUMENT, "regression block: the first item has no number");
}

static bool load_regression(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    float *data = read_numbers(block, found, block->count);
    ursa_dims shape = block->count == 1 ? ursa_shape() : ursa_shape(block->count);
    *value = (ursa_value){.kind = URSA_KIND_REGRESSION, .dtype = URSA_F32, .shape = shape, .data = data};
    return data;
}

static char *regression_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    (void)block;
    return numbers_text(data, elements(shape), false);
}

static int64_t count_outputs(const ursa_block *block)
{
    return block->count;
}

const ursa_block_class ursa_regression_block_class = {
    .name = "regression",
    .kind = URSA_KIND_REGRESSION,
    .settle = settle_regression,
    .load = load_regression,
    .text = regression_text,
    .outputs = count_outputs,
};

/* ---- points ---------------------------------------------------------------------------- */

static bool settle_points(ursa_block *block, const ursa_getter *getter, const ursa_found *all, int64_t count,
                          ursa_found *vocab)
{
    (void)getter, (void)vocab;
    int numbers = count > 0 ? found_count(&all[0]) : 0;
    if (!block->count && (numbers == 0 || numbers % 2))
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "point block: the first item has %d numbers; expected x and y of each point", numbers);
    if (!block->count)
        block->count = numbers / 2;
    return true;
}

static bool load_points(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    float *data = read_numbers(block, found, 2 * block->count);
    *value =
        (ursa_value){.kind = URSA_KIND_POINTS, .dtype = URSA_F32, .shape = ursa_shape(block->count, 2), .data = data};
    return data;
}

static char *points_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    (void)block;
    return numbers_text(data, elements(shape), true);
}

static int64_t point_outputs(const ursa_block *block)
{
    return 2 * (int64_t)block->count;
}

const ursa_block_class ursa_point_block_class = {
    .name = "point",
    .kind = URSA_KIND_POINTS,
    .settle = settle_points,
    .load = load_points,
    .text = points_text,
    .outputs = point_outputs,
};
