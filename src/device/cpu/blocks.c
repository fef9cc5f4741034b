/* blocks.c — gathers and scatters blocks of elements. See blocks.h. */
#include "device/cpu/blocks.h"
#include "base/parallel.h"
#include "simd/convert.h"

#include <string.h>

static ursa_operand plan_operand(const ursa_loop *loop, int i, const ursa_array *array)
{
    ursa_operand operand = {.single = true};
    if (!array || !array->buffer)
        return operand;
    operand.data = ursa_cpu_data(array);
    operand.dtype = array->dtype;
    operand.size = (int)ursa_dtype_size(array->dtype);
    int64_t step = 1;
    operand.linear = true;
    for (int axis = loop->ndim - 1; axis >= 0; axis--) {
        operand.linear &= loop->stride[i][axis] == step || loop->shape[axis] == 1;
        operand.single &= loop->stride[i][axis] == 0;
        step *= loop->shape[axis];
    }
    return operand;
}

void ursa_blocks_plan(ursa_blocks *blocks, int operands, const ursa_array *const *arrays)
{
    ursa_loop_plan(&blocks->loop, operands, arrays);
    blocks->simd = ursa_cpu_simd();
    for (int i = 0; i < operands; i++)
        blocks->operand[i] = plan_operand(&blocks->loop, i, arrays[i]);
}

/* ---- walking rows ----------------------------------------------------------- */

/* A place in the loop, and the element of one operand that is there. */
struct place {
    const ursa_loop *loop;
    const int64_t *stride;
    int64_t index[URSA_MAX_DIMS];
    int64_t offset;
};

static struct place find_place(const ursa_blocks *blocks, int operand, int64_t element)
{
    struct place place = {.loop = &blocks->loop, .stride = blocks->loop.stride[operand]};
    for (int axis = blocks->loop.ndim - 1; axis >= 0; axis--) {
        int64_t extent = blocks->loop.shape[axis];
        place.index[axis] = element % extent;
        place.offset += place.index[axis] * place.stride[axis];
        element /= extent;
    }
    return place;
}

/* Elements left in the row of the innermost axis. */
static int64_t row_left(const struct place *place)
{
    int last = place->loop->ndim - 1;
    return place->loop->shape[last] - place->index[last];
}

static void advance(struct place *place, int64_t steps)
{
    int axis = place->loop->ndim - 1;
    place->index[axis] += steps;
    place->offset += steps * place->stride[axis];
    while (axis > 0 && place->index[axis] == place->loop->shape[axis]) {
        place->offset -= place->index[axis] * place->stride[axis];
        place->index[axis--] = 0;
        place->index[axis]++;
        place->offset += place->stride[axis];
    }
}

#define ROW_COPY(type)                                                                                                 \
    static void copy_row_##type(type *to, int64_t to_step, const type *from, int64_t from_step, int64_t n)             \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++)                                                                                \
            to[i * to_step] = from[i * from_step];                                                                     \
    }
ROW_COPY(uint8_t)
ROW_COPY(uint16_t)
ROW_COPY(uint32_t)
ROW_COPY(uint64_t)

static void copy_row(void *to, int64_t to_step, const void *from, int64_t from_step, int64_t n, int size)
{
    if (to_step == 1 && from_step == 1) {
        memcpy(to, from, (size_t)(n * size));
        return;
    }
    switch (size) {
    case 1:
        copy_row_uint8_t(to, to_step, from, from_step, n);
        break;
    case 2:
        copy_row_uint16_t(to, to_step, from, from_step, n);
        break;
    case 4:
        copy_row_uint32_t(to, to_step, from, from_step, n);
        break;
    default:
        copy_row_uint64_t(to, to_step, from, from_step, n);
    }
}

static const void *gather(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, char *to)
{
    const ursa_operand *source = &blocks->operand[operand];
    struct place place = find_place(blocks, operand, begin);
    int64_t step = place.stride[blocks->loop.ndim - 1];
    if (step == 1 && n <= row_left(&place))
        return source->data + place.offset * source->size;
    for (int64_t done = 0, run; done < n; done += run) {
        run = row_left(&place) < n - done ? row_left(&place) : n - done;
        copy_row(to + done * source->size, 1, source->data + place.offset * source->size, step, run, source->size);
        advance(&place, run);
    }
    return to;
}

static void scatter(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, const char *from)
{
    const ursa_operand *target = &blocks->operand[operand];
    struct place place = find_place(blocks, operand, begin);
    int64_t step = place.stride[blocks->loop.ndim - 1];
    for (int64_t done = 0, run; done < n; done += run) {
        run = row_left(&place) < n - done ? row_left(&place) : n - done;
        copy_row(target->data + place.offset * target->size, step, from + done * target->size, 1, run, target->size);
        advance(&place, run);
    }
}

/* ---- blocks ------------------------------------------------------------------- */

const void *ursa_block_load(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, ursa_block *scratch)
{
    const ursa_operand *source = &blocks->operand[operand];
    if (source->linear)
        return source->data + begin * source->size;
    return gather(blocks, operand, begin, n, scratch->bytes);
}

const float *ursa_block_load_f32(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, ursa_block *scratch)
{
    ursa_dtype dtype = blocks->operand[operand].dtype;
    if (dtype == URSA_F32)
        return ursa_block_load(blocks, operand, begin, n, scratch);
    ursa_block raw;
    const void *half = ursa_block_load(blocks, operand, begin, n, &raw);
    blocks->simd->convert->kernel[dtype][URSA_F32](n, half, scratch->f32);
    return scratch->f32;
}

const float *ursa_block_load_step(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, int *step,
                                  ursa_block *scratch)
{
    const ursa_operand *source = &blocks->operand[operand];
    *step = !source->single;
    if (!source->data)
        return NULL;
    return ursa_block_load_f32(blocks, operand, begin, source->single ? 1 : n, scratch);
}

void *ursa_block_target(const ursa_blocks *blocks, int operand, int64_t begin, ursa_block *scratch)
{
    const ursa_operand *target = &blocks->operand[operand];
    return target->linear ? target->data + begin * target->size : scratch->bytes;
}

void ursa_block_store(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, const ursa_block *scratch)
{
    if (!blocks->operand[operand].linear)
        scatter(blocks, operand, begin, n, scratch->bytes);
}

float *ursa_block_target_f32(const ursa_blocks *blocks, int operand, int64_t begin, ursa_block *scratch)
{
    if (blocks->operand[operand].dtype == URSA_F32)
        return ursa_block_target(blocks, operand, begin, scratch);
    return scratch->f32;
}

void ursa_block_store_f32(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, const ursa_block *scratch)
{
    ursa_dtype dtype = blocks->operand[operand].dtype;
    if (dtype == URSA_F32) {
        ursa_block_store(blocks, operand, begin, n, scratch);
        return;
    }
    ursa_block raw;
    blocks->simd->convert->kernel[URSA_F32][dtype](n, scratch->f32, ursa_block_target(blocks, operand, begin, &raw));
    ursa_block_store(blocks, operand, begin, n, &raw);
}

bool ursa_blocks_run(const ursa_blocks *blocks, void (*range)(void *context, int64_t begin, int64_t end), void *context)
{
    return ursa_parallel_range(blocks->loop.count, URSA_GRAIN, range, context);
}
