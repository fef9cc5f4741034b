/* category_blocks.c — targets that are one of some classes, or any number of them. */
#include "datablock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- vocabularies ----------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static long long whole_number(const char *text, bool *is_one)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    *is_one = end != text && !*end && strlen(text) < 18;
    return value;
}

static int by_number(const void *a, const void *b)
{
    bool whole;
    long long x = whole_number(*(char *const *)a, &whole), y = whole_number(*(char *const *)b, &whole);
    return x != y ? (x > y) - (x < y) : by_text(a, b);
}

static bool all_whole_numbers(char *const *texts, int64_t count)
{
    bool whole = true;
    for (int64_t i = 0; whole && i < count; i++)
        whole_number(texts[i], &whole);
    return whole;
}

/* The different texts of all items, sorted. */
static bool collect_vocab(const ursa_found *all, int64_t count, ursa_found *vocab)
{
    int64_t total = 0, filled = 0;
    for (int64_t i = 0; i < count; i++)
        total += all[i].text_count;
    char **texts = ursa_alloc_array((size_t)total + 1, sizeof *texts);
    for (int64_t i = 0; texts && i < count; i++)
        for (int t = 0; t < all[i].text_count; t++)
            texts[filled++] = all[i].texts[t];
    if (texts)
        qsort(texts, (size_t)filled, sizeof *texts, all_whole_numbers(texts, filled) ? by_number : by_text);
    bool fine = texts;
    for (int64_t i = 0; fine && i < filled; i++)
        fine = (i > 0 && strcmp(texts[i], texts[i - 1]) == 0) || ursa_found_add_text(vocab, texts[i]);
    free(texts);
    return fine;
}

static char *vocab_text(const char *const *vocab)
{
    char *text = ursa_copy_string("");
    int count = ursa_vocab_count(vocab);
    for (int i = 0; text && i < count && i < 8; i++) {
        char *longer = ursa_format("%s%s\"%s\"", text, i ? ", " : "", vocab[i]);
        free(text);
        text = longer;
    }
    if (text && count > 8) {
        char *longer = ursa_format("%s and %d more", text, count - 8);
        free(text);
        text = longer;
    }
    return text;
}

static int64_t find_class(const ursa_block *block, const char *name)
{
    for (int64_t i = 0; block->vocab && block->vocab[i]; i++)
        if (strcmp(block->vocab[i], name) == 0)
            return i;
    char *known = vocab_text(block->vocab);
    ursa_fail(URSA_ERROR_ARGUMENT, "%s block: the label \"%s\" is not in the vocabulary (%s)", block->class->name, name,
              known ? known : "");
    free(known);
    return -1;
}

static int64_t vocab_outputs(const ursa_block *block)
{
    return ursa_vocab_count(block->vocab);
}

/* ---- one class ------------------------------------------------------------------------- */

static bool settle_category(ursa_block *block, const ursa_getter *getter, const ursa_found *all, int64_t count,
                            ursa_found *vocab)
{
    (void)getter;
    return block->vocab || collect_vocab(all, count, vocab);
}

static bool load_category(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    if (found->text_count != 1)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "category block: an item has %d labels; expected one (for several there is "
                         "ursa_multi_category_block())",
                         found->text_count);
    int64_t class = find_class(block, found->texts[0]);
    int64_t *data = class < 0 ? NULL : ursa_alloc(sizeof *data);
    if (!data)
        return false;
    *data = class;
    *value = (ursa_value){.kind = URSA_KIND_CATEGORY, .dtype = URSA_I64, .shape = ursa_shape(), .data = data};
    return true;
}

static char *category_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    (void)shape;
    int64_t class;
    memcpy(&class, data, sizeof class);
    if (class >= 0 && class < ursa_vocab_count(block->vocab))
        return ursa_copy_string(block->vocab[class]);
    return ursa_format("class %lld", (long long)class);
}

const ursa_block_class ursa_category_block_class = {
    .name = "category",
    .kind = URSA_KIND_CATEGORY,
    .settle = settle_category,
    .load = load_category,
    .text = category_text,
    .outputs = vocab_outputs,
};

/* ---- any number of classes ------------------------------------------------------------------ */

static bool settle_multi_category(ursa_block *block, const ursa_getter *getter, const ursa_found *all, int64_t count,
                                  ursa_found *vocab)
{
    if (block->vocab)
        return true;
    if (!block->encoded)
        return collect_vocab(all, count, vocab);
    if (!getter->columns)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "multi_category block: encoded labels have no names; give it a .vocab, or get_y columns");
    for (int i = 0; getter->columns[i]; i++)
        if (!ursa_found_add_text(vocab, getter->columns[i]))
            return false;
    return true;
}

static bool is_set(const char *text, float *out)
{
    static const char *const yes[] = {"1", "1.0", "true"}, *const no[] = {"0", "0.0", "false"};
    for (int i = 0; i < 3; i++)
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    return ursa_fail(URSA_ERROR_FORMAT, "multi_category block: \"%.40s\" is neither 0 nor 1", text);
}

static bool read_encoded(const ursa_found *found, int classes, float *data)
{
    bool numbers = found->number_count > 0;
    int given = numbers ? found->number_count : found->text_count;
    if (given != classes)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "multi_category block: %d encoded labels; expected one for each of the %d classes", given,
                         classes);
    for (int i = 0; i < classes; i++) {
        if (numbers)
            data[i] = found->numbers[i] != 0;
        else if (!is_set(found->texts[i], &data[i]))
            return false;
    }
    return true;
}

static bool read_names(const ursa_block *block, const ursa_found *found, float *data)
{
    for (int i = 0; i < found->text_count; i++) {
        int64_t class = find_class(block, found->texts[i]);
        if (class < 0)
            return false;
        data[class] = 1;
    }
    return true;
}

static bool load_multi_category(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    int classes = ursa_vocab_count(block->vocab);
    float *data = ursa_alloc_array((size_t)classes + 1, sizeof *data);
    bool read = data && (block->encoded ? read_encoded(found, classes, data) : read_names(block, found, data));
    if (!read) {
        free(data);
        return false;
    }
    *value =
        (ursa_value){.kind = URSA_KIND_MULTI_CATEGORY, .dtype = URSA_F32, .shape = ursa_shape(classes), .data = data};
    return true;
}

static char *multi_category_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    const float *set = data;
    char *text = ursa_copy_string("");
    int count = ursa_vocab_count(block->vocab);
    for (int64_t i = 0; text && shape.ndim == 1 && i < shape.dim[0] && i < count; i++) {
        if (!(set[i] > 0.5f))
            continue;
        char *longer = ursa_format("%s%s%s", text, *text ? ";" : "", block->vocab[i]);
        free(text);
        text = longer;
    }
    return text;
}

const ursa_block_class ursa_multi_category_block_class = {
    .name = "multi_category",
    .kind = URSA_KIND_MULTI_CATEGORY,
    .settle = settle_multi_category,
    .load = load_multi_category,
    .text = multi_category_text,
    .outputs = vocab_outputs,
};
