/* norm_kernels.h — the passes of normalisation for one element type: norm.c
 * includes it once for each, see typed.h. */

/* ---- columns ------------------------------------------------------------ */

static void TYPED(sample_mean)(const ELEM *x, int64_t stride, int64_t rows, int64_t width, float *mean)
{
    int64_t sample = rows < SAMPLE ? rows : SAMPLE;
    vf scale = vf_set(1.0f / (float)sample);
    for (int64_t c = 0; c < width; c += V_LANES) {
        int64_t lanes = v_lanes_of(width - c);
        vf sum = vf_zero();
        for (int64_t r = 0; r < sample; r++)
            sum = vf_add(sum, LOAD(x + r * stride + c, lanes));
        v_store_part(mean + c, vf_mul(sum, scale), lanes);
    }
}

/* One vector of columns of `count` rows: s += Σ d and q += Σ d², d = x - shift. */
V_INLINE void TYPED(moments_step)(const ELEM *x, int64_t stride, int count, int64_t lanes, const float *shift, float *s,
                                  float *q)
{
    vf k = v_load_part(shift, lanes), sum = vf_zero(), square = vf_zero();
    for (int r = 0; r < count; r++) {
        vf d = vf_sub(LOAD(x + r * stride, lanes), k);
        sum = vf_add(sum, d);
        square = vf_fma(d, d, square);
    }
    v_store_part(s, vf_add(v_load_part(s, lanes), sum), lanes);
    v_store_part(q, vf_add(v_load_part(q, lanes), square), lanes);
}

V_INLINE void TYPED(moments_rows)(const ELEM *x, int64_t stride, int count, int64_t width, const float *shift, float *s,
                                  float *q)
{
    int64_t c = 0;
    for (; c + V_LANES <= width; c += V_LANES)
        TYPED(moments_step)(x + c, stride, count, V_LANES, shift + c, s + c, q + c);
    if (c < width)
        TYPED(moments_step)(x + c, stride, count, width - c, shift + c, s + c, q + c);
}

static void TYPED(moments_add)(const void *data, int64_t stride, int64_t rows, int64_t width, const float *shift,
                               float *s, float *q)
{
    const ELEM *x = data;
    int64_t r = 0;
    for (; r + ROWS <= rows; r += ROWS)
        TYPED(moments_rows)(x + r * stride, stride, ROWS, width, shift, s, q);
    for (; r < rows; r++)
        TYPED(moments_rows)(x + r * stride, stride, 1, width, shift, s, q);
}

static void TYPED(moments_block)(const ELEM *x, int64_t stride, int64_t rows, int64_t width, float *mean,
                                 float *squares)
{
    float s[BLOCK];
    memset(s, 0, (size_t)width * sizeof *s);
    memset(squares, 0, (size_t)width * sizeof *squares);
    TYPED(sample_mean)(x, stride, rows, width, mean);
    TYPED(moments_add)(x, stride, rows, width, mean, s, squares);
    moments_settle(rows, width, mean, s, squares);
}

static void TYPED(moments)(const void *data, int64_t stride, int64_t rows, int64_t width, float *mean, float *squares)
{
    const ELEM *x = data;
    for (int64_t c = 0; c < width; c += BLOCK)
        TYPED(moments_block)(x + c, stride, rows, width - c < BLOCK ? width - c : BLOCK, mean + c, squares + c);
}

V_INLINE void TYPED(apply_step)(const ELEM *x, int64_t stride, int count, int64_t lanes, const float *mean,
                                const float *a, const float *b, const ELEM *residual, enum ursa_norm_end end, ELEM *y)
{
    vf m = v_load_part(mean, lanes), va = v_load_part(a, lanes), vb = v_load_part(b, lanes);
    for (int r = 0; r < count; r++) {
        vf d = vf_sub(LOAD(x + r * stride, lanes), m), v = vf_fma(d, va, vb);
        if (residual)
            v = vf_add(v, LOAD(residual + r * stride, lanes));
        STORE(y + r * stride, finish(v, end), lanes);
    }
}

V_INLINE void TYPED(apply_rows)(const ELEM *x, int count, int64_t width, const float *mean, const float *a,
                                const float *b, const ELEM *residual, enum ursa_norm_end end, ELEM *y)
{
    int64_t c = 0;
    for (; c + V_LANES <= width; c += V_LANES)
        TYPED(apply_step)
    (x + c, width, count, V_LANES, mean + c, a + c, b + c, residual ? residual + c : NULL, end, y + c);
    if (c < width)
        TYPED(apply_step)
    (x + c, width, count, width - c, mean + c, a + c, b + c, residual ? residual + c : NULL, end, y + c);
}

V_INLINE void TYPED(apply_all)(const ELEM *x, int64_t rows, int64_t width, const float *mean, const float *a,
                               const float *b, const ELEM *residual, enum ursa_norm_end end, ELEM *y)
{
    for (int64_t r = 0, n; r < rows; r += n) {
        n = rows - r < ROWS ? 1 : ROWS;
        int64_t at = r * width;
        if (n == ROWS)
            TYPED(apply_rows)(x + at, ROWS, width, mean, a, b, residual ? residual + at : NULL, end, y + at);
        else
            TYPED(apply_rows)(x + at, 1, width, mean, a, b, residual ? residual + at : NULL, end, y + at);
    }
}

/* The loops are compiled for every end, with and without a residual. */
static void TYPED(apply)(const void *data, int64_t rows, int64_t width, const float *mean, const float *a,
                         const float *b, const void *added, enum ursa_norm_end end, void *out)
{
    const ELEM *x = data, *residual = added;
    ELEM *y = out;
    if (residual && end == URSA_END_NONE)
        TYPED(apply_all)(x, rows, width, mean, a, b, residual, URSA_END_NONE, y);
    else if (residual && end == URSA_END_RELU)
        TYPED(apply_all)(x, rows, width, mean, a, b, residual, URSA_END_RELU, y);
    else if (residual)
        TYPED(apply_all)(x, rows, width, mean, a, b, residual, URSA_END_RELU6, y);
    else if (end == URSA_END_NONE)
        TYPED(apply_all)(x, rows, width, mean, a, b, NULL, URSA_END_NONE, y);
    else if (end == URSA_END_RELU)
        TYPED(apply_all)(x, rows, width, mean, a, b, NULL, URSA_END_RELU, y);
    else
        TYPED(apply_all)(x, rows, width, mean, a, b, NULL, URSA_END_RELU6, y);
}

/* The gradient behind the end, of the lanes at `at`, where d = x - mean. */
V_INLINE vf TYPED(slope_at)(const struct ursa_norm_slope *s, int64_t at, int64_t lanes, vf d, vf a, vf b,
                            enum source source, enum ursa_norm_end end)
{
    vf g = LOAD((const ELEM *)s->dy + at, lanes);
    if (source == FROM_NOTHING)
        return g;
    return pass(g, source == FROM_Y ? LOAD((const ELEM *)s->y + at, lanes) : vf_fma(d, a, b), end);
}

V_INLINE void TYPED(grad_sums_step)(const struct ursa_norm_slope *s, int64_t at, int64_t width, int64_t c, int count,
                                    int64_t lanes, enum source source, enum ursa_norm_end end, ELEM *passed, float *sum,
                                    float *product)
{
    vf m = v_load_part(s->mean + c, lanes), total = vf_zero(), p = vf_zero();
    vf a = load_if(source == FROM_X, s->a + c, lanes), b = load_if(source == FROM_X, s->b + c, lanes);
    for (int r = 0; r < count; r++, at += width) {
        vf d = vf_sub(LOAD((const ELEM *)s->x + at, lanes), m), g = TYPED(slope_at)(s, at, lanes, d, a, b, source, end);
        if (passed)
            STORE(passed + at, g, lanes);
        total = vf_add(total, g);
        p = vf_fma(g, d, p);
    }
    v_store_part(sum + c, vf_add(v_load_part(sum + c, lanes), total), lanes);
    v_store_part(product + c, vf_add(v_load_part(product + c, lanes), p), lanes);
}

V_INLINE void TYPED(grad_sums_all)(const struct ursa_norm_slope *s, int64_t rows, int64_t width, enum source source,
                                   enum ursa_norm_end end, ELEM *passed, float *sum, float *product)
{
    memset(sum, 0, (size_t)width * sizeof *sum);
    memset(product, 0, (size_t)width * sizeof *product);
    int64_t r = 0, c, whole = width / V_LANES * V_LANES;
    for (; r + ROWS <= rows; r += ROWS) {
        for (c = 0; c < whole; c += V_LANES)
            TYPED(grad_sums_step)(s, r * width + c, width, c, ROWS, V_LANES, source, end, passed, sum, product);
        if (c < width)
            TYPED(grad_sums_step)(s, r * width + c, width, c, ROWS, width - c, source, end, passed, sum, product);
    }
    for (; r < rows; r++) {
        for (c = 0; c < whole; c += V_LANES)
            TYPED(grad_sums_step)(s, r * width + c, width, c, 1, V_LANES, source, end, passed, sum, product);
        if (c < width)
            TYPED(grad_sums_step)(s, r * width + c, width, c, 1, width - c, source, end, passed, sum, product);
    }
}

static void TYPED(grad_sums)(const struct ursa_norm_slope *s, int64_t rows, int64_t width, void *behind, float *sum,
                             float *product)
{
    ELEM *passed = behind;
    if (s->end == URSA_END_NONE)
        TYPED(grad_sums_all)(s, rows, width, FROM_NOTHING, URSA_END_NONE, passed, sum, product);
    else if (s->y && s->end == URSA_END_RELU)
        TYPED(grad_sums_all)(s, rows, width, FROM_Y, URSA_END_RELU, passed, sum, product);
    else if (s->y)
        TYPED(grad_sums_all)(s, rows, width, FROM_Y, URSA_END_RELU6, passed, sum, product);
    else if (s->end == URSA_END_RELU)
        TYPED(grad_sums_all)(s, rows, width, FROM_X, URSA_END_RELU, passed, sum, product);
    else
        TYPED(grad_sums_all)(s, rows, width, FROM_X, URSA_END_RELU6, passed, sum, product);
}

V_INLINE void TYPED(grad_apply_step)(const struct ursa_norm_slope *s, int64_t at, int64_t width, int64_t c, int count,
                                     int64_t lanes, enum source source, enum ursa_norm_end end, const float *of_g,
                                     const float *of_x, const float *rest, ELEM *dx)
{
    vf m = v_load_part(s->mean + c, lanes), vg = v_load_part(of_g + c, lanes), vx = v_load_part(of_x + c, lanes);
    vf v = v_load_part(rest + c, lanes);
    vf a = load_if(source == FROM_X, s->a + c, lanes), b = load_if(source == FROM_X, s->b + c, lanes);
    for (int r = 0; r < count; r++, at += width) {
        vf d = vf_sub(LOAD((const ELEM *)s->x + at, lanes), m), g = TYPED(slope_at)(s, at, lanes, d, a, b, source, end);
        STORE(dx + at, vf_fma(g, vg, vf_fma(d, vx, v)), lanes);
    }
}

V_INLINE void TYPED(grad_apply_all)(const struct ursa_norm_slope *s, int64_t rows, int64_t width, enum source source,
                                    enum ursa_norm_end end, const float *of_g, const float *of_x, const float *rest,
                                    ELEM *dx)
{
    int64_t r = 0, c, whole = width / V_LANES * V_LANES;
    for (; r + ROWS <= rows; r += ROWS) {
        for (c = 0; c < whole; c += V_LANES)
            TYPED(grad_apply_step)(s, r * width + c, width, c, ROWS, V_LANES, source, end, of_g, of_x, rest, dx);
        if (c < width)
            TYPED(grad_apply_step)(s, r * width + c, width, c, ROWS, width - c, source, end, of_g, of_x, rest, dx);
    }
    for (; r < rows; r++) {
        for (c = 0; c < whole; c += V_LANES)
            TYPED(grad_apply_step)(s, r * width + c, width, c, 1, V_LANES, source, end, of_g, of_x, rest, dx);
        if (c < width)
            TYPED(grad_apply_step)(s, r * width + c, width, c, 1, width - c, source, end, of_g, of_x, rest, dx);
    }
}

static void TYPED(grad_apply)(const struct ursa_norm_slope *s, int64_t rows, int64_t width, const float *of_g,
                              const float *of_x, const float *rest, void *out)
{
    ELEM *dx = out;
    if (s->end == URSA_END_NONE)
        TYPED(grad_apply_all)(s, rows, width, FROM_NOTHING, URSA_END_NONE, of_g, of_x, rest, dx);
    else if (s->y && s->end == URSA_END_RELU)
        TYPED(grad_apply_all)(s, rows, width, FROM_Y, URSA_END_RELU, of_g, of_x, rest, dx);
    else if (s->y)
        TYPED(grad_apply_all)(s, rows, width, FROM_Y, URSA_END_RELU6, of_g, of_x, rest, dx);
    else if (s->end == URSA_END_RELU)
        TYPED(grad_apply_all)(s, rows, width, FROM_X, URSA_END_RELU, of_g, of_x, rest, dx);
    else
        TYPED(grad_apply_all)(s, rows, width, FROM_X, URSA_END_RELU6, of_g, of_x, rest, dx);
}

/* ---- rows --------------------------------------------------------------- */

static float TYPED(row_sum)(const ELEM *x, int64_t n)
{
    vf sum[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int64_t i = 0;
    for (; i + CHAINS * V_LANES <= n; i += CHAINS * V_LANES)
        for (int k = 0; k < CHAINS; k++)
            sum[k] = vf_add(sum[k], LOAD(x + i + k * V_LANES, V_LANES));
    for (; i < n; i += V_LANES)
        sum[0] = vf_add(sum[0], LOAD(x + i, v_lanes_of(n - i)));
    return chains_sum(sum);
}

static float TYPED(row_squares)(const ELEM *x, int64_t n, float mean)
{
    vf sum[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()}, m = vf_set(mean);
    int64_t i = 0;
    for (; i + CHAINS * V_LANES <= n; i += CHAINS * V_LANES)
        for (int k = 0; k < CHAINS; k++) {
            vf d = vf_sub(LOAD(x + i + k * V_LANES, V_LANES), m);
            sum[k] = vf_fma(d, d, sum[k]);
        }
    for (; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf d = vf_sub(vf_select(v_first(lanes), LOAD(x + i, lanes), m), m);
        sum[0] = vf_fma(d, d, sum[0]);
    }
    return chains_sum(sum);
}

static void TYPED(layer)(const void *data, int64_t rows, int64_t groups, int64_t n, const float *scale,
                         const float *shift, float eps, void *result, float *mean, float *inv_std)
{
    const ELEM *x = data;
    ELEM *y = result;
    for (int64_t i = 0; i < rows * groups; i++) {
        const ELEM *row = x + i * n;
        const float *a = scale + i % groups * n, *b = shift + i % groups * n;
        ELEM *out = y + i * n;
        mean[i] = TYPED(row_sum)(row, n) / (float)n;
        inv_std[i] = 1.0f / sqrtf(TYPED(row_squares)(row, n, mean[i]) / (float)n + eps);
        vf m = vf_set(mean[i]), inv = vf_set(inv_std[i]);
        for (int64_t c = 0; c < n; c += V_LANES) {
            int64_t lanes = v_lanes_of(n - c);
            vf h = vf_mul(vf_sub(LOAD(row + c, lanes), m), inv);
            STORE(out + c, vf_fma(h, v_load_part(a + c, lanes), v_load_part(b + c, lanes)), lanes);
        }
    }
}

/* With g = dy scale and h = (x - mean) inv_std, averages over the row:
 * dx = inv_std (g - avg g - h avg(g h)). */
static void TYPED(layer_grad)(const void *data, const void *gradient, int64_t rows, int64_t groups, int64_t n,
                              const float *scale, const float *mean, const float *inv_std, void *result, float *dscale,
                              float *dshift)
{
    const ELEM *x = data, *dy = gradient;
    ELEM *dx = result;
    for (int64_t i = 0; i < rows * groups; i++) {
        const ELEM *row = x + i * n, *grad = dy + i * n;
        const float *a = scale + i % groups * n;
        float *da = dscale + i % groups * n, *db = dshift + i % groups * n;
        ELEM *out = dx + i * n;
        vf m = vf_set(mean[i]), inv = vf_set(inv_std[i]), sum = vf_zero(), product = vf_zero();
        for (int64_t c = 0; c < n; c += V_LANES) {
            int64_t lanes = v_lanes_of(n - c);
            vf d = LOAD(grad + c, lanes), h = vf_mul(vf_sub(LOAD(row + c, lanes), m), inv);
            vf g = vf_mul(d, v_load_part(a + c, lanes));
            sum = vf_add(sum, g);
            product = vf_fma(g, h, product);
            v_store_part(da + c, vf_fma(d, h, v_load_part(da + c, lanes)), lanes);
            v_store_part(db + c, vf_add(d, v_load_part(db + c, lanes)), lanes);
        }
        vf avg = vf_set(vf_sum(sum) / (float)n), slope = vf_set(vf_sum(product) / (float)n);
        for (int64_t c = 0; c < n; c += V_LANES) {
            int64_t lanes = v_lanes_of(n - c);
            vf h = vf_mul(vf_sub(LOAD(row + c, lanes), m), inv);
            vf g = vf_mul(LOAD(grad + c, lanes), v_load_part(a + c, lanes));
            STORE(out + c, vf_mul(inv, vf_sub(vf_sub(g, avg), vf_mul(h, slope))), lanes);
        }
    }
}
