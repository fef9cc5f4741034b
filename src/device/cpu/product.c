/* product.c — blocking, packing and threads of products and convolutions.
 *
 * The loops are those of Goto and van de Geijn ("Anatomy of high-performance
 * matrix multiplication", 2008) in the arrangement of BLIS (Van Zee and van de
 * Geijn, 2015). From the inside out:
 *
 *   registers   a tile of out, rows × columns of the micro-kernel
 *   L1          a panel of B: `inner` steps of the inner dimension, one tile wide; every tile of a block uses it
 *   L2          a block of A: some rows, `inner` steps; every panel uses it
 *   L3          a block of B, packed panel by panel in the order in which it is read; every block of A uses it
 *
 * B is packed once, before the tasks start; A block by block, within a task, or
 * read where it lies where that is cheaper. A task is a rectangle of
 * out and goes through all of the inner dimension itself, so no two tasks ever
 * add to the same number, and the order of the sums is that of the shape.
 *
 * How many rows and columns a block has depends on the sizes of the caches, and
 * changes no sum; `inner`, which does, is a constant of the instruction set. It
 * is longer than what would keep the panel in a small first level: reading a
 * panel from the second costs less than more visits to out.
 */
#include "device/cpu/product.h"
#include "base/cache_size.h"
#include "base/error.h"
#include "base/parallel.h"
#include "simd/elementwise.h"
#include "simd/gemm_half.h"

#define MOST_ROWS    144     /* of A in a block, about: it is a multiple of the rows of a tile */
#define A_SHARE      0.3     /* of the second level that a block of A takes; panels of B and out pass through it */
#define B_SHARE      0.5     /* of the last level, for a block of B */
#define TASKS        4       /* wanted for every thread; blocks are made narrower for them, whose rows are cut again */
#define SMALL_WORK   2000000 /* multiply-adds that are not worth a second thread */
#define PACK_PANELS  4       /* panels of B that a task packs */
#define LEAST_PANELS 4       /* of B in a block */
#define SLICE_PANELS 3       /* panels of B that have to use a block of A for it to be cut into slices */

/* The inner dimension, cut into parts that fit: whole segments, or parts of one. */
struct part {
    int64_t segment, segments; /* first, number */
    int64_t skip, length;      /* within each segment */
};

struct run {
    const struct ursa_product *product;
    const struct ursa_simd_gemm *simd;
    int64_t b_size;      /* bytes of an element of B */
    int64_t words;       /* of a segment; everything inner is counted in words (see simd/gemm.h) */
    const float *panels; /* NULL: B is used as it lies */
    int64_t panel_group; /* floats of the panels of one group; 0 when all groups share them */
    int64_t packed_groups, panel_count;
    int64_t row_block, row_blocks; /* rows of a block; 0: the blocks share them evenly, tile by tile */
    int64_t column_block, column_blocks;
    int64_t groups_per_task;
};

static bool is_half_product(const struct ursa_product *p)
{
    return ursa_is_half(p->a) || ursa_is_half(p->b);
}

static int64_t inner_extent(const struct run *run)
{
    return run->product->segments * run->words;
}

static int64_t part_count(const struct run *run)
{
    int64_t inner = run->simd->inner;
    if (inner_extent(run) == 0)
        return 1;
    if (run->words >= inner)
        return run->product->segments * ursa_ceil_div(run->words, inner);
    return ursa_ceil_div(run->product->segments, inner / run->words);
}

static struct part part_at(const struct run *run, int64_t index)
{
    int64_t inner = run->simd->inner;
    if (inner_extent(run) == 0)
        return (struct part){0};
    if (run->words >= inner) {
        int64_t pieces = ursa_ceil_div(run->words, inner), piece = ursa_ceil_div(run->words, pieces);
        int64_t skip = index % pieces * piece;
        int64_t left = run->words - skip;
        return (struct part){index / pieces, 1, skip, left < piece ? left : piece};
    }
    int64_t segments = run->product->segments, per_part = ursa_ceil_div(segments, part_count(run));
    int64_t first = index * per_part, left = segments - first;
    return (struct part){first, left < 0 ? 0 : left < per_part ? left : per_part, 0, run->words};
}

/* ---- packing --------------------------------------------------------------- */

/* Where segment s of B begins. */
static int64_t segment_at(const struct ursa_product *p, int64_t s)
{
    return p->factor.segment ? p->factor.segment[s] : s * p->length * p->factor.k_stride;
}

/* Packs `count` panels of a group. Where rows of B are contiguous, several panels at once: a whole run of a row is
 * read, and not every page of B once for each panel. */
static void pack_panels(const struct run *run, int64_t group, int64_t panel, int64_t count, float *to)
{
    const struct ursa_product *p = run->product;
    const struct ursa_factor *b = &p->factor;
    int64_t columns = run->simd->columns, size = inner_extent(run) * columns;
    if (size == 0)
        return;
    int64_t first = panel * columns, end = first + count * columns < p->columns ? first + count * columns : p->columns;
    const char *from = (const char *)b->data + group * b->group_stride * run->b_size;
    if (p->segments == 1 && !b->segment && b->j_stride == 1) {
        struct ursa_rows rows = {from + first * run->b_size, b->k_stride, p->length, run->simd->depth, 1};
        run->simd->panels(&rows, end - first, to, size);
        return;
    }
    bool whole = !b->segment && p->length % run->simd->depth == 0; /* words do not end with the segments */
    for (int64_t j = first; j < end; j += columns, to += size) {
        int64_t width = end - j < columns ? end - j : columns;
        const char *panel_from = from + j * b->j_stride * run->b_size;
        for (int64_t s = 0; s < (whole ? 1 : p->segments); s++)
            run->simd->pack(panel_from + segment_at(p, s) * run->b_size, b->k_stride, b->j_stride,
                            whole ? p->segments * p->length : p->length, width, to + s * run->words * columns);
    }
}

static void pack_task(void *context, int64_t index)
{
    const struct run *run = context;
    int64_t tasks = ursa_ceil_div(run->panel_count, PACK_PANELS);
    int64_t group = index / tasks, panel = index % tasks * PACK_PANELS, left = run->panel_count - panel;
    int64_t size = inner_extent(run) * run->simd->columns;
    pack_panels(run, group, panel, left < PACK_PANELS ? left : PACK_PANELS,
                (float *)run->panels + (group * run->panel_count + panel) * size);
}

const struct ursa_simd_gemm *ursa_product_kernels(ursa_dtype a, ursa_dtype b)
{
    const struct ursa_simd *simd = ursa_cpu_simd();
    if (ursa_is_half(a) || ursa_is_half(b))
        return &simd->gemm_half->type[ursa_is_half(a) ? a : b]->product[ursa_is_half(a)][ursa_is_half(b)];
    return simd->gemm;
}

void ursa_activate(const ursa_activation *activation, float *x, int64_t count)
{
    ursa_cpu_simd()->elementwise->unary[activation->kind](count, x, x, activation->a, activation->b);
}

/* ---- one block of out ------------------------------------------------------- */

struct block {
    int64_t group, row, rows, column, columns;
    const void **row_at;
    void *const *out_at;
    const float *b; /* panels of the group, or its B */
    float *slices;  /* a part of the rows, in slices as high as a tile; NULL when they are used in place */
    float **sum_at; /* where sums are kept that are rounded to a half type in the end, from column 0 of the block on */
    int64_t sum_pitch;
};

/* The micro-kernel reads a slice as one stream, rows in place as many: these fight for the same sets of the cache where
 * they lie a power of two apart, and with A transposed every step is a new line, even a new page. Where enough panels
 * use a block of A, it is cut into slices first. */
static bool is_sliced(const struct run *run, const struct block *block)
{
    const struct ursa_product *p = run->product;
    int64_t panels = ursa_ceil_div(block->columns, run->simd->columns);
    if (is_half_product(p))
        return inner_extent(run) > 0;
    return run->panels && inner_extent(run) && block->rows > 1 && panels >= (p->step == 1 ? SLICE_PANELS : 2);
}

/* Memory for the slices of a block, and for its sums. */
static bool block_new(const struct run *run, struct block *block)
{
    const struct ursa_product *p = run->product;
    int64_t steps = inner_extent(run) < run->simd->inner ? inner_extent(run) : run->simd->inner;
    int64_t count = ursa_ceil_div(block->rows, run->simd->rows);
    int64_t slices = is_sliced(run, block) ? ursa_odd_pitch(count * ursa_slice_floats(run->simd, steps)) : 0;
    block->sum_pitch = ursa_is_half(p->out) ? ursa_odd_pitch(block->columns) : 0;
    int64_t sums = block->rows * block->sum_pitch;
    if (slices + sums == 0)
        return true;
    float *memory = ursa_scratch(URSA_SLOT_TASK, (size_t)(slices + sums) * sizeof *memory);
    block->slices = slices ? memory : NULL;
    for (int64_t i = 0; memory && sums && i < block->rows; i++)
        block->sum_at[i] = memory + slices + i * block->sum_pitch;
    return memory;
}

static void cut_slices(const struct run *run, const struct block *block, const struct part *part)
{
    const struct ursa_product *p = run->product;
    const struct ursa_simd_gemm *simd = run->simd;
    int64_t skip = part->skip * simd->depth, length = part->length * simd->depth;
    length = length < p->length - skip ? length : p->length - skip;
    if (p->step == 1) {
        simd->gather(block->row_at + part->segment, p->segments, part->segments, length, skip, block->rows,
                     block->slices);
        return;
    }
    int64_t size = ursa_is_half(p->a) ? 2 : 4;
    struct ursa_rows rows = {(const char *)block->row_at[0] + skip * p->step * size, p->step, length, simd->depth, 1};
    simd->slice(&rows, block->rows, 0, block->slices, ursa_slice_floats(simd, part->length));
}

/* While a panel is in use its tiles fetch the next one, some lines each: left to its first tile, it would keep the
 * multiply-adds waiting. `done` floats of `size` are fetched; when all are, the rest of the tiles look at its end. */
static const float *fetch_share(const float *panel, int64_t size, int64_t done)
{
    return panel + (done < size ? done : size);
}

/* Finished columns of the sums, as out wants them. */
static void store_sums(const struct ursa_product *p, const struct block *block, int64_t column, int64_t width)
{
    for (int64_t i = 0; i < block->rows && p->activation.used && p->activation.kind != URSA_UNARY_relu; i++)
        ursa_activate(&p->activation, block->sum_at[i] + column, width);
    ursa_cpu_simd()->gemm_half->type[p->out]->store(block->sum_at[0] + column, block->sum_pitch, block->rows, width,
                                                    block->out_at, block->column + column);
}

static void load_sums(const struct ursa_product *p, const struct block *block)
{
    ursa_cpu_simd()->gemm_half->type[p->out]->load(block->out_at, block->column, block->rows, block->columns,
                                                   block->sum_at[0], block->sum_pitch);
}

static void run_part(const struct run *run, const struct block *block, const struct part *part, bool first, bool last)
{
    const struct ursa_product *p = run->product;
    const struct ursa_simd_gemm *simd = run->simd;
    int64_t k = part->segment * run->words + part->skip, slice = ursa_slice_floats(simd, part->segments * part->length);
    struct ursa_tile tile = {
        .row_stride = p->segments,
        .segments = part->segments,
        .length = block->slices ? part->segments * part->length : part->length,
        .skip = part->skip * p->step,
        .step = p->step,
        .b_stride = run->panels ? simd->columns : p->factor.k_stride,
        .padded = run->panels != NULL,
        .alpha = p->alpha,
        .beta = first ? p->beta : 1,
        .relu = last && p->activation.used && p->activation.kind == URSA_UNARY_relu,
    };
    int64_t before = block->sum_pitch ? block->column : 0; /* sums begin at the block */
    float *const *out_at = block->sum_pitch ? block->sum_at : (float *const *)block->out_at;
    int64_t size = part->segments * part->length * simd->columns;
    if (block->slices)
        cut_slices(run, block, part);
    for (int64_t j = block->column; j < block->column + block->columns; j += simd->columns) {
        int64_t left = block->column + block->columns - j;
        tile.width = (int)(left < simd->columns ? left : simd->columns);
        tile.column = j - before;
        tile.b =
            run->panels ? block->b + j * inner_extent(run) + k * simd->columns : block->b + j + k * p->factor.k_stride;
        tile.bias = last && p->bias ? p->bias + block->group * p->bias_stride + j : NULL;
        const float *next = run->panels && left > simd->columns ? tile.b + inner_extent(run) * simd->columns : NULL;
        for (int64_t i = 0; i < block->rows; i += simd->rows) {
            tile.fetch = next ? fetch_share(next, size, i / simd->rows * tile.length * URSA_FETCH_STEP) : tile.b;
            tile.height = (int)(block->rows - i < simd->rows ? block->rows - i : simd->rows);
            tile.row = (const void *const *)block->row_at + i * p->segments + part->segment;
            tile.slice = block->slices ? block->slices + i / simd->rows * slice : NULL;
            tile.out = out_at + i;
            simd->tile(&tile);
        }
        if (last && block->sum_pitch)
            store_sums(p, block, j - block->column, tile.width);
    }
}

static void run_block(const struct run *run, struct block *block)
{
    const struct ursa_product *p = run->product;
    const void **row = ursa_scratch(URSA_SLOT_ROWS, (size_t)(block->rows * (p->segments + 2)) * sizeof *row);
    if (!row)
        return;
    void **out = (void **)(row + block->rows * p->segments);
    p->find(p->context, block->group, block->row, block->row + block->rows, row, out);
    if (p->clear && block->column == 0)
        p->clear(p->context, block->group, block->row, block->row + block->rows);
    block->row_at = row;
    block->out_at = out;
    block->sum_at = (float **)(out + block->rows);
    if (!block_new(run, block))
        return;
    if (block->sum_pitch && p->beta != 0)
        load_sums(p, block);
    int64_t parts = part_count(run);
    ursa_kernels_begin(run->simd);
    for (int64_t i = 0; i < parts; i++) {
        struct part part = part_at(run, i);
        run_part(run, block, &part, i == 0, i == parts - 1);
    }
    ursa_kernels_end(run->simd);
    if (!block->sum_pitch && p->activation.used && p->activation.kind != URSA_UNARY_relu)
        for (int64_t i = 0; i < block->rows; i++)
            ursa_activate(&p->activation, (float *)out[i] + block->column, block->columns);
    if (p->moments && p->moments->parts)
        ursa_moments_gather(p->moments, block->row / run->row_block,
                            (char *)out[0] + block->column * (int64_t)ursa_dtype_size(p->out), block->rows,
                            block->group * p->columns + block->column, block->columns);
}

/* ---- tasks ------------------------------------------------------------------ */

static const float *b_of(const struct run *run, int64_t group)
{
    const struct ursa_factor *b = &run->product->factor;
    return run->panels ? run->panels + group * run->panel_group : (const float *)b->data + group * b->group_stride;
}

/* The row with which a block begins. */
static int64_t row_of(const struct run *run, int64_t block)
{
    int64_t rows = run->product->rows, tiles = ursa_ceil_div(rows, run->simd->rows);
    int64_t row = run->row_block ? block * run->row_block : block * tiles / run->row_blocks * run->simd->rows;
    return row < rows ? row : rows;
}

static void block_task(void *context, int64_t index)
{
    const struct run *run = context;
    const struct ursa_product *p = run->product;
    /* Neighbours share the columns, whose panels are more than the rows. */
    int64_t row = row_of(run, index % run->row_blocks);
    int64_t column = index / run->row_blocks % run->column_blocks * run->column_block;
    int64_t group = index / run->row_blocks / run->column_blocks;
    struct block block = {
        .group = group,
        .row = row,
        .rows = row_of(run, index % run->row_blocks + 1) - row,
        .column = column,
        .columns = p->columns - column < run->column_block ? p->columns - column : run->column_block,
        .b = b_of(run, group),
    };
    run_block(run, &block);
}

/* Many small products: a task takes some of them whole, packing included. */
static void groups_task(void *context, int64_t begin, int64_t end)
{
    struct run run = *(const struct run *)context;
    const struct ursa_product *p = run.product;
    int64_t size = inner_extent(&run) * run.simd->columns;
    run.panel_group = 0;
    if (run.panel_count) {
        run.panels = ursa_scratch(URSA_SLOT_PANELS, (size_t)(run.panel_count * size + 1) * sizeof(float));
        if (!run.panels)
            return;
    }
    for (int64_t group = begin; group < end; group++) {
        if (run.panel_count)
            pack_panels(&run, group, 0, run.panel_count, (float *)run.panels);
        for (int64_t i = 0; i < run.row_blocks; i++) {
            struct block block = {
                .group = group,
                .row = row_of(&run, i),
                .rows = row_of(&run, i + 1) - row_of(&run, i),
                .columns = p->columns,
                .b = b_of(&run, group),
            };
            run_block(&run, &block);
        }
    }
}

/* Packing reads and writes every element of B once; with few rows of A that is
 * not worth it, and rows of B that lie side by side are used in place. */
static bool is_packed(const struct run *run)
{
    const struct ursa_product *p = run->product;
    return is_half_product(p) || p->factor.j_stride != 1 || p->factor.segment || inner_extent(run) == 0 ||
           p->rows > 2 * run->simd->rows;
}

/* Rows of A whose slices, and panels of B that, fit a cache. */
static int64_t rows_that_fit(const struct run *run)
{
    int64_t inner = run->simd->inner, steps = inner_extent(run) < inner ? inner_extent(run) : inner;
    int64_t room = (int64_t)(A_SHARE * (double)ursa_caches().second / sizeof(float));
    int64_t rows = room / (steps + 1) / run->simd->rows * run->simd->rows;
    return rows < run->simd->rows ? run->simd->rows : rows < MOST_ROWS ? rows : MOST_ROWS;
}

static int64_t panels_that_fit(const struct run *run)
{
    int64_t room = (int64_t)(B_SHARE * (double)ursa_caches().last / sizeof(float));
    int64_t panels = room / (inner_extent(run) * run->simd->columns + 1);
    return panels < LEAST_PANELS ? LEAST_PANELS : panels;
}

/* The moments of out are merged by blocks of rows: so that no sum depends on the caches, or on the number of threads,
 * those do not either. Other blocks are as many for each thread. */
static void plan_rows(struct run *run)
{
    int64_t rows = run->product->rows, height = run->simd->rows, threads = ursa_threads();
    if (run->product->moments) {
        run->row_block = ursa_ceil_div(ursa_ceil_div(rows, ursa_ceil_div(rows, MOST_ROWS)), height) * height;
        run->row_blocks = ursa_ceil_div(rows, run->row_block);
        return;
    }
    int64_t tiles = ursa_ceil_div(rows, height), blocks = ursa_ceil_div(rows, rows_that_fit(run));
    if (blocks > threads)
        blocks = ursa_ceil_div(blocks, threads) * threads;
    run->row_blocks = blocks < tiles ? blocks : tiles;
}

static void plan_columns(struct run *run)
{
    const struct ursa_product *p = run->product;
    double work = (double)p->groups * (double)p->rows * (double)p->columns * (double)inner_extent(run);
    int64_t panels = ursa_ceil_div(p->columns, run->simd->columns);
    int64_t width = ursa_ceil_div(panels, ursa_ceil_div(panels, panels_that_fit(run)));
    if (work > SMALL_WORK)
        while (width > LEAST_PANELS &&
               p->groups * run->row_blocks * ursa_ceil_div(panels, width) < TASKS * ursa_threads())
            width = ursa_ceil_div(width, 2);
    run->column_block = width * run->simd->columns;
    run->column_blocks = ursa_ceil_div(p->columns, run->column_block);
}

bool ursa_product_run(const struct ursa_product *p)
{
    if (p->groups == 0 || p->rows == 0 || p->columns == 0)
        return true;
    if (ursa_product_is_turned(p))
        return ursa_product_run_turned(p);
    struct run run = {.product = p, .simd = ursa_product_kernels(p->a, p->b), .b_size = (int64_t)ursa_dtype_size(p->b)};
    run.words = ursa_ceil_div(p->length, run.simd->depth);
    bool packed = is_packed(&run);
    if (packed)
        run.panel_count = ursa_ceil_div(p->columns, run.simd->columns);
    int64_t work = p->rows * p->columns * inner_extent(&run);
    plan_rows(&run);
    if (p->groups > 1 && p->factor.group_stride && work < SMALL_WORK)
        return ursa_parallel_range(p->groups, SMALL_WORK / (work + 1000) + 1, groups_task, &run);

    plan_columns(&run);
    if (p->moments && !ursa_moments_new(p->moments, p->rows, run.row_block))
        return false;
    if (packed) {
        int64_t size = run.panel_count * inner_extent(&run) * run.simd->columns;
        int64_t packed_groups = p->factor.group_stride ? p->groups : 1;
        run.panel_group = p->factor.group_stride ? size : 0;
        run.panels = ursa_scratch(URSA_SLOT_PANELS, (size_t)(packed_groups * size + 1) * sizeof(float));
        if (!run.panels || !ursa_parallel(packed_groups * ursa_ceil_div(run.panel_count, PACK_PANELS), pack_task, &run))
            return false;
    }
    return ursa_parallel(p->groups * run.row_blocks * run.column_blocks, block_task, &run);
}
