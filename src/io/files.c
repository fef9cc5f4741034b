/* files.c — folders and paths. */
#include "files.h"
#include "base/log.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that a path is in; to free(). */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? ursa_format("%.*s", slash == path ? 1 : (int)(slash - path), path) : ursa_copy_string(".");
}

void ursa_sync_folder_of(const char *path)
{
    char *folder = folder_of(path);
    int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

bool ursa_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int64_t ursa_file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? (int64_t)status.st_size : -1;
}

bool ursa_make_folders(const char *path)
{
    char *part = ursa_copy_string(path);
    bool made = part;
    for (char *c = part; made && *c; c++) {
        bool last = !c[1];
        if (!last && (c == part || *c != '/'))
            continue;
        char kept = last ? 0 : *c;
        if (!last)
            *c = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            made = ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", part, strerror(errno));
        if (!last)
            *c = kept;
    }
    free(part);
    if (made && !ursa_is_folder(path))
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be made: a file has its name", path);
    return made;
}

bool ursa_make_folder_of(const char *path)
{
    char *folder = folder_of(path);
    bool made = folder && ursa_make_folders(folder);
    free(folder);
    return made;
}

/* Removes what is in an open folder, whose descriptor it closes. */
static bool empty_folder(int descriptor)
{
    DIR *folder = fdopendir(descriptor);
    if (!folder) {
        close(descriptor);
        return false;
    }
    bool emptied = true;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(dirfd(folder), name, 0) == 0)
            continue;
        int below = openat(dirfd(folder), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        emptied = below >= 0 && empty_folder(below) && unlinkat(dirfd(folder), name, AT_REMOVEDIR) == 0 && emptied;
    }
    closedir(folder);
    return emptied;
}

bool ursa_remove_tree(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 && empty_folder(folder) && rmdir(path) == 0)
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be removed: %s", path, strerror(errno));
}

char *ursa_home_folder(void)
{
    const char *given = getenv("URSA_HOME"), *home = getenv("HOME");
    if (given && *given)
        return ursa_copy_string(given);
    struct passwd *user = home && *home ? NULL : getpwuid(getuid());
    home = user ? user->pw_dir : home;
    if (home && *home)
        return ursa_format("%s/.ursa", home);
    ursa_fail(URSA_ERROR_STATE, "there is no home folder to keep data in; set URSA_HOME to a folder");
    return NULL;
}

const char *ursa_size_text(int64_t bytes, char text[URSA_SIZE_TEXT])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes / 1000;
    int unit = 0;
    while (size >= 999.95 && unit < 5) {
        size /= 1000;
        unit++;
    }
    if (bytes < 1000)
        snprintf(text, URSA_SIZE_TEXT, "%lld byte%s", (long long)bytes, bytes == 1 ? "" : "s");
    else
        snprintf(text, URSA_SIZE_TEXT, "%.1f %s", size, units[unit]);
    return text;
}

/* ---- locks ---------------------------------------------------------------------------- */

static char *lock_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return ursa_format("%.*s.%s.lock", (int)(name - path), path, name);
}

/* Whether the file that was locked is still the one of that name: who held the lock may have removed it. */
static bool still_there(int lock, const char *name)
{
    struct stat held, named;
    return fstat(lock, &held) == 0 && stat(name, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static int wait_for_lock(const char *name, const char *path)
{
    bool said = false;
    while (true) {
        int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock < 0) {
            ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", name, strerror(errno));
            return -1;
        }
        if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
            if (!said)
                ursa_log_line(URSA_LOG_WARN, "%s: waiting for another process that works on it", path);
            said = true;
            flock(lock, LOCK_EX);
        }
        if (still_there(lock, name))
            return lock;
        close(lock);
    }
}

int ursa_lock_path(const char *path)
{
    char *name = lock_name(path);
    int lock = name ? wait_for_lock(name, path) : -1;
    free(name);
    return lock;
}

void ursa_unlock_path(int lock, const char *path)
{
    if (lock < 0)
        return;
    char *name = lock_name(path);
    if (name)
        unlink(name);
    free(name);
    close(lock);
}
