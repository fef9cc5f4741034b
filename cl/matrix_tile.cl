/* matrix_tile.cl — tiles of halves in local memory, multiplied by an instruction of the device
 * (mma.cl), for tile.cl. A subgroup computes SHARE_ROWS × SHARE_COLUMNS results, as fragments
 * that are of the instruction's size.
 *
 * Both tiles lie along the terms: eight halves are a cell, and the DEPTH = 32 terms of a row or column four
 * of them. A row's cells are turned by a number of its own, so that lanes that
 * read a cell of neighbouring rows, or store pairs of terms to every eighth row, find them in other banks.
 *
 * The instruction sums over the terms in any order, so that they may be dealt to it as suits the reading.
 * And which column of the tile is which column of the instruction is free as well: they are dealt so that
 * an item has four neighbours. Where the instruction gives a lane results along M, M is the columns, and the right
 * factor is its A; else it is the rows, and A is the left factor.
 */
#include "mma.cl"

typedef uint4 cell;

#define CELLS           4 /* of a row: DEPTH / 8 */
#define LEFT_SIZE       (ROWS * CELLS)
#define RIGHT_SIZE      (COLUMNS * CELLS)
#define turned(row, at) ((row)*CELLS + ((at) ^ (((row) / 2 ^ (row) / 8) % CELLS)))

/* ---- what items fetch ----------------------------------------------------------- */

#define line_across(item, across)           ((item) % (across))
#define line_down(item, slot, across, step) ((item) / (across) + (slot) * (step))
#define lines_of(down, step)                (((down) + (step)-1) / (step))

/* Where rows or columns, not terms, are neighbours in memory, the slots 2 i and 2 i + 1 are two
 * terms that follow each other. 32 items fetch 4 vectors side by side of 8 such pairs where they can. */
#define are_squares(across, step) ((across) % 4 == 0 && (step) % 8 == 0)
#define pair_across(item, across, step)                                                                                \
    (are_squares(across, step) ? (item) % 4 + (item) / 32 % ((across) / 4) * 4 : (item) % (across))
#define pair_down(item, slot, across, step)                                                                            \
    (((are_squares(across, step) ? (item) / 4 % 8 + (item) / 32 / ((across) / 4) * 8 : (item) / (across)) +            \
      (slot) / 2 * (step)) *                                                                                           \
         2 +                                                                                                           \
     (slot) % 2)

#ifdef LEFT_ALONG_K
#define LEFT_SLOTS            lines_of(LEFT_DOWN, LEFT_STEP)
#define left_across(item)     line_across(item, LEFT_ACROSS)
#define left_down(item, slot) line_down(item, slot, LEFT_ACROSS, LEFT_STEP)
#else
#define LEFT_SLOTS            (2 * lines_of(LEFT_DOWN / 2, LEFT_STEP))
#define left_across(item)     pair_across(item, LEFT_ACROSS, LEFT_STEP)
#define left_down(item, slot) pair_down(item, slot, LEFT_ACROSS, LEFT_STEP)
#endif
#ifdef RIGHT_ALONG_K
#define RIGHT_SLOTS            lines_of(RIGHT_DOWN, RIGHT_STEP)
#define right_across(item)     line_across(item, RIGHT_ACROSS)
#define right_down(item, slot) line_down(item, slot, RIGHT_ACROSS, RIGHT_STEP)
#else
#define RIGHT_SLOTS            (2 * lines_of(RIGHT_DOWN / 2, RIGHT_STEP))
#define right_across(item)     pair_across(item, RIGHT_ACROSS, RIGHT_STEP)
#define right_down(item, slot) pair_down(item, slot, RIGHT_ACROSS, RIGHT_STEP)
#endif
#define left_exists(item, slot)  (left_down(item, slot) < LEFT_DOWN)
#define right_exists(item, slot) (right_down(item, slot) < RIGHT_DOWN)

/* ---- into local memory ------------------------------------------------------------ */

/* The V elements of a vector of either type, as they are multiplied. (A loop that looked at the type kept them in
 * memory, on NVIDIA.) */
static inline void halves_of(const void *vector, int v, int type, ushort *each)
{
    if (type == TYPE_F32)
#pragma unroll
        for (int l = 0; l < v; l++)
            each[l] = half_of(((const float *)vector)[l], FACTOR);
    else
#pragma unroll
        for (int l = 0; l < v; l++)
            each[l] = ((const ushort *)vector)[l];
}

/* V halves that follow one another along the terms. */
static inline void put_along_k(local cell *tile, int row, int term, const ushort *each, int v)
{
    local ushort *to = (local ushort *)(tile + turned(row, term / 8)) + term % 8;
    if (v == 1)
        *to = each[0];
    if (v == 4)
        *(local ushort4 *)to = (ushort4)(each[0], each[1], each[2], each[3]);
    if (v == 8)
        *(local ushort8 *)to = (ushort8)(each[0], each[1], each[2], each[3], each[4], each[5], each[6], each[7]);
}

/* Those of two terms, of V rows: as words. */
static inline void put_along_rows(local cell *tile, int row, int term, const ushort *each, const ushort *following,
                                  int v)
{
#pragma unroll
    for (int l = 0; l < v; l++) {
        local uint *to = (local uint *)(tile + turned(row + l, term / 8));
        to[term % 8 / 2] = (uint)each[l] | (uint)following[l] << 16;
    }
}

/* Puts a vector at `across` in line `down`: of terms of a row, or of rows, with those of the term that follows. */
static inline void put(local cell *tile, const void *vector, const void *following, int v, int type, bool along_k,
                       int across, int down)
{
    ushort each[8], beside[8];
    halves_of(vector, v, type, each);
    if (along_k) {
        put_along_k(tile, down, across * v, each, v);
    } else {
        halves_of(following, v, type, beside);
        put_along_rows(tile, across * v, down, each, beside, v);
    }
}

static inline void left_put(local cell *tile, int item, int slot, const left_vector *next)
{
    if (left_exists(item, slot) && (LEFT_IS_ALONG_K || slot % 2 == 0))
        put(tile, next, next + 1, LEFT_V, LEFT_TYPE, LEFT_IS_ALONG_K, left_across(item), left_down(item, slot));
}

static inline void right_put(local cell *tile, int item, int slot, const right_vector *next)
{
    if (right_exists(item, slot) && (RIGHT_IS_ALONG_K || slot % 2 == 0))
        put(tile, next, next + 1, RIGHT_V, RIGHT_TYPE, RIGHT_IS_ALONG_K, right_across(item), right_down(item, slot));
}

/* ---- fragments: what a lane holds ---------------------------------------------------- */

#define SHARES_ACROSS      (COLUMNS / SHARE_COLUMNS)
#define share_row(item)    (subgroup_of(item) / SHARES_ACROSS * SHARE_ROWS)
#define share_column(item) (subgroup_of(item) % SHARES_ACROSS * SHARE_COLUMNS)

static inline void read_cell(uint *words, local const cell *tile, int row, int at)
{
    cell c = tile[turned(row, at)];
    words[0] = c.x, words[1] = c.y, words[2] = c.z, words[3] = c.w;
}

/* A lane reads the terms of a fragment in PASSES, and each pass is MMA_STEPS instructions.
 * left_read() and right_read() read what it holds of a fragment's rows, or columns, from the first on;
 * mma_step() picks the words of an instruction. */

#if MMA == MMA_M16N8K16 || MMA == MMA_M16N8K8 /* M: rows; N: columns */
#define PASSES           1
#define MMA_STEPS        (32 / MMA_K)
#define LEFT_WORDS       8
#define RIGHT_WORDS      4
#define FRAGMENT_ROWS    16
#define FRAGMENT_COLUMNS 8

static inline void left_read(uint *words, local const cell *tile, int row, int lane, int pass)
{
    read_cell(words, tile, row + lane / 4, lane % 4);
    read_cell(words + 4, tile, row + lane / 4 + 8, lane % 4);
}

/* Two fragments share 16 columns: pairs of neighbours, in turn. */
static inline void right_read(uint *words, local const cell *tile, int column, int lane, int pass)
{
    int first = column / 16 * 16 + column / 8 % 2 * 2, n = lane / 4;
    read_cell(words, tile, first + n / 2 * 4 + n % 2, lane % 4);
}

static inline void mma_step(float *sum, const uint *left, const uint *right, int step EXCHANGE_ARGUMENTS)
{
#if MMA == MMA_M16N8K16
    const uint a[A_WORDS] = {left[step * 2], left[step * 2 + 4], left[step * 2 + 1], left[step * 2 + 5]};
#else
    const uint a[A_WORDS] = {left[step], left[step + 4]};
#endif
    mma(sum, a, right + step * B_WORDS EXCHANGE_PASS);
}

#define BLOCK_ROWS            (SHARE_ROWS / 8)
#define FOURS                 (SHARE_COLUMNS / 16)
#define block_row(item, r)    (share_row(item) + (r) / 2 * 16 + (r) % 2 * 8 + lane_of(item) / 4)
#define block_column(item, j) (share_column(item) + (j)*16 + lane_of(item) % 4 * 4)
#define block_four(b, r, j)                                                                                            \
    ((float4)((b)->sum[(r) / 2][(j)*2][(r) % 2 * 2], (b)->sum[(r) / 2][(j)*2][(r) % 2 * 2 + 1],                        \
              (b)->sum[(r) / 2][(j)*2 + 1][(r) % 2 * 2], (b)->sum[(r) / 2][(j)*2 + 1][(r) % 2 * 2 + 1]))

#else /* M: columns; N: rows */

#if MMA == MMA_WMMA
#define PASSES           2
#define MMA_STEPS        1
#define LEFT_WORDS       8
#define RIGHT_WORDS      8
#define FRAGMENT_ROWS    16
#define FRAGMENT_COLUMNS 16

static inline void left_read(uint *words, local const cell *tile, int row, int lane, int pass)
{
    read_cell(words, tile, row + lane % 16, pass * 2);
    read_cell(words + 4, tile, row + lane % 16, pass * 2 + 1);
}

/* A lane's results are of every second m: those are eight neighbours. */
static inline void right_read(uint *words, local const cell *tile, int column, int lane, int pass)
{
    int m = lane % 16;
    read_cell(words, tile, column + m % 2 * 8 + m / 2, pass * 2);
    read_cell(words + 4, tile, column + m % 2 * 8 + m / 2, pass * 2 + 1);
}

#define block_row(item, r)    (share_row(item) + (r)*16 + lane_of(item) % 16)
#define block_column(item, j) (share_column(item) + (j) / 2 * 16 + lane_of(item) / 16 * 8 + (j) % 2 * 4)

#elif MMA == MMA_MFMA
#define PASSES           1
#define MMA_STEPS        2
#define LEFT_WORDS       4
#define RIGHT_WORDS      4
#define FRAGMENT_ROWS    16
#define FRAGMENT_COLUMNS 16

static inline void left_read(uint *words, local const cell *tile, int row, int lane, int pass)
{
    read_cell(words, tile, row + lane % 16, lane / 16);
}

static inline void right_read(uint *words, local const cell *tile, int column, int lane, int pass)
{
    read_cell(words, tile, column + lane % 16, lane / 16);
}

#define block_row(item, r)    (share_row(item) + (r)*16 + lane_of(item) % 16)
#define block_column(item, j) (share_column(item) + (j)*16 + lane_of(item) / 16 * 4)

#elif MMA == MMA_DPAS
#define PASSES           2
#define MMA_STEPS        1
#define LEFT_WORDS       8
#define RIGHT_WORDS      8
#define FRAGMENT_ROWS    8
#define FRAGMENT_COLUMNS 8

static inline void left_read(uint *words, local const cell *tile, int row, int lane, int pass)
{
    read_cell(words, tile, row + lane, pass * 2);
    read_cell(words + 4, tile, row + lane, pass * 2 + 1);
}

static inline void right_read(uint *words, local const cell *tile, int column, int lane, int pass)
{
#pragma unroll
    for (int m = 0; m < 8; m++)
        words[m] = ((local const uint *)(tile + turned(column + m, pass * 2 + lane / 4)))[lane % 4];
}

#define block_row(item, r)    (share_row(item) + (r)*8 + lane_of(item))
#define block_column(item, j) (share_column(item) + (j)*4)
#endif

static inline void mma_step(float *sum, const uint *left, const uint *right, int step EXCHANGE_ARGUMENTS)
{
    mma(sum, right + step * A_WORDS, left + step * B_WORDS EXCHANGE_PASS);
}

#define BLOCK_ROWS          (SHARE_ROWS / FRAGMENT_ROWS)
#define FOURS               (SHARE_COLUMNS / FRAGMENT_COLUMNS * SUMS / 4)
#define block_four(b, r, j) vload4((j) % (SUMS / 4), (b)->sum[r][(j) / (SUMS / 4)])
#endif

/* ---- the product ----------------------------------------------------------------- */

#define FRAGMENTS_DOWN   (SHARE_ROWS / FRAGMENT_ROWS)
#define FRAGMENTS_ACROSS (SHARE_COLUMNS / FRAGMENT_COLUMNS)

typedef struct block {
    float sum[FRAGMENTS_DOWN][FRAGMENTS_ACROSS][SUMS];
} block;

static inline void block_clear(block *b)
{
#pragma unroll
    for (int i = 0; i < FRAGMENTS_DOWN; i++)
#pragma unroll
        for (int j = 0; j < FRAGMENTS_ACROSS; j++)
#pragma unroll
            for (int l = 0; l < SUMS; l++)
                b->sum[i][j][l] = 0.0f;
}

/* Sums and fragments stay in registers where all loops over them are unrolled. The twin has a barrier in each turn,
 * and takes long to compile. */
#ifdef MMA_TWIN
#define FRAGMENT_UNROLL 1
#else
#define FRAGMENT_UNROLL 64
#endif

/* Multiplies the pair of tiles that was put in the step before this one. Meanwhile the other pair holds nothing
 * of use, and may serve the instruction's twin. */
static inline void block_multiply(block *b, int item, int step, local cell *left, local cell *right)
{
    int lane = lane_of(item);
    local const cell *from_left = left + (~step & 1) * LEFT_SIZE, *from_right = right + (~step & 1) * RIGHT_SIZE;
#ifdef MMA_TWIN
    local uint *all_a = (local uint *)(left + (step & 1) * LEFT_SIZE);
    local uint *all_b = (local uint *)(right + (step & 1) * RIGHT_SIZE);
#endif
#pragma unroll FRAGMENT_UNROLL
    for (int pass = 0; pass < PASSES; pass++) {
        uint rows[FRAGMENTS_DOWN][LEFT_WORDS], columns[FRAGMENTS_ACROSS][RIGHT_WORDS];
#pragma unroll FRAGMENT_UNROLL
        for (int i = 0; i < FRAGMENTS_DOWN; i++)
            left_read(rows[i], from_left, share_row(item) + i * FRAGMENT_ROWS, lane, pass);
#pragma unroll FRAGMENT_UNROLL
        for (int j = 0; j < FRAGMENTS_ACROSS; j++)
            right_read(columns[j], from_right, share_column(item) + j * FRAGMENT_COLUMNS, lane, pass);
#pragma unroll FRAGMENT_UNROLL
        for (int s = 0; s < MMA_STEPS; s++)
#pragma unroll FRAGMENT_UNROLL
            for (int i = 0; i < FRAGMENTS_DOWN; i++)
#pragma unroll FRAGMENT_UNROLL
                for (int j = 0; j < FRAGMENTS_ACROSS; j++)
                    mma_step(b->sum[i][j], rows[i], columns[j], s EXCHANGE_PASS);
    }
}
