/* norm.cl — batch and group normalisation.
 *
 * Sums over the rows of a matrix are taken in two stages, in an order that the
 * shape alone decides: chunks of rows first, by work items that keep LANES
 * channels each, then the chunks of a channel, by a group that joins them as a
 * tree. Variances are joined as Chan, Golub and LeVeque (1983) do it, so that
 * no large mean drowns them. What has the shape of x is of type -DT.
 */
#include "common.cl"
#include "lanes.cl"
#include "group.cl"

/* ---- batch normalisation ------------------------------------------------- */

/* The mean of each chunk of x [rows, channels], and the sum of squared
 * distances from it: parts [2, chunks, channels]. */
kernel void moments_part(INPUT(T, x), OUTPUT(f32, parts), int rows, int vectors, int chunk, int chunks)
{
    LOCATE(x);
    LOCATE(parts);
    int i = (int)get_global_id(0), part = i / vectors, c = (i - part * vectors) * LANES, channels = vectors * LANES;
    if (part >= chunks)
        return;
    int first = part * chunk, end = min(first + chunk, rows);
    lanes sum = (lanes)(0.0f), squares = (lanes)(0.0f);
    for (int r = first; r < end; r++)
        sum += elems_load(T, x, r * channels + c);
    lanes mean = sum / (float)(end - first);
    for (int r = first; r < end; r++) {
        lanes d = elems_load(T, x, r * channels + c) - mean;
        squares += d * d;
    }
    lanes_store(mean, parts + part * channels + c);
    lanes_store(squares, parts + (chunks + part) * channels + c);
}

typedef struct moments {
    float count, mean, squares;
} moments;

static inline moments join(moments a, moments b)
{
    float count = a.count + b.count;
    if (b.count == 0.0f || count == 0.0f)
        return a;
    float d = b.mean - a.mean, share = b.count / count;
    return (moments){count, a.mean + d * share, a.squares + b.squares + d * d * a.count * share};
}

/* One group joins the chunks of one channel. */
kernel void moments_join(INPUT(f32, parts), OUTPUT(f32, mean), OUTPUT(f32, var), local moments *each, int rows,
                         int channels, int chunk, int chunks)
{
    LOCATE(parts);
    LOCATE(mean);
    LOCATE(var);
    int item = (int)get_local_id(0), c = (int)get_group_id(0);
    moments mine = {0.0f, 0.0f, 0.0f};
    for (int part = item; part < chunks; part += (int)get_local_size(0))
        mine = join(mine, (moments){(float)min(chunk, rows - part * chunk), parts[part * channels + c],
                                    parts[(chunks + part) * channels + c]});
    each[item] = mine;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int apart = (int)get_local_size(0) / 2; apart > 0; apart /= 2) {
        if (item < apart)
            each[item] = join(each[item], each[item + apart]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item != 0)
        return;
    mine = each[0];
    mean[c] = mine.mean;
    var[c] = mine.squares / (float)rows;
}

static inline lanes affine(lanes x, lanes mean, lanes factor, global const float *scale, global const float *shift,
                           int c)
{
    lanes y = (x - mean) * factor;
    if (scale)
        y *= lanes_load(scale + c);
    if (shift)
        y += lanes_load(shift + c);
    return y;
}

/* The activation behind it: -DRELU, or with it -DRELU6. */
static inline lanes activated(lanes y)
{
#ifdef RELU
    y = select(y, (lanes)(0.0f), y < 0.0f); /* stays not a number */
#endif
#ifdef RELU6
    y = select(y, (lanes)(6.0f), y > 6.0f);
#endif
    return y;
}

/* What y, before or behind the activation, lets pass of a gradient. */
static inline lanes passed(lanes g, lanes y)
{
#ifdef RELU
    g = select((lanes)(0.0f), g, y > 0.0f);
#endif
#ifdef RELU6
    g = select((lanes)(0.0f), g, y < 6.0f);
#endif
    return g;
}

static inline void move_running(global float *running, lanes fresh, float momentum)
{
    if (running)
        lanes_store((1.0f - momentum) * lanes_load(running) + momentum * fresh, running);
}

/* out = activation((x - mean) inv_std scale + shift + residual), by the mean and the variance of the batch or the
 * running ones. In training the items of the first row keep the statistics for the gradient, and move the running
 * ones, which are not present in inference. */
kernel void normalise(INPUT(T, x), INPUT(f32, scale), INPUT(f32, shift), INPUT(f32, mean), INPUT(f32, var),
                      INPUT(T, residual), OUTPUT(T, out), OUTPUT(f32, kept_mean), OUTPUT(f32, kept_inv_std),
                      OUTPUT(f32, running_mean), OUTPUT(f32, running_var), int rows, int vectors, float momentum,
                      float eps)
{
    LOCATE(x);
    LOCATE(residual);
    LOCATE(scale);
    LOCATE(shift);
    LOCATE(mean);
    LOCATE(var);
    LOCATE(out);
    int i = (int)get_global_id(0), row = i / vectors, c = (i - row * vectors) * LANES;
    if (row >= rows)
        return;
    lanes average = lanes_load(mean + c), factor = 1.0f / sqrt(lanes_load(var + c) + eps);
#ifdef TRAINING
    if (row == 0) {
        lanes_store(average, kept_mean + kept_mean_offset + c);
        lanes_store(factor, kept_inv_std + kept_inv_std_offset + c);
        move_running(running_mean ? running_mean + running_mean_offset + c : running_mean, average, momentum);
        move_running(running_var ? running_var + running_var_offset + c : running_var,
                     lanes_load(var + c) * ((float)rows / (float)(rows - 1)), momentum);
    }
#endif
    lanes y = affine(elems_load(T, x, i * LANES), average, factor, scale, shift, c);
    if (residual)
        y += elems_load(T, residual, i * LANES);
    elems_store(T, activated(y), out, i * LANES);
}

/* ---- gradients to scale and shift, of both kinds ------------------------- */

/* dy at `at` behind the activation, by y or, without it, by what it was made of. */
static inline lanes slope_at(global const ELEM(T) *x, global const ELEM(T) *dy, global const ELEM(T) *y,
                             global const float *scale, global const float *shift, lanes mean, lanes factor, int at,
                             int c)
{
    lanes g = elems_load(T, dy, at);
#ifdef RELU
    g = passed(g, y ? elems_load(T, y, at) : affine(elems_load(T, x, at), mean, factor, scale, shift, c));
#endif
    return g;
}

/* Σ g and Σ g (x - mean) inv_std over each chunk of rows, g being dy behind the
 * activation: parts [2, chunks, channels]. -DGROUPS: statistics are per group
 * of channels of `span` rows (LANES is 1 then); else per channel. */
kernel void norm_grad_part(INPUT(T, x), INPUT(T, dy), INPUT(T, y), INPUT(f32, scale), INPUT(f32, shift),
                           INPUT(f32, mean), INPUT(f32, inv_std), OUTPUT(f32, parts), int rows, int vectors, int chunk,
                           int chunks, int span, int groups)
{
    LOCATE(x);
    LOCATE(dy);
    LOCATE(y);
    LOCATE(scale);
    LOCATE(shift);
    LOCATE(mean);
    LOCATE(inv_std);
    LOCATE(parts);
    int i = (int)get_global_id(0), part = i / vectors, c = (i - part * vectors) * LANES, channels = vectors * LANES;
    if (part >= chunks)
        return;
    int first = part * chunk, end = min(first + chunk, rows);
    lanes sum = (lanes)(0.0f), product = (lanes)(0.0f);
    for (int r = first; r < end; r++) {
#ifdef GROUPS
        int statistic = r / span * groups + c / (channels / groups);
#else
        int statistic = c;
#endif
        lanes average = lanes_load(mean + statistic), factor = lanes_load(inv_std + statistic);
        lanes d = slope_at(x, dy, y, scale, shift, average, factor, r * channels + c, c);
        sum += d;
        product += d * ((elems_load(T, x, r * channels + c) - average) * factor);
    }
    lanes_store(sum, parts + part * channels + c);
    lanes_store(product, parts + (chunks + part) * channels + c);
}

/* One group adds up the chunks of one channel: dshift and dscale, and both
 * [2, channels] for the gradient to x. */
kernel void norm_grad_join(INPUT(f32, parts), OUTPUT(f32, sums), OUTPUT(f32, dscale), OUTPUT(f32, dshift),
                           local float *each, int channels, int chunks)
{
    LOCATE(parts);
    LOCATE(sums);
    LOCATE(dscale);
    LOCATE(dshift);
    int item = (int)get_local_id(0), c = (int)get_group_id(0);
    float sum = 0.0f, product = 0.0f;
    for (int part = item; part < chunks; part += (int)get_local_size(0)) {
        sum += parts[part * channels + c];
        product += parts[(chunks + part) * channels + c];
    }
    sum = group_sum(each, sum);
    product = group_sum(each, product);
    if (item != 0)
        return;
    sums[c] = sum;
    sums[channels + c] = product;
    if (dscale)
        dscale[c] = product;
    if (dshift)
        dshift[c] = sum;
}

/* dx = scale inv_std (g - Σ g / rows - x̂ Σ g x̂ / rows), in inference only the
 * first term; and dresidual = g. */
kernel void batch_norm_grad(INPUT(T, x), INPUT(T, dy), INPUT(T, y), INPUT(f32, scale), INPUT(f32, shift),
                            INPUT(f32, mean), INPUT(f32, inv_std), INPUT(f32, sums), OUTPUT(T, dx),
                            OUTPUT(T, dresidual), int rows, int vectors)
{
    LOCATE(x);
    LOCATE(dy);
    LOCATE(y);
    LOCATE(shift);
    LOCATE(dresidual);
    LOCATE(scale);
    LOCATE(mean);
    LOCATE(inv_std);
    LOCATE(sums);
    LOCATE(dx);
    int i = (int)get_global_id(0), row = i / vectors, c = (i - row * vectors) * LANES;
    if (row >= rows)
        return;
    lanes average = lanes_load(mean + c), factor = lanes_load(inv_std + c);
    lanes d = slope_at(x, dy, y, scale, shift, average, factor, i * LANES, c);
    if (dresidual)
        elems_store(T, d, dresidual, i * LANES);
    if (!dx)
        return;
#ifdef TRAINING
    lanes normal = (elems_load(T, x, i * LANES) - average) * factor;
    d -= (lanes_load(sums + c) + normal * lanes_load(sums + vectors * LANES + c)) / (float)rows;
#endif
    if (scale)
        factor *= lanes_load(scale + c);
    elems_store(T, d * factor, dx, i * LANES);
}

/* ---- group normalisation -------------------------------------------------- */

/* One group of work items normalises one group of channels of one sample: x
 * [samples, rows, channels], `width` channels in a group. */
kernel void group_norm(INPUT(T, x), INPUT(f32, scale), INPUT(f32, shift), OUTPUT(T, out), OUTPUT(f32, mean),
                       OUTPUT(f32, inv_std), local float *each, int rows, int channels, int width, float eps)
{
    LOCATE(x);
    LOCATE(scale);
    LOCATE(shift);
    LOCATE(out);
    LOCATE(mean);
    LOCATE(inv_std);
    int item = (int)get_local_id(0), step = (int)get_local_size(0), which = (int)get_group_id(0);
    int groups = channels / width, sample = which / groups, first = (which - sample * groups) * width;
    int count = rows * width, base = sample * rows * channels + first;

    float sum = 0.0f, squares = 0.0f;
    for (int i = item; i < count; i += step) {
        int r = i / width;
        sum += LOAD(T, x, base + r * channels + i - r * width);
    }
    float average = group_sum(each, sum) / (float)count;
    for (int i = item; i < count; i += step) {
        int r = i / width;
        float d = LOAD(T, x, base + r * channels + i - r * width) - average;
        squares += d * d;
    }
    float factor = 1.0f / sqrt(group_sum(each, squares) / (float)count + eps);
    if (item == 0) {
        mean[which] = average;
        inv_std[which] = factor;
    }
    for (int i = item; i < count; i += step) {
        int r = i / width, c = i - r * width, at = base + r * channels + c;
        float y = (LOAD(T, x, at) - average) * factor;
        if (scale)
            y *= scale[first + c];
        if (shift)
            y += shift[first + c];
        STORE(T, out, at, y);
    }
}

kernel void group_norm_grad(INPUT(T, x), INPUT(T, dy), INPUT(f32, scale), INPUT(f32, mean), INPUT(f32, inv_std),
                            OUTPUT(T, dx), local float *each, int rows, int channels, int width)
{
    LOCATE(x);
    LOCATE(dy);
    LOCATE(scale);
    LOCATE(mean);
    LOCATE(inv_std);
    LOCATE(dx);
    int item = (int)get_local_id(0), step = (int)get_local_size(0), which = (int)get_group_id(0);
    int groups = channels / width, sample = which / groups, first = (which - sample * groups) * width;
    int count = rows * width, base = sample * rows * channels + first;
    float average = mean[which], factor = inv_std[which];

    float sum = 0.0f, product = 0.0f;
    for (int i = item; i < count; i += step) {
        int r = i / width, c = i - r * width, at = base + r * channels + c;
        float d = LOAD(T, dy, at) * (scale ? scale[first + c] : 1.0f);
        sum += d;
        product += d * ((LOAD(T, x, at) - average) * factor);
    }
    sum = group_sum(each, sum) / (float)count;
    product = group_sum(each, product) / (float)count;
    for (int i = item; i < count; i += step) {
        int r = i / width, c = i - r * width, at = base + r * channels + c;
        float d = LOAD(T, dy, at) * (scale ? scale[first + c] : 1.0f);
        STORE(T, dx, at, factor * (d - sum - (LOAD(T, x, at) - average) * factor * product));
    }
}
