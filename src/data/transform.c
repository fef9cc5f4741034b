/* transform.c — values, and lists of transforms run on items and batches. */
#include <ursa/transform.h>
#include "geometry.h"
#include "light.h"
#include "tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ------------------------------------------------------------------------ */

bool ursa_value_decode(ursa_value *value)
{
    if (!value)
        return false;
    if (value->data || ursa_dims_count(&value->shape) == 0)
        return true;
    if (!value->decode)
        return ursa_fail(URSA_ERROR_STATE, "value_decode: %s: a value without data, and nothing that reads it",
                         value->path ? value->path : "no file");
    return value->decode(value);
}

void ursa_value_clear(ursa_value *value)
{
    if (!value)
        return;
    free(value->data);
    free(value->path);
    *value = (ursa_value){0};
}

/* ---- lists ------------------------------------------------------------------------- */

/* A list in the order it runs in, composites taken apart. */
struct plan {
    ursa_transform step[URSA_TRANSFORMS * URSA_TRANSFORMS];
    int count;
    bool training;
};

static void add(struct plan *plan, const ursa_transform *transform)
{
    if (!transform->class->training_only || plan->training)
        plan->step[plan->count++] = *transform;
}

/* Equal orders stay as they are. */
static void sort(struct plan *plan)
{
    for (int i = 1; i < plan->count; i++) {
        ursa_transform moved = plan->step[i];
        int place = i;
        for (; place > 0 && plan->step[place - 1].class->order > moved.class->order; place--)
            plan->step[place] = plan->step[place - 1];
        plan->step[place] = moved;
    }
}

static void make_plan(const ursa_transform *list, bool training, struct plan *plan)
{
    plan->count = 0;
    plan->training = training;
    for (int i = 0; list && i < URSA_TRANSFORMS && list[i].class; i++) {
        if (!list[i].class->expand) {
            add(plan, &list[i]);
            continue;
        }
        ursa_transform parts[URSA_TRANSFORMS];
        int count = list[i].class->expand(&list[i], parts);
        for (int k = 0; k < count; k++)
            add(plan, &parts[k]);
    }
    sort(plan);
}

/* ---- items ------------------------------------------------------------------------- */

bool ursa_transform_item(const ursa_transform *list, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    if (!x)
        return false;
    struct plan plan;
    make_plan(list, training, &plan);
    for (int i = 0; i < plan.count; i++) {
        const ursa_transform *step = &plan.step[i];
        if (!step->class->item)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: a transform of batches among those of items", step->class->name);
        if (!step->class->item(step, x, y, training, rng))
            return false;
    }
    return ursa_value_decode(x) && (!y || ursa_value_decode(y));
}

/* ---- batches ----------------------------------------------------------------------- */

/* Pixels of x, from the upper left corner, to -1 … 1 from edge to edge. */
static ursa_tensor *scale_points(ursa_tensor *points, const ursa_tensor *x)
{
    float scale[2] = {2 / (float)ursa_dim(x, 2), 2 / (float)ursa_dim(x, 1)};
    ursa_tensor *by = ursa_from(scale, ursa_shape(2), .device = ursa_device_of(points));
    return ursa_add_scalar(ursa_mul(points, by), -1);
}

static ursa_tensor *to_floats(ursa_tensor *pixels)
{
    return ursa_dtype_of(pixels) == URSA_U8 ? ursa_mul_scalar(ursa_cast(pixels, URSA_F32), 1.0 / 255) : pixels;
}

static ursa_tensor *convert(ursa_tensor *tensor, ursa_kind kind, const ursa_tensor *x)
{
    switch (kind) {
    case URSA_KIND_IMAGE:
        return to_floats(tensor);
    case URSA_KIND_MASK:
        return ursa_cast(tensor, URSA_I64);
    case URSA_KIND_POINTS:
        return scale_points(tensor, x);
    default:
        return tensor;
    }
}

static bool convert_batch(const struct plan *plan, ursa_transform_batch *batch)
{
    bool has_pixels = batch->x_kind == URSA_KIND_IMAGE || batch->x_kind == URSA_KIND_MASK;
    if (batch->y && batch->y_kind == URSA_KIND_POINTS && !has_pixels)
        return ursa_fail(URSA_ERROR_ARGUMENT, "targets are points, but the input is no image for them to be in");
    if (batch->y && !(batch->y = convert(batch->y, batch->y_kind, batch->x)))
        return false;
    bool stays = plan->count > 0 && plan->step[0].class->takes_bytes && batch->x_kind == URSA_KIND_IMAGE;
    return stays || (batch->x = convert(batch->x, batch->x_kind, batch->x));
}

/* How many steps from `at` on are geometry, or light. */
static int neighbours(const struct plan *plan, int at, bool light)
{
    int end = at;
    while (end < plan->count &&
           (light ? plan->step[end].class->light != NULL : plan->step[end].class->geometry != NULL))
        end++;
    return end - at;
}

/* Runs the step at `*at` and moves on; neighbouring geometry is one step, and so is neighbouring light. */
static bool run_step(const struct plan *plan, int *at, ursa_transform_batch *batch)
{
    const ursa_transform *step = &plan->step[*at];
    int moves = neighbours(plan, *at, false), lights = neighbours(plan, *at, true);
    *at += moves + lights > 0 ? moves + lights : 1;
    if (moves > 0)
        return ursa_geometry_run(step, moves, plan->training, batch);
    if (lights > 0)
        return ursa_light_run(step, lights, batch);
    return step->class->batch
               ? step->class->batch(step, batch)
               : ursa_fail(URSA_ERROR_ARGUMENT, "%s: a transform of items among those of batches", step->class->name);
}

/* Drops what a step has replaced, unless it is the caller's. */
static void drop(ursa_tensor *old, const ursa_tensor *now, const ursa_tensor *uploaded)
{
    if (old != now && old != uploaded)
        ursa_free(old);
}

/* Each step in a scope of its own, so that only its result stays. */
static bool run_scoped(const struct plan *plan, int *at, ursa_transform_batch *batch,
                       const ursa_transform_batch *uploaded)
{
    ursa_transform_batch before = *batch;
    ursa_scope *scope = ursa_scope_begin();
    bool done = *at < 0 ? convert_batch(plan, batch) : run_step(plan, at, batch);
    if (*at < 0)
        *at = 0;
    ursa_promote(batch->x);
    ursa_promote(batch->y);
    ursa_scope_end(scope);
    drop(before.x, batch->x, uploaded->x);
    if (before.y)
        drop(before.y, batch->y, uploaded->y);
    return done;
}

bool ursa_transform_run_batch(const ursa_transform *list, bool training, ursa_transform_batch *batch)
{
    if (!batch || !batch->x)
        return false;
    struct plan plan;
    make_plan(list, training, &plan);
    ursa_transform_batch uploaded = *batch;
    ursa_no_grad_begin();
    bool done = true;
    for (int at = -1; done && at < plan.count;)
        done = run_scoped(&plan, &at, batch, &uploaded);
    ursa_no_grad_end();
    return done;
}

ursa_tensor *ursa_transform_decode(const ursa_transform *list, ursa_tensor *x)
{
    if (!x)
        return NULL;
    struct plan plan;
    make_plan(list, true, &plan);
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    for (int i = plan.count - 1; i >= 0; i--)
        if (plan.step[i].class->decode)
            x = plan.step[i].class->decode(&plan.step[i], x);
    ursa_no_grad_end();
    return ursa_leave(scope, x);
}
