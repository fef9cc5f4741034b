/* module.c — the tree of modules: making, naming, running and freeing. */
#include "module.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct own_tensor {
    char *name;
    ursa_tensor *tensor;
    bool is_buffer;
};

struct ursa_module {
    const ursa_module_class *class;
    void *state;
    char *name; /* within the parent; NULL while nobody named it */
    char *description;
    ursa_module *parent;
    bool training, is_norm;

    struct own_tensor *tensors;
    int tensor_count;
    ursa_module **children;
    int child_count;

    /* What ursa_parameters() handed out. */
    ursa_parameter *list;
    int list_count;
};

ursa_module *ursa_module_new(const ursa_module_class *class)
{
    ursa_module *module = ursa_alloc(sizeof *module);
    if (!module)
        return NULL;
    module->class = class;
    module->training = true;
    module->state = ursa_alloc(class->size ? class->size : 1);
    if (!module->state) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}

ursa_module *ursa_module_make(const ursa_module_class *class, void **state)
{
    ursa_module *module = ursa_module_new(class);
    *state = module ? module->state : NULL;
    return module;
}

static void drop_list(ursa_module *module)
{
    for (int i = 0; i < module->list_count; i++)
        free((char *)module->list[i].name);
    free(module->list);
    module->list = NULL;
    module->list_count = 0;
}

/* Lists made for this module or any above it no longer hold. */
static void tree_changed(ursa_module *module)
{
    for (; module; module = module->parent)
        drop_list(module);
}

void ursa_module_free(ursa_module *module)
{
    if (!module)
        return;
    if (module->class->free && module->state)
        module->class->free(module->state);
    for (int i = 0; i < module->child_count; i++)
        ursa_module_free(module->children[i]);
    for (int i = 0; i < module->tensor_count; i++) {
        free(module->tensors[i].name);
        ursa_free(module->tensors[i].tensor);
    }
    drop_list(module);
    free(module->children);
    free(module->tensors);
    free(module->description);
    free(module->name);
    free(module->state);
    free(module);
}

void *ursa_module_state(ursa_module *module)
{
    return module ? module->state : NULL;
}

/* ---- tensors ------------------------------------------------------------ */

static bool add_tensor(ursa_module *module, const char *name, ursa_tensor *tensor, bool is_buffer)
{
    if (!module || !tensor)
        return false;
    char *copy = ursa_copy_string(name);
    struct own_tensor *grown =
        copy ? ursa_grow(module->tensors, (size_t)(module->tensor_count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(copy);
        return false;
    }
    module->tensors = grown;
    grown[module->tensor_count++] = (struct own_tensor){copy, ursa_keep(tensor), is_buffer};
    tree_changed(module);
    return true;
}

bool ursa_module_add_parameter(ursa_module *module, const char *name, ursa_tensor *tensor)
{
    return add_tensor(module, name, ursa_requires_grad(tensor, true), false);
}

bool ursa_module_add_buffer(ursa_module *module, const char *name, ursa_tensor *tensor)
{
    return add_tensor(module, name, tensor, true);
}

/* Adds a tensor that the current scope need not hold any longer. */
static ursa_tensor *adopt(ursa_module *module, const char *name, ursa_tensor *tensor, bool is_buffer)
{
    if (!tensor)
        return NULL;
    if (!is_buffer && !ursa_requires_grad(tensor, true))
        return NULL;
    return add_tensor(module, name, tensor, is_buffer) ? tensor : NULL;
}

ursa_tensor *ursa_module_new_parameter(ursa_module *module, const char *name, ursa_dims shape)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *tensor = adopt(module, name, ursa_empty(shape), false);
    ursa_scope_end(scope);
    return tensor;
}

ursa_tensor *ursa_module_filled_parameter(ursa_module *module, const char *name, ursa_dims shape, double value)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *tensor = adopt(module, name, ursa_full(shape, value), false);
    ursa_scope_end(scope);
    return tensor;
}

ursa_tensor *ursa_module_filled_buffer(ursa_module *module, const char *name, ursa_dims shape, double value)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *tensor = adopt(module, name, ursa_full(shape, value), true);
    ursa_scope_end(scope);
    return tensor;
}

void ursa_module_mark_norm(ursa_module *module)
{
    module->is_norm = true;
}

/* ---- children ----------------------------------------------------------- */

bool ursa_module_add_child(ursa_module *module, const char *name, ursa_module *child)
{
    if (!module || !child) {
        ursa_module_free(child);
        return false;
    }
    ursa_module **grown = ursa_grow(module->children, (size_t)(module->child_count + 1) * sizeof *grown);
    if (grown)
        module->children = grown;
    if (!grown || (name && !ursa_named(name, child))) {
        ursa_module_free(child);
        return false;
    }
    grown[module->child_count++] = child;
    child->parent = module;
    tree_changed(module);
    return true;
}

ursa_module *ursa_named(const char *name, ursa_module *module)
{
    if (!module)
        return NULL;
    char *copy = ursa_copy_string(name);
    if (!copy)
        return NULL;
    free(module->name);
    module->name = copy;
    tree_changed(module);
    return module;
}

void ursa_module_drop_children(ursa_module *module, int keep)
{
    while (module->child_count > keep)
        ursa_module_free(module->children[--module->child_count]);
    tree_changed(module);
}

int ursa_children(const ursa_module *module)
{
    return module ? module->child_count : 0;
}

ursa_module *ursa_child(const ursa_module *module, int index)
{
    return module && index >= 0 && index < module->child_count ? module->children[index] : NULL;
}

const char *ursa_module_name(const ursa_module *module)
{
    return module && module->name ? module->name : "";
}

bool ursa_module_is_named(const ursa_module *module)
{
    return module->name;
}

const char *ursa_module_kind(const ursa_module *module)
{
    return module ? module->class->kind : "";
}

const char *ursa_module_describe(ursa_module *module)
{
    if (!module)
        return "";
    if (!module->class->describe)
        return module->class->kind;
    char text[256] = "";
    module->class->describe(module, module->state, text, sizeof text);
    free(module->description);
    module->description = ursa_copy_string(text);
    return module->description ? module->description : module->class->kind;
}

/* ---- running ------------------------------------------------------------ */

static _Thread_local struct {
    ursa_forward_watch *tell;
    void *context;
} watch;

void ursa_watch_forward(ursa_forward_watch *tell, void *context)
{
    watch.tell = tell;
    watch.context = context;
}

bool ursa_forward_is_watched(void)
{
    return watch.tell;
}

ursa_tensor *ursa_forward(ursa_module *module, ursa_tensor *x)
{
    if (!module || !x)
        return NULL;
    ursa_tensor *y = module->class->forward(module, module->state, x);
    if (y && watch.tell)
        watch.tell(watch.context, module, y);
    return y;
}

void ursa_train_mode(ursa_module *module, bool training)
{
    if (!module)
        return;
    module->training = training;
    for (int i = 0; i < module->child_count; i++)
        ursa_train_mode(module->children[i], training);
}

bool ursa_is_training(const ursa_module *module)
{
    return module && module->training;
}

/* ---- the list of parameters ------------------------------------------------- */

/* "prefix.name", where neither half may be empty to get the dot. */
static char *join(const char *prefix, const char *name)
{
    return ursa_format("%s%s%s", prefix, *prefix && *name ? "." : "", name);
}

static int count_tensors(const ursa_module *module)
{
    int count = module->tensor_count;
    for (int i = 0; i < module->child_count; i++)
        count += count_tensors(module->children[i]);
    return count;
}

static bool collect(ursa_module *root, ursa_module *module, const char *prefix)
{
    for (int i = 0; i < module->tensor_count; i++) {
        const struct own_tensor *own = &module->tensors[i];
        char *name = join(prefix, own->name);
        if (!name)
            return false;
        root->list[root->list_count++] = (ursa_parameter){
            .name = name,
            .tensor = own->tensor,
            .is_buffer = own->is_buffer,
            .is_norm_or_bias = module->is_norm || strcmp(own->name, "bias") == 0,
            .owner = module,
        };
    }
    for (int i = 0; i < module->child_count; i++) {
        char *path = join(prefix, ursa_module_name(module->children[i]));
        bool done = path && collect(root, module->children[i], path);
        free(path);
        if (!done)
            return false;
    }
    return true;
}

int ursa_parameters(ursa_module *module, const ursa_parameter **list)
{
    if (!module)
        return -1;
    if (!module->list) {
        int count = count_tensors(module);
        module->list = ursa_alloc_array((size_t)count + 1, sizeof *module->list);
        if (!module->list || !collect(module, module, "")) {
            drop_list(module);
            return -1;
        }
    }
    if (list)
        *list = module->list;
    return module->list_count;
}

int64_t ursa_parameter_count(ursa_module *module)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    int64_t numbers = 0;
    for (int i = 0; i < count; i++)
        numbers += list[i].is_buffer ? 0 : ursa_count(list[i].tensor);
    return numbers;
}

ursa_tensor *ursa_find_parameter(ursa_module *module, const char *name)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].tensor;
    return NULL;
}

void ursa_module_zero_grad(ursa_module *module)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    for (int i = 0; i < count; i++)
        ursa_zero_grad(list[i].tensor);
}

void ursa_module_requires_grad(ursa_module *module, bool required)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    for (int i = 0; i < count; i++)
        if (!list[i].is_buffer)
            ursa_requires_grad(list[i].tensor, required);
}
