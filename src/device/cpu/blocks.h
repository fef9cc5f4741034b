/* blocks.h — elementwise operators of any strides and types, in blocks that
 * fit the first-level cache: each operand gives a block as a contiguous array,
 * in place where it lies so in memory, else gathered into scratch; kernels then
 * know only contiguous arrays.
 */
#ifndef URSA_DEVICE_CPU_BLOCKS_H
#define URSA_DEVICE_CPU_BLOCKS_H

#include "device/cpu/cpu.h"
#include "device/loop.h"

/* Elements of a block, and of the range that one task works through. */
enum { URSA_BLOCK = 1024, URSA_GRAIN = 32 * URSA_BLOCK };

typedef struct ursa_operand {
    char *data;
    ursa_dtype dtype;
    int size;    /* bytes of an element */
    bool linear; /* element i of the loop is element i in memory */
    bool single; /* one element stands for all */
} ursa_operand;

typedef struct ursa_blocks {
    ursa_loop loop;
    ursa_operand operand[URSA_LOOP_OPERANDS];
    const struct ursa_simd *simd;
} ursa_blocks;

/* Scratch for one block of any type. */
typedef union ursa_block {
    float f32[URSA_BLOCK];
    uint16_t half[URSA_BLOCK];
    char bytes[URSA_BLOCK * 8];
} __attribute__((aligned(64))) ursa_block;

void ursa_blocks_plan(ursa_blocks *blocks, int operands, const ursa_array *const *arrays);

/* Elements begin … begin + n - 1 of an operand, n ≤ URSA_BLOCK: in memory, or
 * gathered into `scratch`. */
const void *ursa_block_load(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, ursa_block *scratch);
/* The same as floats, whatever the operand's float type. */
const float *ursa_block_load_f32(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, ursa_block *scratch);
/* The same, but NULL for an absent operand, and one number with *step 0 where
 * that stands for all. */
const float *ursa_block_load_step(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, int *step,
                                  ursa_block *scratch);

/* Where a kernel should write elements from `begin` on: in memory, or into
 * `scratch`; store then takes them from there. */
void *ursa_block_target(const ursa_blocks *blocks, int operand, int64_t begin, ursa_block *scratch);
void ursa_block_store(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, const ursa_block *scratch);
float *ursa_block_target_f32(const ursa_blocks *blocks, int operand, int64_t begin, ursa_block *scratch);
void ursa_block_store_f32(const ursa_blocks *blocks, int operand, int64_t begin, int64_t n, const ursa_block *scratch);

/* Runs `range` over all elements of the loop, in parallel. */
bool ursa_blocks_run(const ursa_blocks *blocks, void (*range)(void *context, int64_t begin, int64_t end),
                     void *context);

#endif
