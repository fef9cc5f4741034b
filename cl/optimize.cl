/* optimize.cl — optimizer steps, one work item per parameter. */
#include "common.cl"
#include "group.cl"

/* Whether a step is to leave everything as it is. */
static inline bool is_skipped(global const float *skip)
{
    return skip && *skip != 0.0f;
}

/* The twins of the structs in optimize.c. */
typedef struct sgd {
    float lr, mu, dampening, l2, decay;
    int nesterov, first;
} sgd;

kernel void sgd_step(OUTPUT(f32, param), INPUT(f32, grad), OUTPUT(f32, momentum), INPUT(f32, skip), sgd s, int count)
{
    LOCATE(skip);
    LOCATE(param);
    LOCATE(grad);
    LOCATE(momentum);
    int i = (int)get_global_id(0);
    if (i >= count || is_skipped(skip))
        return;
    float p = param[i], d = grad[i] + s.l2 * p;
    if (s.mu != 0.0f && momentum) {
        float m = s.first ? d : s.mu * momentum[i] + (1.0f - s.dampening) * d;
        momentum[i] = m;
        d = s.nesterov ? d + s.mu * m : m;
    }
    param[i] = p * (1.0f - s.lr * s.decay) - s.lr * d;
}

typedef struct adam {
    float lr, beta1, beta2, eps, l2, decay, step_size, denom_scale;
    int no_denom;
} adam;

kernel void adam_step(OUTPUT(f32, param), INPUT(f32, grad), OUTPUT(f32, m), OUTPUT(f32, v), INPUT(f32, skip), adam s, int count)
{
    LOCATE(skip);
    LOCATE(param);
    LOCATE(grad);
    LOCATE(m);
    LOCATE(v);
    int i = (int)get_global_id(0);
    if (i >= count || is_skipped(skip))
        return;
    float p = param[i], g = grad[i] + s.l2 * p;
    float mean = s.beta1 * m[i] + (1.0f - s.beta1) * g, square = s.beta2 * v[i] + (1.0f - s.beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    float denominator = s.no_denom ? 1.0f : sqrt(square) / s.denom_scale + s.eps;
    param[i] = p * (1.0f - s.lr * s.decay) - s.step_size * mean / denominator;
}

typedef struct rmsprop {
    float lr, alpha, eps, mu, l2, decay;
} rmsprop;

kernel void rmsprop_step(OUTPUT(f32, param), INPUT(f32, grad), OUTPUT(f32, v), OUTPUT(f32, mean),
                         OUTPUT(f32, momentum), INPUT(f32, skip), rmsprop s, int count)
{
    LOCATE(skip);
    LOCATE(param);
    LOCATE(grad);
    LOCATE(v);
    LOCATE(mean);
    LOCATE(momentum);
    int i = (int)get_global_id(0);
    if (i >= count || is_skipped(skip))
        return;
    float p = param[i], g = grad[i] + s.l2 * p;
    float square = s.alpha * v[i] + (1.0f - s.alpha) * g * g;
    v[i] = square;
    if (mean) {
        float average = s.alpha * mean[i] + (1.0f - s.alpha) * g;
        mean[i] = average;
        square -= average * average;
    }
    float d = g / (sqrt(square) + s.eps);
    if (s.mu != 0.0f && momentum) {
        d += s.mu * momentum[i];
        momentum[i] = d;
    }
    param[i] = p * (1.0f - s.lr * s.decay) - s.lr * d;
}

typedef struct lamb {
    float lr, beta1, beta2, eps, decay, c1, c2, max_ratio;
} lamb;

/* The update, and Σ param² and Σ update² of each chunk: parts [2, chunks]. */
kernel void lamb_update(INPUT(f32, param), INPUT(f32, grad), OUTPUT(f32, m), OUTPUT(f32, v), OUTPUT(f32, update),
                        OUTPUT(f32, parts), INPUT(f32, skip), local float *each, lamb s, int count, int chunk)
{
    LOCATE(skip);
    LOCATE(param);
    LOCATE(grad);
    LOCATE(m);
    LOCATE(v);
    LOCATE(update);
    LOCATE(parts);
    int part = (int)get_group_id(0), end = min((part + 1) * chunk, count);
    float params = 0.0f, updates = 0.0f;
    for (int i = part * chunk + (int)get_local_id(0); i < end; i += (int)get_local_size(0)) {
        float p = param[i], g = grad[i];
        float mean = s.beta1 * m[i] + (1.0f - s.beta1) * g, square = s.beta2 * v[i] + (1.0f - s.beta2) * g * g;
        float u = mean / s.c1 / (sqrt(square / s.c2) + s.eps) + s.decay * p;
        if (!is_skipped(skip)) {
            m[i] = mean;
            v[i] = square;
        }
        update[i] = u;
        params += p * p;
        updates += u * u;
    }
    params = group_sum(each, params);
    updates = group_sum(each, updates);
    if (get_local_id(0) == 0) {
        parts[part] = params;
        parts[get_num_groups(0) + part] = updates;
    }
}

/* One group: lr |param| / |update|. */
kernel void lamb_ratio(INPUT(f32, parts), OUTPUT(f32, ratio), local float *each, int chunks, float lr, float max_ratio)
{
    LOCATE(parts);
    LOCATE(ratio);
    float params = 0.0f, updates = 0.0f;
    for (int i = (int)get_local_id(0); i < chunks; i += (int)get_local_size(0)) {
        params += parts[i];
        updates += parts[chunks + i];
    }
    params = sqrt(group_sum(each, params));
    updates = sqrt(group_sum(each, updates));
    if (get_local_id(0) != 0)
        return;
    float r = params > 0.0f && updates > 0.0f ? params / updates : 1.0f;
    ratio[0] = lr * (max_ratio > 0.0f ? fmin(r, max_ratio) : r);
}

kernel void lamb_apply(OUTPUT(f32, param), INPUT(f32, update), INPUT(f32, ratio), INPUT(f32, skip), int count)
{
    LOCATE(skip);
    LOCATE(param);
    LOCATE(update);
    LOCATE(ratio);
    int i = (int)get_global_id(0);
    if (i < count && !is_skipped(skip))
        param[i] -= ratio[0] * update[i];
}

/* ---- loss scaling -------------------------------------------------------- */

kernel void unscale(OUTPUT(f32, grad), OUTPUT(f32, scaling), int count)
{
    LOCATE(grad);
    LOCATE(scaling);
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    float g = grad[i];
    if (!isfinite(g))
        atomic_xchg(scaling + 2, 1.0f); /* many may find one, and all write the same */
    grad[i] = g * (1.0f / scaling[0]);
}

/* One work item. */
kernel void update_scale(OUTPUT(f32, scaling), float growth, float backoff, int interval)
{
    LOCATE(scaling);
    if (get_global_id(0) != 0)
        return;
    if (scaling[2] != 0.0f) {
        scaling[0] *= backoff;
        scaling[1] = 0.0f;
        scaling[3] += 1.0f;
    } else if ((scaling[1] += 1.0f) >= (float)interval) {
        float larger = scaling[0] * growth;
        scaling[0] = isfinite(larger) ? larger : scaling[0];
        scaling[1] = 0.0f;
    }
    scaling[2] = 0.0f;
}
