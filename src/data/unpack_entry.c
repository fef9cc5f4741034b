/* unpack_entry.c — making the entries of an archive, inside one folder and nowhere else.
 *
 * Every name is walked from the folder's descriptor, component by component, without
 * following links. A link may be made when it leads to the inside: its target must go
 * up first and then only down, and no further up than the top folder its name is in.
 * Since the way to a link has no links in it, such a target stays inside, whatever
 * other links it meets on the way down. */
#include "unpack.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 64, BLOCK = 4096, LONGEST_NAME = 4096 };

const char *ursa_unpack_shown(const char *name)
{
    static _Thread_local char shown[120];
    size_t length = 0;
    for (; *name && length < sizeof shown - 1; name++)
        shown[length++] = (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name;
    shown[length] = 0;
    return shown;
}

static bool refuse(const ursa_unpacking *unpacking, const char *name, const char *why)
{
    return ursa_fail(URSA_ERROR_FORMAT, "%s: refused: \"%s\" %s", unpacking->archive, ursa_unpack_shown(name), why);
}

static bool failed(const ursa_unpacking *unpacking, const char *name)
{
    const char *reason = strerror(errno);
    return ursa_fail(URSA_ERROR_IO, "%s: \"%s\" cannot be unpacked: %s", unpacking->archive, ursa_unpack_shown(name),
                     reason);
}

/* ---- names ------------------------------------------------------------------------------ */

bool ursa_unpack_name(const ursa_unpacking *unpacking, const char *name, char *clean)
{
    int depth = 0;
    char *to = clean;
    const char *rest = name;
    if (*name == '/')
        return refuse(unpacking, name, "is an absolute name");
    if (strlen(name) >= LONGEST_NAME)
        return refuse(unpacking, name, "… is too long a name");
    while (*rest) {
        size_t length = strcspn(rest, "/");
        if (length == 2 && memcmp(rest, "..", 2) == 0)
            return refuse(unpacking, name, "leads out of the archive's folder (..)");
        if (length && !(length == 1 && *rest == '.')) {
            if (++depth > DEEPEST)
                return refuse(unpacking, name, "is in too many folders");
            if (to != clean)
                *to++ = '/';
            to = mempcpy(to, rest, length);
        }
        rest += length + (rest[length] == '/');
    }
    *to = 0;
    return true;
}

static int depth_of(const char *clean)
{
    int depth = 0;
    for (; *clean; clean++)
        depth += *clean == '/';
    return depth;
}

/* Whether a link of that name may have that target. */
static bool stays_inside(const char *name, const char *target)
{
    int up = 0;
    bool down = false;
    if (*target == '/' || !*target)
        return false;
    while (*target) {
        size_t length = strcspn(target, "/");
        bool parent = length == 2 && memcmp(target, "..", 2) == 0;
        if (parent && down)
            return false;
        up += parent;
        down = down || (!parent && length && !(length == 1 && *target == '.'));
        target += length + (target[length] == '/');
    }
    return up == 0 || up < depth_of(name);
}

/* ---- the way to an entry ------------------------------------------------------------------ */

static int open_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, 0777) != 0 && errno != EEXIST)
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder that an entry is in, making what is missing; `last` is the rest of the name. */
static int open_parent(const ursa_unpacking *unpacking, const char *name, const char **last)
{
    int folder = dup(unpacking->root);
    const char *slash;
    while (folder >= 0 && (slash = strchr(name, '/'))) {
        char part[LONGEST_NAME];
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        int below = open_folder(folder, part);
        int reason = errno;
        close(folder);
        errno = reason;
        folder = below;
        name = slash + 1;
    }
    *last = name;
    return folder;
}

bool ursa_unpack_folder(ursa_unpacking *unpacking, const char *name)
{
    const char *last;
    int parent = *name ? open_parent(unpacking, name, &last) : dup(unpacking->root);
    int folder = parent >= 0 && *name ? open_folder(parent, last) : parent;
    bool made = folder >= 0 || failed(unpacking, name);
    if (folder >= 0 && folder != parent)
        close(folder);
    if (parent >= 0)
        close(parent);
    return made;
}

/* The last entry of a name counts: what is there of that name is removed, unless it is a folder. */
static bool make_room(int parent, const char *last)
{
    return unlinkat(parent, last, 0) == 0 || errno == ENOENT;
}

int ursa_unpack_file(ursa_unpacking *unpacking, const char *name, bool executable)
{
    const char *last = "";
    int parent = open_parent(unpacking, name, &last), file = -1;
    if (parent >= 0 && make_room(parent, last))
        file = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, executable ? 0777 : 0666);
    if (file < 0)
        failed(unpacking, name);
    if (parent >= 0)
        close(parent);
    return file;
}

bool ursa_unpack_symlink(ursa_unpacking *unpacking, const char *name, const char *target)
{
    const char *last = "";
    if (!stays_inside(name, target))
        return refuse(unpacking, name, "is a link that leads out of the archive's folder");
    int parent = open_parent(unpacking, name, &last);
    bool made =
        (parent >= 0 && make_room(parent, last) && symlinkat(target, parent, last) == 0) || failed(unpacking, name);
    if (parent >= 0)
        close(parent);
    return made;
}

/* ---- content -------------------------------------------------------------------------------- */

static bool within_limit(ursa_unpacking *unpacking, int64_t more)
{
    if (more <= unpacking->most_bytes - unpacking->bytes) {
        unpacking->bytes += more;
        return true;
    }
    return ursa_fail(URSA_ERROR_FORMAT,
                     "%s: refused: it unpacks to more than %lld MB, the limit for an archive of its size; if it is "
                     "meant to, unpack it with a higher limit (most_bytes)",
                     unpacking->archive, (long long)(unpacking->most_bytes / 1000000));
}

bool ursa_unpack_count(ursa_unpacking *unpacking)
{
    if (unpacking->entries++ >= unpacking->most_entries)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: refused: it has more than %lld entries", unpacking->archive,
                         (long long)unpacking->most_entries);
    return within_limit(unpacking, BLOCK);
}

bool ursa_unpack_write(ursa_unpacking *unpacking, int file, const void *data, size_t bytes)
{
    const char *from = data;
    if (!within_limit(unpacking, (int64_t)bytes))
        return false;
    while (bytes) {
        ssize_t written = write(file, from, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ursa_fail(URSA_ERROR_IO, "%s: cannot be unpacked: %s", unpacking->archive, strerror(errno));
        from += written;
        bytes -= (size_t)written;
    }
    return true;
}

static bool copy_content(ursa_unpacking *unpacking, int from, int to, const char *name)
{
    char buffer[1 << 14];
    ssize_t got;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        if (!ursa_unpack_write(unpacking, to, buffer, (size_t)got))
            return false;
    return got == 0 || failed(unpacking, name);
}

bool ursa_unpack_copy(ursa_unpacking *unpacking, const char *name, const char *of)
{
    const char *last = "";
    struct stat status;
    if (strcmp(name, of) == 0)
        return true;
    int parent = open_parent(unpacking, of, &last);
    int from = parent >= 0 ? openat(parent, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    bool regular = from >= 0 && fstat(from, &status) == 0 && S_ISREG(status.st_mode);
    int to = regular ? ursa_unpack_file(unpacking, name, status.st_mode & 0100) : -1;
    bool copied = to >= 0 && copy_content(unpacking, from, to, name);
    if (!regular)
        refuse(unpacking, name, "is a link to what is no file of the archive");
    if (to >= 0 && close(to) != 0 && copied)
        copied = failed(unpacking, name);
    if (from >= 0)
        close(from);
    if (parent >= 0)
        close(parent);
    return copied;
}
