/* untar.c — a data set by its name: downloaded and unpacked, unless it is there. */
#include "base/memory.h"
#include "io/files.h"

#include <ursa/download.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A data set on its way. */
struct delivery {
    const ursa_untar_options *options;
    const ursa_data_source *source; /* NULL for an address or an archive on disk */
    const char *address;            /* NULL for a source or an archive on disk */
    char *parent, *folder;          /* where it goes: parent/name */
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "oxford-iiit-pet.tgz" without its ending, and without a query; to free(). */
static char *stem_of(const char *path)
{
    static const char *const endings[] = {".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tgz",
                                          ".tbz2",   ".txz",     ".tar",    ".zip",     ".gz"};
    size_t whole = strcspn(path, "?#");
    char *name = ursa_format("%.*s", (int)whole, path), *stem = name ? ursa_copy_string(last_part(name)) : NULL;
    free(name);
    size_t length = stem ? strlen(stem) : 0;
    for (size_t i = 0; stem && i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (length > end && strcasecmp(stem + length - end, endings[i]) == 0) {
            stem[length - end] = 0;
            break;
        }
    }
    return stem;
}

static bool has_many_files(const ursa_data_source *source)
{
    return source->files[1].name;
}

/* A source of several files has a folder of its own name; "fashion_mnist". */
static char *folder_name(const ursa_data_source *source)
{
    if (!has_many_files(source))
        return stem_of(source->files[0].name);
    char *name = ursa_copy_string(source->name);
    for (char *c = name; c && *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    return name;
}

static char *parent_folder(const char *to)
{
    if (to && *to)
        return ursa_copy_string(to);
    char *home = ursa_home_folder(), *parent = home ? ursa_format("%s/data", home) : NULL;
    free(home);
    return parent;
}

char *ursa_data_source_folder(const ursa_data_source *source, const char *to)
{
    if (!source)
        return NULL;
    char *parent = parent_folder(to), *name = folder_name(source);
    char *folder = parent && name ? ursa_format("%s/%s", parent, name) : NULL;
    free(parent);
    free(name);
    if (folder && ursa_is_folder(folder))
        return folder;
    free(folder);
    return NULL;
}

/* ---- unpacking ------------------------------------------------------------------------- */

/* The only thing in a folder, when it is a folder; to free(). */
static char *only_folder(const char *path)
{
    DIR *folder = opendir(path);
    char *only = NULL;
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        free(only);
        only = ursa_format("%s/%s", path, entry->d_name);
        count++;
    }
    if (folder)
        closedir(folder);
    if (count == 1 && only && ursa_is_folder(only))
        return only;
    free(only);
    return NULL;
}

/* An archive of one folder becomes that folder; of many things, a folder with them. */
static bool settle(const char *beside, const char *folder)
{
    char *only = only_folder(beside);
    bool settled = rename(only ? only : beside, folder) == 0 ||
                   ursa_fail(URSA_ERROR_IO, "%s: cannot be put in place: %s", folder, strerror(errno));
    if (only && settled)
        rmdir(beside);
    free(only);
    if (settled)
        ursa_sync_folder_of(folder);
    return settled;
}

/* With a lock held, so what stands there under the name used meanwhile is left from a process that was killed. */
static bool unpack_to(const struct delivery *delivery, const char *archive)
{
    char *beside = ursa_format("%s.incomplete", delivery->folder);
    bool done = beside && ursa_remove_tree(beside) && ursa_make_folders(beside) && ursa_unpack(archive, beside) &&
                (!delivery->options->force || ursa_remove_tree(delivery->folder)) && settle(beside, delivery->folder);
    if (beside && !done)
        ursa_remove_tree(beside);
    free(beside);
    return done;
}

/* ---- downloading -------------------------------------------------------------------------- */

static const char *base_of(const struct delivery *delivery)
{
    const char *variable = getenv("URSA_DATA_URL");
    return delivery->options->base ? delivery->options->base
           : variable && *variable ? variable
                                   : delivery->source->base;
}

/* The address of a file of the source. Another base has a folder for what comes in several files. */
static char *address_of(const struct delivery *delivery, int file)
{
    const char *base = base_of(delivery), *name = delivery->source->files[file].name;
    bool slash = *base && base[strlen(base) - 1] == '/';
    if (base == delivery->source->base || !has_many_files(delivery->source))
        return ursa_format("%s%s%s", base, slash ? "" : "/", name);
    char *folder = folder_name(delivery->source);
    char *address = folder ? ursa_format("%s%s%s/%s", base, slash ? "" : "/", folder, name) : NULL;
    free(folder);
    return address;
}

static bool bring_file(const struct delivery *delivery, int file, const char *path)
{
    const ursa_data_source *source = delivery->source;
    char *address = address_of(delivery, file);
    char *label =
        has_many_files(source) ? ursa_format("%s %d of 4", source->name, file + 1) : ursa_copy_string(source->name);
    bool brought = address && label &&
                   ursa_download(address, path, .bytes = source->files[file].bytes, .md5 = source->files[file].md5,
                                 .md5_mib = source->files[file].md5_mib, .label = label);
    free(address);
    free(label);
    return brought;
}

/* Some files, which are the data set. */
static bool deliver_files(const struct delivery *delivery)
{
    char *beside = ursa_format("%s.incomplete", delivery->folder);
    bool done = beside && ursa_make_folders(beside);
    for (int i = 0; done && i < URSA_DATA_FILES && delivery->source->files[i].name; i++) {
        char *path = ursa_format("%s/%s", beside, delivery->source->files[i].name);
        done = path && bring_file(delivery, i, path);
        free(path);
    }
    done = done && (!delivery->options->force || ursa_remove_tree(delivery->folder));
    if (done && rename(beside, delivery->folder) != 0)
        done = ursa_fail(URSA_ERROR_IO, "%s: cannot be put in place: %s", delivery->folder, strerror(errno));
    free(beside);
    return done;
}

/* One archive, from a source or an address. */
static bool deliver_archive(const struct delivery *delivery)
{
    const char *from = delivery->source ? delivery->source->files[0].name : last_part(delivery->address);
    char *path = ursa_format("%s/%.*s", delivery->parent, (int)strcspn(from, "?#"), from);
    bool brought =
        path && (delivery->source ? bring_file(delivery, 0, path)
                                  : ursa_download(delivery->address, path, .sha256 = delivery->options->sha256,
                                                  .bytes = delivery->options->bytes));
    bool done = brought && unpack_to(delivery, path);
    if (done && !delivery->options->keep_archive)
        unlink(path);
    free(path);
    return done;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool deliver(const struct delivery *delivery, const char *name)
{
    if (!delivery->options->force && ursa_is_folder(delivery->folder))
        return true;
    if (delivery->source && has_many_files(delivery->source))
        return deliver_files(delivery);
    return delivery->source || delivery->address ? deliver_archive(delivery) : unpack_to(delivery, name);
}

static bool deliver_locked(const struct delivery *delivery, const char *name)
{
    int lock = ursa_make_folders(delivery->parent) ? ursa_lock_path(delivery->folder) : -1;
    bool delivered = lock >= 0 && deliver(delivery, name);
    ursa_unlock_path(lock, delivery->folder);
    return delivered;
}

char *ursa_untar_data_opt(const char *name, const ursa_untar_options *options)
{
    if (!name)
        return NULL;
    struct delivery delivery = {.options = options};
    if (strstr(name, "://"))
        delivery.address = name;
    else if (ursa_file_bytes(name) < 0 && !(delivery.source = ursa_data_source_find(name)))
        return NULL;
    char *stem = delivery.source ? folder_name(delivery.source) : stem_of(name);
    if (stem && (!*stem || *stem == '.'))
        ursa_fail(URSA_ERROR_ARGUMENT, "untar_data: \"%s\" ends without the name of a file", name);
    else if (stem && (delivery.parent = parent_folder(options->to)))
        delivery.folder = ursa_format("%s/%s", delivery.parent, stem);
    bool delivered = delivery.folder && deliver_locked(&delivery, name);
    free(stem);
    free(delivery.parent);
    if (delivered)
        return delivery.folder;
    free(delivery.folder);
    return NULL;
}
