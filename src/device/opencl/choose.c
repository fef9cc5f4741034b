/* choose.c — which method and which tile compute a product: what was measured,
 * else a model of the device.
 */
#include "device/opencl/matrix.h"
#include "device/opencl/winograd.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- families ----------------------------------------------------------------- */

static const struct {
    const char *name;    /* for URSA_CL_FAMILY */
    const char *hint[6]; /* in the names of platform and device */
} families[URSA_CL_FAMILIES] = {
    [URSA_CL_CPU] = {"cpu", {0}},
    [URSA_CL_NVIDIA] = {"nvidia", {"NVIDIA"}},
    [URSA_CL_RDNA] = {"rdna", {"gfx10", "gfx11", "gfx12"}},
    [URSA_CL_GCN] = {"gcn", {"AMD", "Advanced Micro Devices", "gfx"}},
    [URSA_CL_INTEL] = {"intel", {"Intel"}},
    [URSA_CL_MALI] = {"mali", {"Mali"}},
    [URSA_CL_APPLE] = {"apple", {"Apple"}},
    [URSA_CL_OTHER_GPU] = {"gpu", {0}},
};

static enum ursa_cl_family claimed_family(const char *name)
{
    for (int f = 0; name && f < URSA_CL_FAMILIES; f++)
        if (strcmp(families[f].name, name) == 0)
            return (enum ursa_cl_family)f;
    return URSA_CL_FAMILIES;
}

enum ursa_cl_family ursa_cl_family(const struct ursa_cl_device *device)
{
    static const enum ursa_cl_family order[] = {URSA_CL_NVIDIA, URSA_CL_RDNA, URSA_CL_GCN,
                                                URSA_CL_INTEL,  URSA_CL_MALI, URSA_CL_APPLE};
    enum ursa_cl_family claimed = claimed_family(getenv("URSA_CL_FAMILY"));
    if (claimed != URSA_CL_FAMILIES)
        return claimed;
    if (device->is_cpu)
        return URSA_CL_CPU;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (const char *const *hint = families[order[i]].hint; *hint; hint++)
            if (strstr(device->identity, *hint))
                return order[i];
    return URSA_CL_OTHER_GPU;
}

/* ---- tiles --------------------------------------------------------------------- */

/* Starting points, the largest first: rows, columns, depth, items down and
 * across, and the block of an item that follows from them. A block of 8 × 8 takes 64 registers
 * for its sums and reads least; devices with fewer registers per item have smaller ones. A tile must
 * have at least as many items as rows and columns where it is loaded element by
 * element. */
static const struct ursa_cl_tile gpu_tiles[] = {
    {128, 128, 8, 16, 16, 8, 8}, {128, 64, 8, 16, 8, 8, 8}, {64, 128, 8, 8, 16, 8, 8},
    {64, 64, 8, 8, 8, 8, 8},     {128, 32, 8, 32, 4, 4, 8}, {64, 64, 16, 16, 16, 4, 4},
    {32, 64, 16, 8, 16, 4, 4},   {64, 32, 16, 16, 8, 4, 4}, {32, 32, 16, 8, 8, 4, 4},
};
/* 64 registers for each item, and groups of no more than 128. */
static const struct ursa_cl_tile small_tiles[] = {
    {64, 64, 8, 8, 16, 8, 4}, {32, 64, 8, 8, 16, 4, 4}, {64, 32, 8, 16, 8, 4, 4}, {32, 32, 8, 8, 8, 4, 4}};

/* For matrix instructions, by the lanes of a subgroup: the block is what a subgroup computes. The depth is that of
 * cl/matrix_tile.cl, and all have at least as many items as rows and columns. */
static const struct ursa_cl_tile matrix_tiles_32[] = {
    {128, 128, 32, 16, 16, 64, 32}, {128, 64, 32, 8, 16, 64, 32}, {64, 128, 32, 8, 16, 64, 32},
    {64, 64, 32, 8, 16, 32, 32},    {32, 64, 32, 8, 8, 32, 32},   {64, 32, 32, 8, 8, 32, 32},
    {32, 32, 32, 8, 8, 16, 32},
};
static const struct ursa_cl_tile matrix_tiles_64[] = {
    {128, 128, 32, 16, 16, 64, 64}, {128, 64, 32, 8, 16, 64, 64}, {64, 128, 32, 8, 16, 64, 64},
    {64, 64, 32, 8, 16, 32, 64},    {32, 64, 32, 8, 16, 32, 32},  {32, 32, 32, 8, 8, 32, 32},
};
static const struct ursa_cl_tile matrix_tiles_8[] = {
    {128, 64, 32, 8, 16, 32, 16},
    {64, 64, 32, 8, 8, 32, 16},
    {32, 64, 32, 8, 8, 16, 16},
    {32, 32, 32, 8, 4, 16, 16},
};

/* Large tiles, since one item walks over them and skips what does not exist; those of the gradient to the
 * weights gather both factors. */
static const struct ursa_cl_tile cpu_tile = {48, 256, 128, 1, 1, 6, 16};
static const struct ursa_cl_tile cpu_weight_tile = {192, 128, 64, 1, 1, 6, 16};
/* For drivers with little local memory. */
static const struct ursa_cl_tile cpu_small_tile = {48, 64, 64, 1, 1, 6, 16};

static struct ursa_cl_tile cpu_tile_for(const struct ursa_cl_device *device, const struct ursa_cl_product *p)
{
    if (device->local_memory < 128 << 10)
        return cpu_small_tile;
    return p->kind == URSA_CL_CONV_WEIGHT ? cpu_weight_tile : cpu_tile;
}

/* Bytes of the two pairs of tiles, with the lines that keep banks apart. */
static cl_ulong local_bytes(const struct ursa_cl_tile *t, enum ursa_cl_method method)
{
    if (method == URSA_CL_MATRIX)
        return (cl_ulong)(2 * t->depth * (t->rows + t->columns)) * sizeof(cl_half);
    return (cl_ulong)(2 * t->depth * (t->rows + t->columns + 8)) * sizeof(float);
}

/* Time in units of what one compute unit needs for a multiplication: the last round of tiles
 * counts in full, and small blocks wait for local memory. */
static double cost_of(const struct ursa_cl_device *device, const struct ursa_cl_product *p,
                      const struct ursa_cl_tile *t)
{
    double tiles = (double)(ursa_cl_tiles(p->m, t->rows) * ursa_cl_tiles(p->n, t->columns) * p->batch);
    if (p->kind == URSA_CL_CONV_WEIGHT) /* its pixels are divided among as many groups as the device likes */
        tiles *= fmax(1, floor((double)p->k / 256));
    double items = (double)t->items_down * t->items_across, reads = 1.0 / t->block_rows + 1.0 / t->block_columns;
    double resident = fmax(1, 512 / items); /* groups of a unit side by side */
    double rounds = ceil(tiles / (device->units * resident));
    return rounds * resident * t->rows * t->columns * (1 + 1.5 * reads) *
           (1 + 8.0 / t->rows + 8.0 / t->columns); /* what is read from global memory */
}

/* ---- candidates ----------------------------------------------------------------- */

static bool clblast_takes(const struct ursa_cl_product *p)
{
    return p->kind == URSA_CL_GEMM && p->type == URSA_F32 && ursa_clblast() != NULL;
}

static bool winograd_takes(const struct ursa_cl_product *p)
{
    return p->kind == URSA_CL_CONV && p->window == 3 && p->batch == 1 && ursa_cl_winograd_takes(p->k / 9, p->n);
}

/* It saves three of four multiplications, and moves some 22 bytes more for every pixel
 * and channel of either side; a GPU multiplies about 30 times in the time of a byte. */
static bool winograd_is_cheaper(const struct ursa_cl_product *p)
{
    double depth = (double)p->k / 9, width = (double)p->n, saved = 0.75 * 18 * depth * width;
    return saved > 30 * 22 * (depth + width);
}

/* It was tuned on large matrices; smaller ones it copies into larger ones first, and a batch is not what it was
 * tuned on. Whether it really is faster, `ursa tune` measures. */
static bool clblast_is_likely(const struct ursa_cl_product *p)
{
    return p->batch == 1 && p->m >= 512 && p->n >= 512 && p->k >= 512;
}

/* What the model says, smaller and flatter tiles, and CLBlast. */
static int cpu_candidates(const struct ursa_cl_device *device, const struct ursa_cl_product *p,
                          struct ursa_cl_choice *candidates)
{
    static const struct ursa_cl_tile others[] = {
        {48, 64, 64, 1, 1, 6, 16},  {48, 128, 128, 1, 1, 6, 16}, {96, 128, 64, 1, 1, 6, 16},
        {96, 256, 64, 1, 1, 6, 16}, {24, 256, 128, 1, 1, 6, 16}, {192, 128, 64, 1, 1, 6, 16},
    };
    int count = 0;
    candidates[count++] = (struct ursa_cl_choice){URSA_CL_TILES, cpu_tile_for(device, p)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (memcmp(&others[i], &candidates[0].tile, sizeof *others) != 0 &&
            (cl_ulong)(others[i].depth * (others[i].rows + others[i].columns)) * sizeof(float) <= device->local_memory)
            candidates[count++] = (struct ursa_cl_choice){URSA_CL_TILES, others[i]};
    if (clblast_takes(p))
        candidates[count++] = (struct ursa_cl_choice){URSA_CL_CLBLAST, candidates[0].tile};
    return count;
}

/* AMD's compiler keeps the position of every element that an item fetches ahead in registers: beside the sums of a tile
 * of floats it has no more than four of a factor. */
static bool has_registers(const struct ursa_cl_device *device, const struct ursa_cl_product *p,
                          enum ursa_cl_method method, const struct ursa_cl_tile *t)
{
    enum ursa_cl_family family = ursa_cl_family(device);
    int longer = t->rows > t->columns ? t->rows : t->columns;
    bool amd = family == URSA_CL_GCN || family == URSA_CL_RDNA;
    return !amd || method != URSA_CL_TILES || !p->by_element ||
           longer * t->depth <= 4 * t->items_down * t->items_across;
}

/* The tiles that this device can have, as candidates, and which of them the model prefers. */
static int add_tiles(const struct ursa_cl_device *device, const struct ursa_cl_product *p, enum ursa_cl_method method,
                     const struct ursa_cl_tile *tiles, int known, struct ursa_cl_choice *candidates, int *best)
{
    int count = 0;
    double least = INFINITY;
    *best = 0;
    candidates[0] = (struct ursa_cl_choice){method, tiles[known - 1]}; /* the smallest, whatever the limits */
    for (int i = 0; i < known; i++) {
        if ((size_t)(tiles[i].items_down * tiles[i].items_across) > device->max_group ||
            local_bytes(&tiles[i], method) > device->local_memory || !has_registers(device, p, method, &tiles[i]))
            continue;
        double cost = cost_of(device, p, &tiles[i]);
        if (cost < least)
            least = cost, *best = count;
        candidates[count++] = (struct ursa_cl_choice){method, tiles[i]};
    }
    return count > 0 ? count : 1;
}
#define ADD_TILES(device, p, method, tiles, candidates, best)                                                          \
    add_tiles(device, p, method, tiles, (int)(sizeof(tiles) / sizeof *(tiles)), candidates, best)

static int add_matrix_tiles(const struct ursa_cl_device *device, const struct ursa_cl_product *p, int lanes,
                            struct ursa_cl_choice *candidates, int *best)
{
    return lanes == 8    ? ADD_TILES(device, p, URSA_CL_MATRIX, matrix_tiles_8, candidates, best)
           : lanes == 32 ? ADD_TILES(device, p, URSA_CL_MATRIX, matrix_tiles_32, candidates, best)
                         : ADD_TILES(device, p, URSA_CL_MATRIX, matrix_tiles_64, candidates, best);
}

struct ursa_cl_choice ursa_cl_matrix_choice(const struct ursa_cl_device *device, const struct ursa_cl_product *product)
{
    struct ursa_cl_choice candidates[URSA_CL_MOST_CANDIDATES];
    int best;
    add_matrix_tiles(device, product, ursa_cl_mma_unchecked(device, product->type).lanes, candidates, &best);
    return candidates[best];
}

/* Tiles of floats first. Each of the others is preferred to what came before where it is worth it; matrix
 * instructions, which multiply many times as fast, always. */
int ursa_cl_candidates(struct ursa_cl_device *device, const struct ursa_cl_product *p,
                       struct ursa_cl_choice *candidates)
{
    enum ursa_cl_family family = ursa_cl_family(device);
    if (family == URSA_CL_CPU)
        return cpu_candidates(device, p, candidates);
    bool few = family == URSA_CL_MALI || family == URSA_CL_INTEL || device->max_group < 256;
    int best, count = few ? ADD_TILES(device, p, URSA_CL_TILES, small_tiles, candidates, &best)
                          : ADD_TILES(device, p, URSA_CL_TILES, gpu_tiles, candidates, &best);
    if (clblast_takes(p)) {
        candidates[count] = (struct ursa_cl_choice){URSA_CL_CLBLAST, candidates[best].tile};
        if (clblast_is_likely(p))
            best = count;
        count++;
    }
    if (winograd_takes(p)) {
        candidates[count] = (struct ursa_cl_choice){URSA_CL_WINOGRAD, candidates[best].tile};
        if (winograd_is_cheaper(p))
            best = count;
        count++;
    }
    struct ursa_cl_mma mma = ursa_cl_mma(device, p->type);
    if (mma.instruction != URSA_CL_NO_MMA) {
        int best_matrix, more = add_matrix_tiles(device, p, mma.lanes, candidates + count, &best_matrix);
        best = count + best_matrix;
        count += more;
    }
    struct ursa_cl_choice first = candidates[best];
    candidates[best] = candidates[0];
    candidates[0] = first;
    return count;
}

/* ---- the choice ------------------------------------------------------------------ */

/* What ursa_cl_time_choice() measures; set by one thread, for its own calls. */
static _Thread_local const struct ursa_cl_choice *on_trial;

void ursa_cl_try_choice(const struct ursa_cl_choice *choice)
{
    on_trial = choice;
}

static int rounded_up(int64_t extent)
{
    int power = 1;
    while (power < extent && power < 1 << 24)
        power *= 2;
    return power;
}

void ursa_cl_product_class(const struct ursa_cl_product *p, char name[URSA_CL_CLASS_LENGTH])
{
    static const char *const kinds[] = {"gemm", "conv", "conv_weight"};
    snprintf(name, URSA_CL_CLASS_LENGTH, "%s %s %dx%dx%dx%d w%d %c%c", kinds[p->kind], ursa_cl_type(p->type),
             rounded_up(p->batch), rounded_up(p->m), rounded_up(p->n), rounded_up(p->k), p->window,
             p->x_across ? 'n' : 't', p->y_across ? 'n' : 't');
}

static bool is_set(const char *name, const char *value)
{
    const char *set = getenv(name);
    return set && strcmp(set, value) == 0;
}

/* URSA_CLBLAST=1 uses CLBlast wherever it can be, for comparison, and URSA_WINOGRAD=1 Winograd's
 * method; 0 nowhere (of CLBlast: loader.c). */
static void force_method(const struct ursa_cl_product *product, struct ursa_cl_choice *choice)
{
    if (is_set("URSA_CLBLAST", "1") && clblast_takes(product))
        choice->method = URSA_CL_CLBLAST;
    if (is_set("URSA_WINOGRAD", "1") && winograd_takes(product))
        choice->method = URSA_CL_WINOGRAD;
    if (is_set("URSA_WINOGRAD", "0") && choice->method == URSA_CL_WINOGRAD)
        choice->method = URSA_CL_TILES;
}

bool ursa_cl_same_way(const struct ursa_cl_choice *a, const struct ursa_cl_choice *b)
{
    bool tiled = a->method == URSA_CL_TILES || a->method == URSA_CL_MATRIX;
    return a->method == b->method && (!tiled || memcmp(&a->tile, &b->tile, sizeof a->tile) == 0);
}

/* What was kept may no longer be possible: CLBlast has gone, another family is claimed. */
static const struct ursa_cl_choice *kept_candidate(const struct ursa_cl_device *device,
                                                   const struct ursa_cl_product *product,
                                                   const struct ursa_cl_choice *candidates, int count)
{
    char class[URSA_CL_CLASS_LENGTH];
    struct ursa_cl_choice kept;
    ursa_cl_product_class(product, class);
    if (ursa_cl_stored_choice(device, class, &kept))
        for (int i = 0; i < count; i++)
            if (ursa_cl_same_way(&candidates[i], &kept))
                return &candidates[i];
    return NULL;
}

struct ursa_cl_choice ursa_cl_choose(struct ursa_cl_device *device, const struct ursa_cl_product *product)
{
    struct ursa_cl_choice candidates[URSA_CL_MOST_CANDIDATES];
    if (on_trial && on_trial->method != URSA_CL_WINOGRAD)
        return *on_trial;
    if (on_trial && product->kind == URSA_CL_CONV) /* its own products choose for themselves */
        return *on_trial;
    ursa_cl_note_product(device, product);
    int count = ursa_cl_candidates(device, product, candidates);
    const struct ursa_cl_choice *kept = kept_candidate(device, product, candidates, count);
    if (kept)
        return *kept;
    force_method(product, &candidates[0]);
    return candidates[0];
}
