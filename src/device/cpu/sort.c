/* sort.c — sorting along an axis on the CPU.
 *
 * Elements become unsigned keys whose order is theirs, each with its position:
 * ties go by position, so any method that orders the pairs is stable. Long
 * rows are sorted by radix, short ones by merging, and where only a few
 * elements are wanted a heap picks them.
 */
#include "device/cpu/cpu.h"
#include "base/parallel.h"

#include <string.h>

enum {
    RUN = 12,          /* runs that insertion makes for merging */
    RADIX_FROM = 1024, /* rows from this length on are sorted by radix */
    HEAP_SHARE = 8,    /* a heap picks up to one in so many */
    CHUNK = 16 * 1024, /* elements that one task takes, roughly */
};

struct item {
    uint64_t key;
    int64_t index;
};

struct sort {
    ursa_around around;
    ursa_dtype dtype;
    bool descending;
    int64_t k;
    const char *x;
    char *values;
    int64_t *indices;
};

/* ---- keys ------------------------------------------------------------------------ */

/* Zeros of both signs are equal; NaN is above everything. */
static uint32_t float_key(float value)
{
    uint32_t bits;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        return UINT32_MAX;
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static uint64_t key_of(ursa_dtype dtype, const char *x, int64_t at)
{
    switch (dtype) {
    case URSA_F16:
        return float_key(ursa_f32_from_f16(((const uint16_t *)x)[at]));
    case URSA_BF16:
        return float_key(ursa_f32_from_bf16(((const uint16_t *)x)[at]));
    case URSA_I32:
        return (uint32_t)((const int32_t *)x)[at] ^ 0x80000000u;
    case URSA_I64:
        return (uint64_t)((const int64_t *)x)[at] ^ (uint64_t)1 << 63;
    default:
        return float_key(((const float *)x)[at]);
    }
}

static bool before(const struct item *a, const struct item *b)
{
    return a->key != b->key ? a->key < b->key : a->index < b->index;
}

/* ---- merging ----------------------------------------------------------------------- */

static void insertion_sort(struct item *items, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct item item = items[i];
        int64_t j = i;
        for (; j > 0 && before(&item, &items[j - 1]); j--)
            items[j] = items[j - 1];
        items[j] = item;
    }
}

static void merge(const struct item *a, int64_t na, const struct item *b, int64_t nb, struct item *out)
{
    while (na > 0 && nb > 0) {
        bool first = !before(b, a);
        *out++ = first ? *a : *b;
        a += first;
        na -= first;
        b += !first;
        nb -= !first;
    }
    memcpy(out, a, (size_t)na * sizeof *a);
    memcpy(out + na, b, (size_t)nb * sizeof *b);
}

/* Sorts `items`, with `spare` as long; returns the one that holds the result. */
static struct item *merge_sort(struct item *items, struct item *spare, int64_t n)
{
    for (int64_t i = 0; i < n; i += RUN)
        insertion_sort(items + i, n - i < RUN ? n - i : RUN);
    for (int64_t width = RUN; width < n; width *= 2) {
        for (int64_t i = 0; i < n; i += 2 * width) {
            int64_t na = n - i < width ? n - i : width, nb = n - i - na < width ? n - i - na : width;
            merge(items + i, na, items + i + na, nb, spare + i);
        }
        struct item *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}

/* ---- radix --------------------------------------------------------------------------- */

static struct item *radix_sort(struct item *items, struct item *spare, int64_t n)
{
    int64_t counts[8][256] = {0};
    for (int64_t i = 0; i < n; i++)
        for (int digit = 0; digit < 8; digit++)
            counts[digit][items[i].key >> 8 * digit & 255]++;
    for (int digit = 0; digit < 8; digit++) {
        int64_t *count = counts[digit], place = 0;
        if (count[items[0].key >> 8 * digit & 255] == n) /* the same in all */
            continue;
        for (int value = 0; value < 256; value++) {
            int64_t here = count[value];
            count[value] = place;
            place += here;
        }
        for (int64_t i = 0; i < n; i++)
            spare[count[items[i].key >> 8 * digit & 255]++] = items[i];
        struct item *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}

/* ---- the first few ------------------------------------------------------------------- */

static void sift_down(struct item *heap, int64_t n, int64_t at)
{
    struct item item = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&heap[child], &heap[child + 1]))
            child++;
        if (!before(&item, &heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

/* Moves the k smallest to the front, in any order: the last of the best so far
 * is on top of a heap. */
static void pick(struct item *items, int64_t n, int64_t k)
{
    for (int64_t i = k / 2 - 1; i >= 0; i--)
        sift_down(items, k, i);
    for (int64_t i = k; i < n; i++)
        if (before(&items[i], &items[0])) {
            items[0] = items[i];
            sift_down(items, k, 0);
        }
}

/* ---- rows ------------------------------------------------------------------------------ */

static const struct item *sort_items(struct item *items, struct item *spare, int64_t n, int64_t k)
{
    if (k <= n / HEAP_SHARE) {
        pick(items, n, k);
        return merge_sort(items, spare, k);
    }
    return n < RADIX_FROM ? merge_sort(items, spare, n) : radix_sort(items, spare, n);
}

static void copy_element(char *to, int64_t to_index, const char *from, int64_t from_index, size_t size)
{
    memcpy(to + (size_t)to_index * size, from + (size_t)from_index * size, size);
}

static void sort_row(const struct sort *op, int64_t row, struct item *items)
{
    int64_t n = op->around.extent, inner = op->around.inner, outer = row / inner, column = row % inner;
    int64_t from = outer * n * inner + column, to = outer * op->k * inner + column;
    uint64_t flip = op->descending ? UINT64_MAX : 0;
    for (int64_t i = 0; i < n; i++)
        items[i] = (struct item){.key = key_of(op->dtype, op->x, from + i * inner) ^ flip, .index = i};
    const struct item *sorted = sort_items(items, items + n, n, op->k);
    size_t size = ursa_dtype_size(op->dtype);
    for (int64_t i = 0; i < op->k; i++) {
        if (op->values)
            copy_element(op->values, to + i * inner, op->x, from + sorted[i].index * inner, size);
        if (op->indices)
            op->indices[to + i * inner] = sorted[i].index;
    }
}

static void sort_range(void *context, int64_t begin, int64_t end)
{
    const struct sort *op = context;
    struct item *items = ursa_scratch(0, (size_t)(2 * op->around.extent) * sizeof *items);
    for (int64_t row = begin; items && row < end; row++)
        sort_row(op, row, items);
}

bool ursa_cpu_sort(ursa_device *device, const struct ursa_sort_args *args)
{
    const ursa_array *result = args->values.buffer ? &args->values : &args->indices;
    ursa_array x;
    ursa_buffer *buffer;
    bool ok = ursa_cpu_contiguous(device, &args->x, args->x.dtype, &x, &buffer);
    if (ok) {
        struct sort op = {.around = ursa_cpu_around(&args->x, args->axis),
                          .dtype = x.dtype,
                          .descending = args->descending,
                          .k = result->ndim ? result->shape[args->axis] : 1,
                          .x = ursa_cpu_data(&x),
                          .values = ursa_cpu_data(&args->values),
                          .indices = ursa_cpu_data(&args->indices)};
        int64_t n = op.around.extent;
        if (n > 0)
            ok = ursa_parallel_range(op.around.outer * op.around.inner, n < CHUNK ? CHUNK / n : 1, sort_range, &op);
    }
    ursa_buffer_release(buffer);
    return ok;
}
