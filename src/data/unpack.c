/* unpack.c — an archive into a folder, all at once at the end. */
#include "unpack.h"
#include "base/memory.h"
#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USUAL_RATIO = 200, MOST_ENTRIES = 10000000 };
static const int64_t ROOM = 256000000; /* beside the ratio: small archives may well grow a lot */

/* ---- from the folder beside to the one meant ------------------------------------------ */

static bool move_content(int from, int to, const char *shown);

static bool cannot_move(const char *folder, const char *name)
{
    return ursa_fail(URSA_ERROR_IO, "%s: \"%s\" cannot be put there: %s", folder, ursa_unpack_shown(name),
                     strerror(errno));
}

/* Folders that are there on both sides become one; everything else is replaced. */
static bool move_entry(int from, int to, const char *name, const char *shown)
{
    if (renameat(from, name, to, name) == 0)
        return true;
    int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int target = source >= 0 ? openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool moved = target >= 0 ? move_content(source, target, shown) : cannot_move(shown, name);
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    return moved;
}

static bool move_content(int from, int to, const char *shown)
{
    int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again >= 0 ? fdopendir(again) : NULL;
    if (!folder) {
        if (again >= 0)
            close(again);
        return cannot_move(shown, ".");
    }
    bool moved = true;
    for (struct dirent *entry; moved && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            moved = move_entry(from, to, entry->d_name, shown);
    closedir(folder);
    return moved;
}

static bool merge(const char *beside, const char *folder)
{
    int from = open(beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int to = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool merged = from >= 0 && to >= 0 ? move_content(from, to, folder) : cannot_move(folder, ".");
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return merged && ursa_remove_tree(beside);
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool fill(const char *archive, const char *folder, const ursa_unpack_options *options)
{
    int64_t bytes = ursa_file_bytes(archive);
    if (bytes < 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", archive,
                         ursa_is_folder(archive) ? "it is a folder; expected an archive" : strerror(ENOENT));
    ursa_unpacking unpacking = {
        .archive = archive,
        .most_bytes = options->most_bytes ? options->most_bytes : USUAL_RATIO * bytes + ROOM,
        .most_entries = options->most_entries ? options->most_entries : MOST_ENTRIES,
        .root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };
    if (unpacking.root < 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", folder, strerror(errno));
    const char *slash = strrchr(archive, '/');
    bool filled = ursa_unpack_all(&unpacking, options->label ? options->label : slash ? slash + 1 : archive);
    close(unpacking.root);
    return filled;
}

/* A folder without slashes at its end, so that another can stand beside it; to free(). */
static char *trimmed(const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    return ursa_format("%.*s", (int)length, folder);
}

/* Fills a folder beside and puts it, or what is in it, in place. */
static bool unpack_beside(const char *archive, const char *folder, const ursa_unpack_options *options)
{
    char *beside = ursa_is_folder(folder) ? ursa_format("%s/.unpacking-XXXXXX", folder)
                                          : ursa_format("%s.unpacking-XXXXXX", folder);
    if (!beside || !ursa_make_folder_of(beside)) {
        free(beside);
        return false;
    }
    bool made = mkdtemp(beside) && chmod(beside, 0755) == 0;
    if (!made)
        ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", beside, strerror(errno));
    bool done = made && fill(archive, beside, options);
    if (done && !(rename(beside, folder) == 0 || merge(beside, folder)))
        done = ursa_fail(URSA_ERROR_IO, "%s: cannot be put in place: %s", folder, strerror(errno));
    if (made && !done)
        ursa_remove_tree(beside);
    if (done)
        ursa_sync_folder_of(folder);
    free(beside);
    return done;
}

bool ursa_unpack_opt(const char *archive, const char *folder, const ursa_unpack_options *options)
{
    if (!archive || !folder)
        return false;
    char *target = trimmed(folder);
    bool done = target && unpack_beside(archive, target, options);
    free(target);
    return done;
}
