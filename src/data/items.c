/* items.c — finding items: files in folders, rows of a table, lists. */
#include "datablock.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 64 };

const char *const ursa_image_extensions[] = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", NULL};

/* ---- lists of names ------------------------------------------------------------- */

int ursa_vocab_count(const char *const *vocab)
{
    int count = 0;
    while (vocab && vocab[count])
        count++;
    return count;
}

void ursa_names_free(const char *const *names)
{
    for (int i = 0; names && names[i]; i++)
        free((char *)names[i]);
    free((void *)names);
}

const char *const *ursa_names_copy(const char *const *names)
{
    int count = ursa_vocab_count(names);
    const char **copy = names ? ursa_alloc_array((size_t)count + 1, sizeof *copy) : NULL;
    for (int i = 0; copy && i < count; i++)
        if (!(copy[i] = ursa_copy_string(names[i]))) {
            ursa_names_free(copy);
            return NULL;
        }
    return copy;
}

static bool is_among(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* ---- the list --------------------------------------------------------------------- */

static void free_item(ursa_data_item *item)
{
    free((char *)item->path);
    free((char *)item->label);
}

void ursa_item_list_clear(ursa_item_list *list)
{
    for (int64_t i = 0; i < list->count; i++)
        free_item(&list->items[i]);
    free(list->items);
    free(list->root);
    if (list->free_memory)
        list->free_memory(list->memory);
    *list = (ursa_item_list){0};
}

bool ursa_item_list_add(ursa_item_list *list, const ursa_data_item *item)
{
    if (list->count == list->capacity) {
        int64_t capacity = list->capacity ? 2 * list->capacity : 64;
        ursa_data_item *grown = ursa_grow(list->items, (size_t)capacity * sizeof *grown);
        if (!grown)
            return false;
        list->items = grown;
        list->capacity = capacity;
    }
    ursa_data_item copy = *item;
    copy.root = list->root;
    copy.path = item->path ? ursa_copy_string(item->path) : NULL;
    copy.label = item->label ? ursa_copy_string(item->label) : NULL;
    if ((item->path && !copy.path) || (item->label && !copy.label)) {
        free_item(&copy);
        return false;
    }
    list->items[list->count++] = copy;
    return true;
}

char *ursa_item_name(const ursa_data_item *item)
{
    if (item->path)
        return ursa_copy_string(item->path);
    if (item->frame)
        return ursa_format("row %lld", (long long)item->row + 1);
    return ursa_copy_string("an item in memory");
}

/* ---- files --------------------------------------------------------------------------- */

static bool has_extension(const char *name, const char *const *extensions)
{
    const char *dot = strrchr(name, '.');
    if (!extensions)
        return true;
    for (int i = 0; dot && extensions[i]; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

static bool walk(const ursa_lister *lister, const char *folder, int depth, ursa_item_list *list);

/* One entry of a folder, a file or a folder itself. */
static bool visit(const ursa_lister *lister, const char *folder, const char *name, int depth, ursa_item_list *list)
{
    size_t length = strlen(folder);
    char *path = ursa_format(length && folder[length - 1] == '/' ? "%s%s" : "%s/%s", folder, name);
    struct stat status;
    bool fine = path;
    if (path && stat(path, &status) == 0) {
        bool chosen = depth > 0 || !lister->folders;
        if (S_ISDIR(status.st_mode))
            fine = lister->not_recursive || !(chosen || is_among(lister->folders, name)) ||
                   walk(lister, path, depth + 1, list);
        else if (S_ISREG(status.st_mode) && chosen && has_extension(name, lister->extensions))
            fine = ursa_item_list_add(list, &(ursa_data_item){.path = path});
    }
    free(path);
    return fine;
}

static bool walk(const ursa_lister *lister, const char *folder, int depth, ursa_item_list *list)
{
    if (depth > DEEPEST)
        return ursa_fail(URSA_ERROR_IO,
                         "%s: folders are nested more than %d deep; is one a link to a folder around it?", folder,
                         DEEPEST);
    DIR *open = opendir(folder);
    if (!open)
        return ursa_fail(errno == ENOTDIR ? URSA_ERROR_ARGUMENT : URSA_ERROR_IO, "%s: cannot be read as a folder: %s",
                         folder, strerror(errno));
    bool fine = true;
    for (struct dirent *entry; fine && (entry = readdir(open));)
        fine = entry->d_name[0] == '.' || visit(lister, folder, entry->d_name, depth, list);
    closedir(open);
    return fine;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const ursa_data_item *)a)->path, ((const ursa_data_item *)b)->path);
}

static char *extensions_text(const char *const *extensions)
{
    char *text = ursa_copy_string("");
    for (int i = 0; text && extensions[i]; i++) {
        char *longer = ursa_format("%s%s%s", text, i ? ", " : "", extensions[i]);
        free(text);
        text = longer;
    }
    return text;
}

bool ursa_list_files(const ursa_lister *lister, const ursa_source *source, ursa_item_list *list)
{
    if (!source->path)
        return ursa_fail(URSA_ERROR_ARGUMENT, "get_files: the source has no path");
    if (!walk(lister, source->path, 0, list))
        return false;
    if (list->count == 0 && lister->extensions) {
        char *wanted = extensions_text(lister->extensions);
        ursa_fail(URSA_ERROR_ARGUMENT, "%s: no %s: expected names that end in %s", source->path, lister->name,
                  wanted ? wanted : "");
        free(wanted);
        return false;
    }
    if (list->count > 1)
        qsort(list->items, (size_t)list->count, sizeof *list->items, by_path);
    return list->count > 0 || ursa_fail(URSA_ERROR_ARGUMENT, "%s: no files", source->path);
}

/* ---- other sources -------------------------------------------------------------------- */

bool ursa_list_by_function(const ursa_lister *lister, const ursa_source *source, ursa_item_list *list)
{
    return lister->function(lister->context, source, list);
}

static bool list_rows(const ursa_source *source, ursa_item_list *list)
{
    int64_t rows = ursa_frame_rows(source->frame);
    for (int64_t row = 0; row < rows; row++)
        if (!ursa_item_list_add(list, &(ursa_data_item){.frame = source->frame, .row = row}))
            return false;
    return rows > 0 || ursa_fail(URSA_ERROR_ARGUMENT, "the frame has no rows");
}

static bool list_given(const ursa_source *source, ursa_item_list *list)
{
    for (int64_t i = 0; i < source->count; i++)
        if (!ursa_item_list_add(list, &source->items[i]))
            return false;
    return true;
}

bool ursa_items_find(const ursa_datablock *block, const ursa_source *source, ursa_item_list *list)
{
    const ursa_lister *lister = &block->options.get_items;
    const ursa_lister images = ursa_get_image_files;
    const ursa_block_class *input = block->options.blocks[0].class;
    *list = (ursa_item_list){.memory = source->memory, .free_memory = source->free_memory};
    list->root = ursa_copy_string(source->path ? source->path : "");
    if (!list->root)
        return false;
    if (source->items)
        return list_given(source, list);
    if (lister->list)
        return lister->list(lister, source, list);
    if (source->frame)
        return list_rows(source, list);
    if (input && input->kind == URSA_KIND_IMAGE && source->path)
        return images.list(&images, source, list);
    return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: get_items is needed to find items in %s",
                     source->path ? source->path : "a source without a path");
}
