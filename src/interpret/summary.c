/* summary.c — the layers of a network as a table. */
#include <ursa/interpret.h>
#include "text.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One application of a layer. */
struct row {
    ursa_module *module;
    ursa_dims shape;
};

struct record {
    struct row *rows;
    int count;
    bool lost;
};

/* Only layers are listed, not what holds them. */
static void watch(void *context, ursa_module *module, ursa_tensor *y)
{
    struct record *record = context;
    if (ursa_children(module) > 0)
        return;
    struct row *grown = ursa_grow(record->rows, (size_t)(record->count + 1) * sizeof *grown);
    if (!grown) {
        record->lost = true;
        return;
    }
    record->rows = grown;
    grown[record->count++] = (struct row){module, ursa_dims_of(y)};
}

/* The path of a module from the root, "layer1.0.conv1"; false when it is not below. */
static bool path_of(ursa_module *root, const ursa_module *module, char *path, size_t size)
{
    size_t used = strlen(path);
    for (int i = 0; i < ursa_children(root); i++) {
        ursa_module *child = ursa_child(root, i);
        const char *name = ursa_module_name(child);
        snprintf(path + used, size - used, "%s%s", used > 0 && *name ? "." : "", name);
        if (child == module || path_of(child, module, path, size))
            return true;
        path[used] = '\0';
    }
    return false;
}

static void write_shape(char *text, size_t size, ursa_dims shape)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int axis = 0; axis < shape.ndim && used < size; axis++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", axis > 0 ? ", " : "", (long long)shape.dim[axis]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

/* 11689512 → "11,689,512" */
static void write_count(char *text, size_t size, int64_t count)
{
    char plain[32];
    int digits = snprintf(plain, sizeof plain, "%lld", (long long)count);
    size_t used = 0;
    for (int i = 0; i < digits && used + 2 < size; i++) {
        if (i > 0 && (digits - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = plain[i];
    }
    text[used] = '\0';
}

/* How many numbers a layer's parameters have, and how many of these are trained. */
static int64_t count_parameters(ursa_module *module, int64_t *trained, int64_t *buffers)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    int64_t numbers = 0;
    *trained = *buffers = 0;
    for (int i = 0; i < count; i++) {
        int64_t size = ursa_count(list[i].tensor);
        if (list[i].is_buffer) {
            *buffers += size;
            continue;
        }
        numbers += size;
        *trained += ursa_has_grad(list[i].tensor) ? size : 0;
    }
    return numbers;
}

static int64_t numbers_in(ursa_dims shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape.ndim; axis++)
        count *= shape.dim[axis];
    return count;
}

/* ---- the table ---------------------------------------------------------------------- */

static void write_row(struct ursa_text *text, ursa_module *root, const struct row *row)
{
    char path[160] = "", shape[96], count[32] = "";
    int64_t trained, buffers, numbers = count_parameters(row->module, &trained, &buffers);
    const char *layer = ursa_module_describe(row->module);
    path_of(root, row->module, path, sizeof path);
    write_shape(shape, sizeof shape, row->shape);
    if (numbers > 0)
        write_count(count, sizeof count, numbers);
    int pad = 56 - ursa_text_columns(layer);
    ursa_text_add(text, "%-32s %s%*s %-22s %12s  %s\n", path, layer, pad > 0 ? pad : 0, "", shape, count,
                  numbers == 0         ? ""
                  : trained == numbers ? "yes"
                  : trained == 0       ? "frozen"
                                       : "in part");
}

static void write_total(struct ursa_text *text, const char *what, int64_t numbers)
{
    char count[32];
    write_count(count, sizeof count, numbers);
    ursa_text_add(text, "%-28s %15s\n", what, count);
}

static void write_megabytes(struct ursa_text *text, const char *what, int64_t floats)
{
    ursa_text_add(text, "%-28s %12.1f MB\n", what, (double)floats * 4e-6);
}

static char *write_table(ursa_module *module, ursa_dims input, const struct record *record)
{
    struct ursa_text text = {0};
    char shape[96];
    int64_t trained, buffers, numbers = count_parameters(module, &trained, &buffers), outputs = 0;
    write_shape(shape, sizeof shape, input);
    ursa_text_add(&text, "input %s\n\n%-32s %-56s %-22s %12s  %s\n", shape, "name", "layer", "output", "parameters",
                  "trained");
    for (int i = 0; i < 137; i++)
        ursa_text_add(&text, "-");
    ursa_text_add(&text, "\n");
    for (int i = 0; i < record->count; i++) {
        write_row(&text, module, &record->rows[i]);
        outputs += numbers_in(record->rows[i].shape);
    }
    ursa_text_add(&text, "\n");
    write_total(&text, "parameters", numbers);
    write_total(&text, "  trained", trained);
    write_total(&text, "  frozen", numbers - trained);
    write_megabytes(&text, "memory of parameters", numbers + buffers);
    write_megabytes(&text, "memory of all outputs", outputs);
    return ursa_text_take(&text);
}

static char *summarize(ursa_module *module, ursa_dims input, ursa_dtype dtype)
{
    struct record record = {0};
    bool training = ursa_is_training(module);
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    ursa_train_mode(module, false);
    ursa_watch_forward(watch, &record);
    ursa_tensor *y = ursa_forward(module, ursa_zeros(input, .dtype = dtype));
    ursa_watch_forward(NULL, NULL);
    ursa_train_mode(module, training);
    ursa_no_grad_end();
    ursa_scope_end(scope);
    char *table = y && !record.lost ? write_table(module, input, &record) : NULL;
    free(record.rows);
    return table;
}

char *ursa_module_summary(ursa_module *module, ursa_dims input)
{
    return module ? summarize(module, input, URSA_F32) : NULL;
}

char *ursa_summary(ursa_learner *learner)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    ursa_dataloader *loader = data ? data->train ? data->train : data->valid : NULL;
    if (!loader) {
        if (data)
            ursa_fail(URSA_ERROR_ARGUMENT, "summary: the learner has no data, so the size of its inputs is not known");
        return NULL;
    }
    const ursa_item_layout *layout = ursa_dataset_layout(ursa_dataloader_dataset(loader));
    ursa_dims item = layout->x_shape;
    ursa_dims shape = {.ndim = item.ndim + 1, .dim = {ursa_dataloader_batch_size(loader)}};
    for (int axis = 0; axis < item.ndim; axis++)
        shape.dim[axis + 1] = item.dim[axis];
    return summarize(ursa_learner_model(learner), shape, layout->x_dtype == URSA_I64 ? URSA_I64 : URSA_F32);
}
