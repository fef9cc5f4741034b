/* pool_kernels.h — maximum pooling for one element type: pool.c includes it once
 * for each, see typed.h. */

/* One window of an image [.., w, c], and where its results go: `room` elements
 * may be written. */
struct TYPED(window) {
    const ELEM *x;
    int64_t w, c;
    struct ursa_span rows, columns;
    ELEM *out;
    int32_t *indices; /* or NULL */
    int64_t room;
};

/* The first that is not a number, or else the first of the largest; for
 * windows in which something is not a number. */
static void TYPED(max_with_nan)(const struct TYPED(window) * s, int64_t channel)
{
    int64_t winner = s->rows.begin * s->w + s->columns.begin;
    float best = VALUE(s->x + winner * s->c + channel);
    for (int64_t h = s->rows.begin; h < s->rows.end; h++)
        for (int64_t i = s->columns.begin; i < s->columns.end; i++) {
            float v = VALUE(s->x + (h * s->w + i) * s->c + channel);
            if (!(v <= best) && best == best) {
                best = v;
                winner = h * s->w + i;
            }
        }
    STORE(s->out + channel, vf_set(best), 1);
    if (s->indices)
        s->indices[channel] = (int32_t)winner;
}

/* `vectors` (a constant) vectors of channels from channel k on, the last of
 * `lanes` lanes. A sum over the window tells whether something in it may not be
 * a number, so that the common case needs a single comparison. */
V_INLINE void TYPED(max_window)(const struct TYPED(window) * s, int64_t k, int vectors, int64_t lanes,
                                bool want_indices)
{
    vf best[MOST], where[MOST], probe[MOST];
    int64_t first = s->rows.begin * s->w + s->columns.begin;
    for (int v = 0; v < vectors; v++) {
        best[v] = LOAD(s->x + first * s->c + k + v * V_LANES, lanes);
        where[v] = index_set(first);
        probe[v] = vf_zero();
    }
    for (int64_t h = s->rows.begin; h < s->rows.end; h++) {
        const ELEM *pixel = s->x + (h * s->w + s->columns.begin) * s->c + k;
        for (int64_t i = s->columns.begin; i < s->columns.end; i++, pixel += s->c) {
            vf index = index_set(h * s->w + i);
            for (int v = 0; v < vectors; v++) {
                vf x = LOAD(pixel + v * V_LANES, lanes);
                probe[v] = vf_add(probe[v], x);
                if (want_indices)
                    where[v] = vf_select(vf_gt(x, best[v]), index, where[v]);
                best[v] = vf_max(x, best[v]);
            }
        }
    }
    vf doubt = probe[0];
    for (int v = 1; v < vectors; v++)
        doubt = vf_add(doubt, probe[v]);
    for (int v = 0; v < vectors; v++) {
        int64_t at = k + v * V_LANES;
        STORE_AHEAD(s->out + at, best[v], lanes, s->room - at);
        if (want_indices)
            v_store_ahead((float *)s->indices + at, where[v], lanes, s->room - at);
    }
    if (vm_any(vf_ne(doubt, doubt)))
        for (int64_t channel = k; channel < k + (vectors - 1) * V_LANES + lanes; channel++)
            TYPED(max_with_nan)(s, channel);
}

static void TYPED(no_window)(const struct TYPED(window) * s)
{
    for (int64_t i = 0; i < s->c; i++)
        STORE(s->out + i, vf_set(-INFINITY), 1);
    for (int64_t i = 0; s->indices && i < s->c; i++)
        s->indices[i] = -1;
}

V_INLINE void TYPED(max_pixel)(const struct TYPED(window) * s, bool want_indices)
{
    int64_t k = 0;
    if (s->rows.begin >= s->rows.end || s->columns.begin >= s->columns.end) {
        TYPED(no_window)(s);
        return;
    }
    for (; k + MOST * V_LANES <= s->c; k += MOST * V_LANES)
        TYPED(max_window)(s, k, MOST, V_LANES, want_indices);
    for (; k + V_LANES <= s->c; k += V_LANES)
        TYPED(max_window)(s, k, 1, V_LANES, want_indices);
    if (k < s->c && is_padded(s->rows, s->columns, s->w, s->c, k, s->room))
        TYPED(max_window)(s, k, 1, V_LANES, want_indices);
    else if (k < s->c)
        TYPED(max_window)(s, k, 1, s->c - k, want_indices);
}

static void TYPED(max)(const void *image, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                       int64_t out_w, void *result, int32_t *indices)
{
    const ELEM *x = image;
    ELEM *out = result;
    for (int64_t o = 0; o < out_w; o++) {
        struct TYPED(window) window = {.x = x,
                                       .w = w,
                                       .c = c,
                                       .rows = rows,
                                       .columns = columns[o],
                                       .out = out + o * c,
                                       .indices = indices ? indices + o * c : NULL,
                                       .room = (out_w - o) * c};
        if (indices)
            TYPED(max_pixel)(&window, true);
        else
            TYPED(max_pixel)(&window, false);
    }
}

/* The windows that one pixel lies in. */
struct TYPED(around) {
    const ELEM *dy;
    const int32_t *indices;
    int64_t out_w, c;
    struct ursa_span rows, columns;
    int64_t pixel; /* h w + column */
    ELEM *dx;
    int64_t room;
};

V_INLINE void TYPED(max_grad_part)(const struct TYPED(around) * s, int64_t k, int vectors)
{
    vf sum[MOST] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()}, me = vf_set((float)s->pixel);
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++) {
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + k;
            for (int v = 0; v < vectors; v++, at += V_LANES) {
                vm won = vf_eq(vf_from_i32(s->indices + at), me);
                sum[v] = vf_add(sum[v], vf_select(won, LOAD(s->dy + at, V_LANES), vf_zero()));
            }
        }
    }
    for (int v = 0; v < vectors; v++)
        STORE(s->dx + k + v * V_LANES, sum[v], V_LANES);
}

static void TYPED(max_grad_channel)(const struct TYPED(around) * s, int64_t channel)
{
    float sum = 0.0f;
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++)
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + channel;
            sum += s->indices[at] == s->pixel ? VALUE(s->dy + at) : 0.0f;
        }
    STORE(s->dx + channel, vf_set(sum), 1);
}

/* Gathers rather than scatters: every pixel looks at the windows it lies in
 * and takes the gradient of those it won. */
static void TYPED(max_grad)(const void *gradient, const int32_t *indices, int64_t out_w, int64_t c,
                            struct ursa_span rows, const struct ursa_span *columns, int64_t h, int64_t w, void *result)
{
    const ELEM *dy = gradient;
    ELEM *dx = result;
    for (int64_t i = 0; i < w; i++) {
        struct TYPED(around) around = {dy, indices, out_w, c, rows, columns[i], h * w + i, dx + i * c, (w - i) * c};
        int64_t k = 0;
        if (around.pixel < EXACT) {
            for (; k + MOST * V_LANES <= c; k += MOST * V_LANES)
                TYPED(max_grad_part)(&around, k, MOST);
            for (; k + V_LANES <= c; k += V_LANES)
                TYPED(max_grad_part)(&around, k, 1);
            if (k < c && is_padded(rows, columns[i], out_w, c, k, around.room)) {
                TYPED(max_grad_part)(&around, k, 1);
                k = c;
            }
        }
        for (; k < c; k++)
            TYPED(max_grad_channel)(&around, k);
    }
}
