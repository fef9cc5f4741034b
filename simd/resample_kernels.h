/* resample_kernels.h — sums of pixels for one element type: resample.c includes
 * it once for each, see typed.h. */

/* ---- separable sums ----------------------------------------------------- */

/* `vectors` (a constant) vectors of channels of output pixel (oh, ow); the
 * last has `lanes` lanes. */
V_INLINE void TYPED(sum_pixel)(const ELEM *x, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t oh,
                               const struct ursa_taps *columns, int64_t ow, int vectors, int64_t lanes, ELEM *out,
                               int64_t room)
{
    vf total[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (int32_t i = rows->begin[oh]; i < rows->begin[oh + 1]; i++) {
        const ELEM *row = x + rows->index[i] * w * c;
        vf sum[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
        for (int32_t j = columns->begin[ow]; j < columns->begin[ow + 1]; j++) {
            const ELEM *pixel = row + columns->index[j] * c;
            vf weight = vf_set(columns->weight[j]);
            for (int k = 0; k < vectors; k++)
                sum[k] = vf_fma(weight, LOAD(pixel + k * V_LANES, lanes), sum[k]);
        }
        vf weight = vf_set(rows->weight[i]);
        for (int k = 0; k < vectors; k++)
            total[k] = vf_fma(weight, sum[k], total[k]);
    }
    for (int k = 0; k < vectors; k++)
        STORE_AHEAD(out + k * V_LANES, total[k], lanes, room - k * V_LANES);
}

static void TYPED(wide_row)(const ELEM *x, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                            const struct ursa_taps *columns, int64_t out_w, ELEM *out)
{
    for (int64_t i = 0; i < out_w; i++, out += c) {
        int64_t k = 0, room = (out_w - i) * c;
        for (; k + 4 * V_LANES <= c; k += 4 * V_LANES)
            TYPED(sum_pixel)(x + k, w, c, rows, o, columns, i, 4, V_LANES, out + k, room - k);
        for (; k + 2 * V_LANES <= c; k += 2 * V_LANES)
            TYPED(sum_pixel)(x + k, w, c, rows, o, columns, i, 2, V_LANES, out + k, room - k);
        for (; k + V_LANES <= c; k += V_LANES)
            TYPED(sum_pixel)(x + k, w, c, rows, o, columns, i, 1, V_LANES, out + k, room - k);
        if (k < c)
            TYPED(sum_pixel)(x + k, w, c, rows, o, columns, i, 1, c - k, out + k, room - k);
    }
}

/* Pixels of less than a vector: the rows are summed to a line first, in which
 * vectors are full, and then the columns. */
static void TYPED(narrow_row)(const ELEM *x, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                              const struct ursa_taps *columns, int64_t out_w, float *line, ELEM *out)
{
    int64_t length = w * c;
    for (int64_t k = 0; k < length; k += V_LANES) {
        int64_t lanes = v_lanes_of(length - k);
        vf sum = vf_zero();
        for (int32_t i = rows->begin[o]; i < rows->begin[o + 1]; i++)
            sum = vf_fma(vf_set(rows->weight[i]), LOAD(x + rows->index[i] * length + k, lanes), sum);
        v_store_part(line + k, sum, lanes);
    }
    memset(line + length, 0, URSA_LINE_MARGIN * sizeof *line);
    for (int64_t i = 0; i < out_w; i++, out += c) {
        vf sum = vf_zero();
        for (int32_t j = columns->begin[i]; j < columns->begin[i + 1]; j++)
            sum = vf_fma(vf_set(columns->weight[j]), vf_load(line + columns->index[j] * c), sum);
        STORE_AHEAD(out, sum, c, (out_w - i) * c);
    }
}

static void TYPED(row)(const void *image, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                       const struct ursa_taps *columns, int64_t out_w, float *line, void *result)
{
    const ELEM *x = image;
    ELEM *out = result;
    if (c < V_LANES)
        TYPED(narrow_row)(x, w, c, rows, o, columns, out_w, line, out);
    else
        TYPED(wide_row)(x, w, c, rows, o, columns, out_w, out);
}

/* ---- grid sampling ------------------------------------------------------ */

/* `c` channels of a pixel; more may be read where there is `room` for it. */
V_INLINE vf TYPED(load_pixel)(const ELEM *x, int64_t lanes, int64_t room)
{
    return LOAD(x, room >= V_LANES ? V_LANES : lanes);
}

/* The sum of up to four corners, each of which may lie outside. */
static void TYPED(sum_corners)(const struct ursa_grid_rules *rules, const ELEM *image, float x, float y, ELEM *out,
                               int64_t out_room)
{
    int64_t c = rules->c, all = rules->h * rules->w * c;
    bool nearest = rules->kind == URSA_RESIZE_NEAREST;
    float x0 = nearest ? nearbyintf(x) : floorf(x), y0 = nearest ? nearbyintf(y) : floorf(y);
    int64_t column = (int64_t)x0, line = (int64_t)y0;
    float right = nearest ? 0.0f : x - x0, down = nearest ? 0.0f : y - y0;
    float weight[4] = {(1.0f - right) * (1.0f - down), right * (1.0f - down), (1.0f - right) * down, right * down};
    int64_t at[4];
    int count = 0;
    for (int k = 0; k < 4; k++) {
        int64_t this_column = column + (k & 1), this_line = line + (k >> 1);
        if ((nearest && k > 0) || this_column < 0 || this_column >= rules->w || this_line < 0 || this_line >= rules->h)
            continue;
        weight[count] = weight[k];
        at[count++] = (this_line * rules->w + this_column) * c;
    }
    for (int64_t k = 0; k < c; k += V_LANES) {
        int64_t lanes = v_lanes_of(c - k);
        vf sum = vf_zero();
        for (int j = 0; j < count; j++)
            sum = vf_fma(vf_set(weight[j]), TYPED(load_pixel)(image + at[j] + k, lanes, all - at[j] - k), sum);
        STORE_AHEAD(out + k, sum, lanes, out_room - k);
    }
}

static void TYPED(grid)(const struct ursa_grid_rules *rules, const void *image, const float *positions, int64_t count,
                        void *result)
{
    const ELEM *x = image;
    ELEM *out = result;
    int64_t c = rules->c;
    float across[BLOCK], down[BLOCK];
    for (int64_t first = 0; first < count; first += BLOCK) {
        int64_t points = count - first < BLOCK ? count - first : BLOCK;
        locate_block(rules, positions + 2 * first, points, rules->w, across);
        locate_block(rules, positions + 2 * first + 1, points, rules->h, down);
        for (int64_t i = 0; i < points; i++)
            TYPED(sum_corners)(rules, x, across[i], down[i], out + (first + i) * c, (count - first - i) * c);
    }
}

static float TYPED(dot)(const ELEM *x, const ELEM *y, int64_t n)
{
    vf sum = vf_zero();
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        sum = vf_fma(LOAD(x + i, lanes), LOAD(y + i, lanes), sum);
    }
    return vf_sum(sum);
}

static void TYPED(add_scaled)(const ELEM *x, float weight, int64_t n, float *sum)
{
    vf scale = vf_set(weight);
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        v_store_part(sum + i, vf_fma(scale, LOAD(x + i, lanes), v_load_part(sum + i, lanes)), lanes);
    }
}

static void TYPED(grid_grad)(const struct ursa_grid_rules *rules, const void *image, const float *positions,
                             const void *gradient, int64_t count, float *dx, float *dgrid)
{
    const ELEM *x = image, *dy = gradient;
    int64_t c = rules->c;
    for (int64_t i = 0; i < count; i++, dy += c) {
        struct corners corners = find_corners(rules, positions + 2 * i);
        float by_x = 0.0f, by_y = 0.0f;
        for (int j = 0; j < corners.count; j++) {
            int64_t at = corners.pixel[j] * c;
            if (dx)
                TYPED(add_scaled)(dy, corners.weight[j], c, dx + at);
            if (dgrid) {
                float product = TYPED(dot)(dy, x + at, c);
                by_x += corners.by_x[j] * product;
                by_y += corners.by_y[j] * product;
            }
        }
        if (dgrid) {
            dgrid[2 * i] = by_x;
            dgrid[2 * i + 1] = by_y;
        }
    }
}
