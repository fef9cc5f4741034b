/* product_turned.c — products with few rows, as in inference of single images.
 *
 * Where B is large and A has few rows, packing B costs as much as the multiply-adds. Weights lie with the inner
 * dimension side by side, which is what the micro-kernel wants of A; so the factors change places:
 *
 *     outᵀ[j][i] = Σ_k B[j, k] A[k, i]
 *
 * The rows of A are packed into panels, which are small; those of B are read once, where they lie. A task takes some
 * rows of outᵀ and turns them over when they are done.
 */
#include "base/parallel.h"
#include "device/cpu/product.h"

#include <string.h>

#define MOST_ROWS  64      /* of A; with more, packing B is worth while */
#define SMALL_WORK 2000000 /* multiply-adds that are not worth a second thread */
#define TASKS      16      /* wanted */

struct turned {
    const struct ursa_product *product;
    const struct ursa_simd_gemm *simd;
    int64_t inner;
    float *panels;        /* of the rows of A */
    int64_t panel_stride; /* columns of a panel that are kept */
    float **out;          /* rows of out */
    int64_t block;        /* columns of out to a task */
    int64_t pitch;        /* of rows of outᵀ */
};

/* Rows of A fill vectors; what is empty of them costs as much as packing would when it is a third of the rows. */
static bool fills_vectors(int64_t rows)
{
    int64_t lanes = ursa_cpu_simd()->lanes, waste = ursa_ceil_div(rows, lanes) * lanes - rows;
    return rows <= lanes || 3 * waste <= rows;
}

bool ursa_product_is_turned(const struct ursa_product *p)
{
    bool floats = p->a == URSA_F32 && p->b == URSA_F32 && p->out == URSA_F32;
    return floats && p->groups == 1 && p->rows > 1 && p->rows <= MOST_ROWS && fills_vectors(p->rows) &&
           p->factor.k_stride == 1 && !p->factor.segment && p->step == 1 && p->beta == 0 && p->segments * p->length > 0;
}

/* Rows begin … begin + count-1 of outᵀ, summed in parts as in every product. */
static void multiply(const struct turned *g, int64_t begin, int64_t count, const void **row, float **sum)
{
    const struct ursa_product *p = g->product;
    struct ursa_tile tile = {
        .row_stride = 1, .segments = 1, .step = 1, .b_stride = g->panel_stride, .padded = true, .alpha = p->alpha};
    for (int64_t j = 0; j < count; j++)
        row[j] = (const float *)p->factor.data + (begin + j) * p->factor.j_stride;
    for (int64_t j = 0; j < count; j += g->simd->rows) {
        tile.height = (int)(count - j < g->simd->rows ? count - j : g->simd->rows);
        tile.row = row + j;
        tile.out = sum + j;
        for (int64_t k = 0; k < g->inner; k += g->simd->inner) {
            tile.length = g->inner - k < g->simd->inner ? g->inner - k : g->simd->inner;
            tile.skip = k;
            tile.beta = k > 0;
            for (int64_t i = 0; i < p->rows; i += g->panel_stride) {
                tile.width = (int)(p->rows - i < g->panel_stride ? p->rows - i : g->panel_stride);
                tile.column = i;
                tile.b = g->panels + i * g->inner + k * g->panel_stride;
                g->simd->tile(&tile);
            }
        }
    }
}

/* Columns begin … begin + count-1 of out from rows of outᵀ. */
static void turn_back(const struct turned *g, int64_t begin, int64_t count, const float *sums, float *panel)
{
    const struct ursa_product *p = g->product;
    int64_t columns = g->simd->columns;
    for (int64_t j = 0; j < count; j += columns) {
        int64_t width = count - j < columns ? count - j : columns;
        g->simd->pack(sums + j * g->pitch, 1, g->pitch, p->rows, width, panel);
        for (int64_t i = 0; i < p->rows; i++)
            memcpy(g->out[i] + begin + j, panel + i * columns, (size_t)width * sizeof *panel);
    }
    for (int64_t i = 0; i < p->rows; i++) {
        if (p->bias)
            g->simd->add(p->bias + begin, g->out[i] + begin, count);
        if (p->activation.used)
            ursa_activate(&p->activation, g->out[i] + begin, count);
    }
}

static void turned_task(void *context, int64_t begin, int64_t end)
{
    const struct turned *g = context;
    int64_t sums = g->block * g->pitch;
    float *memory = ursa_scratch(URSA_SLOT_TASK, (size_t)(sums + g->product->rows * g->simd->columns) * sizeof(float) +
                                                     2 * (size_t)g->block * sizeof(float *));
    if (!memory)
        return;
    float *panel = memory + sums;
    const void **row = (const void **)(panel + g->product->rows * g->simd->columns);
    float **sum = (float **)(row + g->block);
    for (int64_t j = 0; j < end - begin; j++)
        sum[j] = memory + j * g->pitch;
    multiply(g, begin, end - begin, row, sum);
    turn_back(g, begin, end - begin, memory, panel);
}

bool ursa_product_run_turned(const struct ursa_product *p)
{
    struct turned g = {.product = p, .simd = ursa_cpu_simd()->gemm, .inner = p->segments * p->length};
    int64_t lanes = ursa_cpu_simd()->lanes, rows = g.simd->rows;
    g.pitch = ursa_ceil_div(p->rows, lanes) * lanes;
    g.panel_stride = g.pitch < g.simd->columns ? g.pitch : g.simd->columns;
    int64_t tasks = p->rows * p->columns * g.inner < SMALL_WORK ? 1 : TASKS;
    g.block = ursa_ceil_div(ursa_ceil_div(p->columns, tasks), rows) * rows;
    int64_t panels = ursa_ceil_div(p->rows, g.panel_stride);
    g.panels = ursa_scratch(URSA_SLOT_PANELS, (size_t)(panels * g.panel_stride * g.inner) * sizeof(float));
    const void **row = ursa_scratch(URSA_SLOT_ROWS, (size_t)(p->rows * (p->segments + 1)) * sizeof *row);
    if (!g.panels || !row)
        return false;
    g.out = (float **)(row + p->rows * p->segments);
    p->find(p->context, 0, 0, p->rows, row, (void **)g.out);
    if (p->clear)
        p->clear(p->context, 0, 0, p->rows);
    for (int64_t i = 0; i < p->rows; i += g.panel_stride)
        g.simd->gather_panel(row + i * p->segments, p->segments, p->segments, p->length,
                             p->rows - i < g.panel_stride ? p->rows - i : g.panel_stride, g.panels + i * g.inner,
                             g.panel_stride);
    return ursa_parallel_range(p->columns, g.block, turned_task, &g);
}
