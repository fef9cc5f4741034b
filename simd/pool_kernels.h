/* pool_kernels.h — maximum pooling for one element type: pool.c includes it once
 * for each, see typed.h. */

/* One window of an image [.., w, c], and where its results go: `room` elements
 * may be written. */
struct TYPED(window) {
    const ELEM *x;
    int64_t w, c;
    struct ursa_span rows, columns;
    int64_t first_row, first_column, across; /* of the window in the padding, too */
    ELEM *out;
    void *places;
    int64_t room;
};

V_INLINE int64_t TYPED(place)(const struct TYPED(window) * s, int64_t h, int64_t column)
{
    return (h - s->first_row) * s->across + column - s->first_column;
}

/* The first that is not a number, or else the first of the largest; for
 * windows in which something is not a number. */
static void TYPED(max_with_nan)(const struct TYPED(window) * s, int64_t channel, int size)
{
    int64_t winner = TYPED(place)(s, s->rows.begin, s->columns.begin);
    float best = VALUE(s->x + (s->rows.begin * s->w + s->columns.begin) * s->c + channel);
    for (int64_t h = s->rows.begin; h < s->rows.end; h++)
        for (int64_t i = s->columns.begin; i < s->columns.end; i++) {
            float v = VALUE(s->x + (h * s->w + i) * s->c + channel);
            if (!(v <= best) && best == best) {
                best = v;
                winner = TYPED(place)(s, h, i);
            }
        }
    STORE(s->out + channel, vf_set(best), 1);
    if (size)
        store_places(s->places, size, channel, vf_set((float)winner), 1, 1);
}

/* `vectors` (a constant) vectors of channels from channel k on, the last of
 * `lanes` lanes. A sum over the window tells whether something in it may not be
 * a number, so that the common case needs a single comparison. */
V_INLINE void TYPED(max_window)(const struct TYPED(window) * s, int64_t k, int vectors, int64_t lanes, int size)
{
    vf best[MOST], where[MOST], probe[MOST];
    int64_t first = s->rows.begin * s->w + s->columns.begin;
    for (int v = 0; v < vectors; v++) {
        best[v] = LOAD(s->x + first * s->c + k + v * V_LANES, lanes);
        where[v] = vf_set((float)TYPED(place)(s, s->rows.begin, s->columns.begin));
        probe[v] = vf_zero();
    }
    for (int64_t h = s->rows.begin; h < s->rows.end; h++) {
        const ELEM *pixel = s->x + (h * s->w + s->columns.begin) * s->c + k;
        for (int64_t i = s->columns.begin; i < s->columns.end; i++, pixel += s->c) {
            vf place = vf_set((float)TYPED(place)(s, h, i));
            for (int v = 0; v < vectors; v++) {
                vf x = LOAD(pixel + v * V_LANES, lanes);
                probe[v] = vf_add(probe[v], x);
                if (size)
                    where[v] = vf_select(vf_gt(x, best[v]), place, where[v]);
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
        if (size)
            store_places(s->places, size, at, where[v], lanes, s->room - at);
    }
    if (vm_any(vf_ne(doubt, doubt)))
        for (int64_t channel = k; channel < k + (vectors - 1) * V_LANES + lanes; channel++)
            TYPED(max_with_nan)(s, channel, size);
}

V_INLINE void TYPED(max_pixel)(const struct TYPED(window) * s, int size)
{
    int64_t k = 0;
    for (; k + MOST * V_LANES <= s->c; k += MOST * V_LANES)
        TYPED(max_window)(s, k, MOST, V_LANES, size);
    for (; k + V_LANES <= s->c; k += V_LANES)
        TYPED(max_window)(s, k, 1, V_LANES, size);
    if (k < s->c && is_padded(s->rows, s->columns, s->w, s->c, k, s->room))
        TYPED(max_window)(s, k, 1, V_LANES, size);
    else if (k < s->c)
        TYPED(max_window)(s, k, 1, s->c - k, size);
}

static void TYPED(max)(const void *image, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                       int64_t oh, int64_t out_w, void *result, const struct ursa_winners *winners)
{
    const ELEM *x = image;
    ELEM *out = result;
    for (int64_t o = 0; o < out_w; o++) {
        struct TYPED(window) window = {.x = x,
                                       .w = w,
                                       .c = c,
                                       .rows = rows,
                                       .columns = columns[o],
                                       .first_row = winners->first_rows[oh],
                                       .first_column = winners->first_columns[o],
                                       .across = winners->across,
                                       .out = out + o * c,
                                       .room = (out_w - o) * c};
        if (winners->size)
            window.places = (char *)winners->places + o * c * winners->size;
        if (winners->size == 1)
            TYPED(max_pixel)(&window, 1);
        else if (winners->size)
            TYPED(max_pixel)(&window, 4);
        else
            TYPED(max_pixel)(&window, 0);
    }
}

/* A pixel and the windows that it lies in. */
struct TYPED(around) {
    const ELEM *dy;
    const struct ursa_winners *winners;
    int64_t out_w, c;
    struct ursa_span rows, columns;
    int64_t h, w;
    ELEM *dx;
    int64_t room;
};

/* Its place in one of the windows. */
V_INLINE float TYPED(place_in)(const struct TYPED(around) * s, int64_t oh, int64_t ow)
{
    return (float)((s->h - s->winners->first_rows[oh]) * s->winners->across + s->w - s->winners->first_columns[ow]);
}

V_INLINE void TYPED(max_grad_part)(const struct TYPED(around) * s, int64_t k, int vectors, int size)
{
    vf sum[MOST] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++) {
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + k;
            vf me = vf_set(TYPED(place_in)(s, oh, ow));
            for (int v = 0; v < vectors; v++, at += V_LANES) {
                vm won = vf_eq(load_places(s->winners->places, size, at), me);
                sum[v] = vf_add(sum[v], vf_select(won, LOAD(s->dy + at, V_LANES), vf_zero()));
            }
        }
    }
    for (int v = 0; v < vectors; v++)
        STORE(s->dx + k + v * V_LANES, sum[v], V_LANES);
}

V_INLINE void TYPED(max_grad_channel)(const struct TYPED(around) * s, int64_t channel, int size)
{
    float sum = 0.0f;
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++)
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + channel;
            int64_t winner =
                size == 1 ? ((const uint8_t *)s->winners->places)[at] : ((const int32_t *)s->winners->places)[at];
            sum += (float)winner == TYPED(place_in)(s, oh, ow) ? VALUE(s->dy + at) : 0.0f;
        }
    STORE(s->dx + channel, vf_set(sum), 1);
}

V_INLINE void TYPED(max_grad_pixel)(const struct TYPED(around) * s, int size)
{
    int64_t k = 0;
    for (; k + MOST * V_LANES <= s->c; k += MOST * V_LANES)
        TYPED(max_grad_part)(s, k, MOST, size);
    for (; k + V_LANES <= s->c; k += V_LANES)
        TYPED(max_grad_part)(s, k, 1, size);
    if (k < s->c && is_padded(s->rows, s->columns, s->out_w, s->c, k, s->room))
        TYPED(max_grad_part)(s, k, 1, size);
    else
        for (; k < s->c; k++)
            TYPED(max_grad_channel)(s, k, size);
}

/* Gathers rather than scatters: every pixel looks at the windows it lies in
 * and takes the gradient of those it won. */
static void TYPED(max_grad)(const void *gradient, const struct ursa_winners *winners, int64_t out_w, int64_t c,
                            struct ursa_span rows, const struct ursa_span *columns, int64_t h, int64_t w, void *result)
{
    const ELEM *dy = gradient;
    ELEM *dx = result;
    for (int64_t i = 0; i < w; i++) {
        struct TYPED(around) around = {dy, winners, out_w, c, rows, columns[i], h, i, dx + i * c, (w - i) * c};
        if (winners->size == 1)
            TYPED(max_grad_pixel)(&around, 1);
        else
            TYPED(max_grad_pixel)(&around, 4);
    }
}
