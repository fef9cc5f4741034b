/* copy.c — any view into any view, converting the type. */
#include "device/cpu/blocks.h"
#include "base/parallel.h"
#include "simd/convert.h"

#include <stdlib.h>
#include <string.h>

enum { OUT, X };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- both as they lie in memory ----------------------------------------------- */

static void linear_range(void *context, int64_t begin, int64_t end)
{
    const ursa_blocks *blocks = context;
    const ursa_operand *out = &blocks->operand[OUT], *x = &blocks->operand[X];
    char *to = out->data + begin * out->size;
    const char *from = x->data + begin * x->size;
    if (out->dtype == x->dtype)
        memcpy(to, from, (size_t)((end - begin) * out->size));
    else
        blocks->simd->convert->kernel[x->dtype][out->dtype](end - begin, from, to);
}

/* ---- transposed: the axis along which x lies in memory is not that of out ------- */

/* Sides of a tile: both its rows in x and its rows in out fill whole cache
 * lines, and the tile stays in the first-level cache. */
enum { TILE = 32 };

struct transposition {
    const ursa_blocks *blocks;
    int rows, columns;                     /* axes: rows has stride 1 in x, columns is the innermost of out */
    int64_t row_tiles, column_tiles, rest; /* tiles along each, and steps of all other axes together */
};

#define TILE_COPY(type)                                                                                                \
    static void copy_tile_##type(type *to, int64_t to_step, const type *from, int64_t from_step, int64_t rows,         \
                                 int64_t columns)                                                                      \
    {                                                                                                                  \
        type tile[TILE][TILE];                                                                                         \
        for (int64_t c = 0; c < columns; c++)                                                                          \
            for (int64_t r = 0; r < rows; r++)                                                                         \
                tile[r][c] = from[c * from_step + r];                                                                  \
        for (int64_t r = 0; r < rows; r++)                                                                             \
            memcpy(to + r * to_step, tile[r], (size_t)columns * sizeof(type));                                         \
    }
TILE_COPY(uint8_t)
TILE_COPY(uint16_t)
TILE_COPY(uint32_t)
TILE_COPY(uint64_t)

static void copy_tile(const struct transposition *op, int64_t to, int64_t from, int64_t rows, int64_t columns)
{
    const ursa_loop *loop = &op->blocks->loop;
    const ursa_operand *out = &op->blocks->operand[OUT], *x = &op->blocks->operand[X];
    int64_t to_step = loop->stride[OUT][op->rows], from_step = loop->stride[X][op->columns];
    void *target = out->data + to * out->size;
    const void *source = x->data + from * x->size;
    switch (out->size) {
    case 1:
        copy_tile_uint8_t(target, to_step, source, from_step, rows, columns);
        break;
    case 2:
        copy_tile_uint16_t(target, to_step, source, from_step, rows, columns);
        break;
    case 4:
        copy_tile_uint32_t(target, to_step, source, from_step, rows, columns);
        break;
    default:
        copy_tile_uint64_t(target, to_step, source, from_step, rows, columns);
    }
}

static void transposed_task(void *context, int64_t index)
{
    const struct transposition *op = context;
    const ursa_loop *loop = &op->blocks->loop;
    int64_t column = index % op->column_tiles * TILE, row = index / op->column_tiles % op->row_tiles * TILE;
    int64_t rest = index / op->column_tiles / op->row_tiles;
    int64_t to = row * loop->stride[OUT][op->rows] + column;
    int64_t from = row + column * loop->stride[X][op->columns];
    for (int axis = loop->ndim - 1; axis >= 0; axis--) {
        if (axis == op->rows || axis == op->columns)
            continue;
        int64_t step = rest % loop->shape[axis];
        rest /= loop->shape[axis];
        to += step * loop->stride[OUT][axis];
        from += step * loop->stride[X][axis];
    }
    copy_tile(op, to, from, smaller(TILE, loop->shape[op->rows] - row),
              smaller(TILE, loop->shape[op->columns] - column));
}

static void transposed_range(void *context, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        transposed_task(context, i);
}

/* Whether the copy is such a transposition, with both axes long enough to make
 * tiles worth while. */
static bool plan_transposition(const ursa_blocks *blocks, struct transposition *op)
{
    const ursa_loop *loop = &blocks->loop;
    int last = loop->ndim - 1, rows = -1;
    if (blocks->operand[OUT].dtype != blocks->operand[X].dtype || loop->stride[OUT][last] != 1)
        return false;
    for (int axis = 0; axis < last; axis++)
        if (loop->stride[X][axis] == 1)
            rows = axis;
    if (rows < 0 || loop->stride[X][last] == 1 || loop->shape[rows] < 4 || loop->shape[last] < 4)
        return false;
    *op = (struct transposition){.blocks = blocks, .rows = rows, .columns = last};
    op->row_tiles = (loop->shape[rows] + TILE - 1) / TILE;
    op->column_tiles = (loop->shape[last] + TILE - 1) / TILE;
    op->rest = loop->count / loop->shape[rows] / loop->shape[last];
    return true;
}

/* ---- all else -------------------------------------------------------------------- */

static void strided_range(void *context, int64_t begin, int64_t end)
{
    const ursa_blocks *blocks = context;
    ursa_dtype from = blocks->operand[X].dtype, to = blocks->operand[OUT].dtype;
    ursa_block in, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = smaller(end - i, URSA_BLOCK);
        const void *x = ursa_block_load(blocks, X, i, n, &in);
        void *y = ursa_block_target(blocks, OUT, i, &out);
        if (from == to)
            memcpy(y, x, (size_t)(n * blocks->operand[X].size));
        else
            blocks->simd->convert->kernel[from][to](n, x, y);
        ursa_block_store(blocks, OUT, i, n, &out);
    }
}

bool ursa_cpu_copy(ursa_device *device, const struct ursa_copy_args *args)
{
    (void)device;
    ursa_blocks blocks;
    struct transposition transposition;
    ursa_blocks_plan(&blocks, 2, (const ursa_array *[]){[OUT] = &args->out, [X] = &args->x});
    if (blocks.operand[OUT].linear && blocks.operand[X].linear)
        return ursa_blocks_run(&blocks, linear_range, &blocks);
    if (plan_transposition(&blocks, &transposition)) {
        int64_t tiles = transposition.row_tiles * transposition.column_tiles * transposition.rest;
        return ursa_parallel_range(tiles, URSA_GRAIN / (TILE * TILE), transposed_range, &transposition);
    }
    return ursa_blocks_run(&blocks, strided_range, &blocks);
}

/* ---- for other operators ------------------------------------------------------------ */

bool ursa_cpu_contiguous(ursa_device *device, const ursa_array *x, ursa_dtype dtype, ursa_array *view,
                         ursa_buffer **buffer)
{
    *view = *x;
    *buffer = NULL;
    if (x->dtype == dtype && ursa_array_is_contiguous(x))
        return true;
    int64_t count = ursa_array_count(x), step = 1;
    view->buffer = *buffer = ursa_buffer_new(device, dtype, count);
    view->dtype = dtype;
    view->offset = 0;
    for (int axis = x->ndim - 1; axis >= 0; axis--) {
        view->stride[axis] = step;
        step *= x->shape[axis];
    }
    return *buffer && (count == 0 || ursa_cpu_copy(device, &(struct ursa_copy_args){.x = *x, .out = *view}));
}

ursa_around ursa_cpu_around(const ursa_array *array, int axis)
{
    ursa_around around = {.outer = 1, .extent = array->ndim ? array->shape[axis] : 1, .inner = 1};
    for (int i = 0; i < array->ndim; i++)
        if (i != axis)
            *(i < axis ? &around.outer : &around.inner) *= array->shape[i];
    return around;
}
