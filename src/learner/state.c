/* state.c — named tensors in host memory: model, optimizer, and the files of them. */
#include "state.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/ops.h"
#include "optim/optimizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---------------------------------------------------------------------- */

void ursa_state_clear(ursa_state *state)
{
    for (int i = 0; i < state->count; i++) {
        free((char *)state->list[i].name);
        free((void *)state->list[i].data);
    }
    free(state->list);
    *state = (ursa_state){0};
}

const ursa_stored_tensor *ursa_state_find(const ursa_state *state, const char *name)
{
    for (int i = 0; i < state->count; i++)
        if (strcmp(state->list[i].name, name) == 0)
            return &state->list[i];
    return NULL;
}

/* Room for an entry of so many bytes, with its name. */
static ursa_stored_tensor *add(ursa_state *state, const char *prefix, const char *name, size_t bytes)
{
    ursa_stored_tensor *grown = ursa_grow(state->list, (size_t)(state->count + 1) * sizeof *grown);
    if (grown)
        state->list = grown;
    char *full = grown ? ursa_format("%s%s", prefix, name) : NULL;
    void *data = full ? ursa_alloc(bytes + 1) : NULL;
    if (!data) {
        free(full);
        return NULL;
    }
    grown[state->count] = (ursa_stored_tensor){.name = full, .data = data, .bytes = bytes};
    return &grown[state->count++];
}

bool ursa_state_add(ursa_state *state, const char *prefix, const char *name, const ursa_tensor *tensor)
{
    ursa_dtype dtype = ursa_dtype_of(tensor);
    ursa_stored_tensor *stored = add(state, prefix, name, (size_t)ursa_count(tensor) * ursa_dtype_size(dtype));
    if (!stored)
        return false;
    stored->dtype = dtype;
    stored->shape = ursa_dims_of(tensor);
    return ursa_read(tensor, dtype, (void *)stored->data, ursa_count(tensor));
}

bool ursa_state_add_memory(ursa_state *state, const char *prefix, const char *name, const void *data, size_t bytes)
{
    ursa_stored_tensor *stored = add(state, prefix, name, bytes);
    if (!stored)
        return false;
    stored->dtype = URSA_U8;
    stored->shape = ursa_shape((int64_t)bytes);
    if (bytes)
        memcpy((void *)stored->data, data, bytes);
    return true;
}

static const ursa_stored_tensor *need(const ursa_state *state, const char *prefix, const char *name)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const ursa_stored_tensor *stored = ursa_state_find(state, full);
    if (!stored)
        ursa_fail(URSA_ERROR_FORMAT, "there is no \"%s\"", full);
    return stored;
}

bool ursa_state_get_memory(const ursa_state *state, const char *prefix, const char *name, void *data, size_t bytes)
{
    const ursa_stored_tensor *stored = need(state, prefix, name);
    if (!stored)
        return false;
    if (stored->bytes != bytes)
        return ursa_fail(URSA_ERROR_FORMAT, "\"%s\" has %zu bytes, expected %zu", stored->name, stored->bytes, bytes);
    memcpy(data, stored->data, bytes);
    return true;
}

static bool same_shape(ursa_dims a, ursa_dims b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, (size_t)a.ndim * sizeof *a.dim) == 0;
}

static bool give(const ursa_stored_tensor *stored, ursa_tensor *tensor)
{
    ursa_dims shape = ursa_dims_of(tensor);
    if (!same_shape(stored->shape, shape))
        return ursa_fail(URSA_ERROR_SHAPE, "\"%s\" is %s, expected %s", stored->name,
                         ursa_shape_text(stored->shape.ndim, stored->shape.dim).text,
                         ursa_shape_text(shape.ndim, shape.dim).text);
    ursa_no_grad_begin();
    bool written = ursa_write_(tensor, stored->dtype, stored->data, ursa_count(tensor));
    ursa_no_grad_end();
    return written;
}

/* ---- the model ------------------------------------------------------------------------- */

bool ursa_state_take_model(ursa_state *state, ursa_learner *learner)
{
    const ursa_parameter *list;
    int count = ursa_parameters(learner->model, &list);
    bool taken = count >= 0;
    for (int i = 0; taken && i < count; i++)
        taken = ursa_state_add(state, "model.", list[i].name, list[i].tensor);
    return taken;
}

/* All is looked for before anything is written, so that a file that does not fit changes nothing. */
bool ursa_state_give_model(const ursa_state *state, ursa_learner *learner)
{
    const ursa_parameter *list;
    int count = ursa_parameters(learner->model, &list);
    bool given = count >= 0;
    for (int i = 0; given && i < count; i++) {
        const ursa_stored_tensor *stored = need(state, "model.", list[i].name);
        ursa_dims shape = ursa_dims_of(list[i].tensor);
        given = stored && (same_shape(stored->shape, shape) || give(stored, list[i].tensor));
    }
    for (int i = 0; given && i < count; i++)
        given = give(need(state, "model.", list[i].name), list[i].tensor);
    return given;
}

/* ---- the optimizer ------------------------------------------------------------------------ */

bool ursa_state_take_optimizer(ursa_state *state, ursa_learner *learner)
{
    ursa_optimizer *optimizer = learner->optimizer;
    const ursa_optimizer_state *list;
    int count = ursa_optimizer_states(optimizer, false, &list);
    int64_t *steps = ursa_alloc_array((size_t)optimizer->count + 1, sizeof *steps);
    bool taken = count >= 0 && steps;
    for (int i = 0; taken && i < count; i++)
        taken = ursa_state_add(state, "optimizer.", list[i].name, list[i].tensor);
    for (int i = 0; taken && i < optimizer->count; i++)
        steps[i] = optimizer->parameters[i].steps;
    if (taken)
        steps[optimizer->count] = optimizer->steps;
    taken =
        taken &&
        ursa_state_add_memory(state, "optimizer/", "steps", steps, ((size_t)optimizer->count + 1) * sizeof *steps) &&
        ursa_state_add_memory(state, "optimizer/", "groups", optimizer->groups,
                              (size_t)optimizer->group_count * sizeof *optimizer->groups);
    free(steps);
    return taken;
}

static bool give_slots(const ursa_state *state, ursa_optimizer *optimizer)
{
    static const char prefix[] = "optimizer.";
    for (int i = 0; i < state->count; i++) {
        const ursa_stored_tensor *stored = &state->list[i];
        if (strncmp(stored->name, prefix, strlen(prefix)) != 0)
            continue;
        ursa_tensor *slot = ursa_optimizer_state_by_name(optimizer, stored->name + strlen(prefix));
        if (!slot)
            return ursa_fail(URSA_ERROR_FORMAT, "\"%s\" belongs to no parameter of this network", stored->name);
        if (!give(stored, slot))
            return false;
    }
    return true;
}

bool ursa_state_give_optimizer(const ursa_state *state, ursa_learner *learner)
{
    ursa_optimizer *optimizer = learner->optimizer;
    int64_t *steps = ursa_alloc_array((size_t)optimizer->count + 1, sizeof *steps);
    ursa_optimizer_clear_state(optimizer);
    bool given =
        steps && give_slots(state, optimizer) &&
        ursa_state_get_memory(state, "optimizer/", "steps", steps, ((size_t)optimizer->count + 1) * sizeof *steps) &&
        ursa_state_get_memory(state, "optimizer/", "groups", optimizer->groups,
                              (size_t)optimizer->group_count * sizeof *optimizer->groups);
    for (int i = 0; given && i < optimizer->count; i++)
        optimizer->parameters[i].steps = steps[i];
    if (given)
        optimizer->steps = steps[optimizer->count];
    free(steps);
    return given;
}

/* ---- files ----------------------------------------------------------------------------------- */

bool ursa_state_write(const ursa_state *state, const char *path, const char *format)
{
    const ursa_metadata metadata[] = {{"format", format}, {"version", ursa_version()}};
    return ursa_safetensors_write(path, state->list, state->count, metadata, 2);
}

bool ursa_state_read(ursa_state *state, const char *path, const char *format, ursa_safetensors **file)
{
    *file = ursa_safetensors_open(path);
    if (!*file)
        return false;
    const char *found = ursa_safetensors_metadata(*file, "format");
    if (!found || strcmp(found, format) != 0) {
        ursa_fail(URSA_ERROR_FORMAT, "%s: the format is \"%s\", expected \"%s\"", path, found ? found : "not given",
                  format);
        ursa_safetensors_close(*file);
        *file = NULL;
        return false;
    }
    *state = (ursa_state){(ursa_stored_tensor *)ursa_safetensors_at(*file, 0), ursa_safetensors_count(*file)};
    return true;
}

/* ---- saving and loading a learner --------------------------------------------------------------- */

static const char learner_format[] = "ursa-learner";

bool ursa_learner_save_opt(ursa_learner *learner, const char *path, const ursa_learner_file_options *options)
{
    if (!learner || !path)
        return false;
    ursa_state state = {0};
    bool saved = ursa_state_take_model(&state, learner) &&
                 (options->without_opt || ursa_state_take_optimizer(&state, learner)) &&
                 ursa_state_write(&state, path, learner_format);
    ursa_state_clear(&state);
    return saved;
}

bool ursa_learner_load_opt(ursa_learner *learner, const char *path, const ursa_learner_file_options *options)
{
    ursa_state state;
    ursa_safetensors *file;
    if (!learner || !path || !ursa_state_read(&state, path, learner_format, &file))
        return false;
    bool has_opt = ursa_state_find(&state, "optimizer/steps") != NULL;
    ursa_context_push("%s", path);
    bool loaded = ursa_state_give_model(&state, learner) &&
                  (options->without_opt || !has_opt || ursa_state_give_optimizer(&state, learner));
    ursa_context_pop();
    ursa_safetensors_close(file);
    return loaded;
}
