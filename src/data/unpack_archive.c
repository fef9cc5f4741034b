/* unpack_archive.c — going through an archive with libarchive. */
#include "unpack.h"
#include "base/memory.h"
#include "io/files.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, LONGEST_NAME = 4096 };

static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length >= end && strcasecmp(name + length - end, ending) == 0;
}

/* One compressed file that is no archive: "x.csv.gz", but not "x.tar.gz". */
static bool is_single_file(const char *archive)
{
    return has_ending(archive, ".gz") && !has_ending(archive, ".tar.gz");
}

/* No more formats than data sets come in: each is a reader of foreign files. */
static struct archive *open_archive(const char *path)
{
    struct archive *archive = archive_read_new();
    if (!archive) {
        ursa_fail(URSA_ERROR_MEMORY, "%s: libarchive could not be started", path);
        return NULL;
    }
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    if (is_single_file(path)) {
        archive_read_support_format_raw(archive);
    } else {
        archive_read_support_format_tar(archive);
        archive_read_support_format_zip(archive);
    }
    if (archive_read_open_filename(archive, path, BLOCK) == ARCHIVE_OK)
        return archive;
    ursa_fail(URSA_ERROR_FORMAT, "%s: no archive that can be unpacked (tar, zip, gz): %s", path,
              archive_error_string(archive));
    archive_read_free(archive);
    return NULL;
}

/* The name in UTF-8 where the archive says so, else its bytes as they are. */
static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    return name ? name : archive_entry_pathname(entry);
}

static const char *link_of(struct archive_entry *entry, bool symbolic)
{
    const char *target = symbolic ? archive_entry_symlink_utf8(entry) : archive_entry_hardlink_utf8(entry);
    return target ? target : symbolic ? archive_entry_symlink(entry) : archive_entry_hardlink(entry);
}

static bool damaged(const ursa_unpacking *unpacking, struct archive *archive)
{
    const char *reason = archive_error_string(archive);
    return ursa_fail(URSA_ERROR_FORMAT, "%s: damaged or cut short: %s", unpacking->archive, reason ? reason : "?");
}

static bool write_file(ursa_unpacking *unpacking, struct archive *archive, int file)
{
    char buffer[BLOCK];
    la_ssize_t got;
    while ((got = archive_read_data(archive, buffer, sizeof buffer)) != 0) {
        if (got == ARCHIVE_RETRY || got == ARCHIVE_WARN)
            continue;
        if (got < 0)
            return damaged(unpacking, archive);
        if (!ursa_unpack_write(unpacking, file, buffer, (size_t)got))
            return false;
    }
    return true;
}

static bool unpack_file(ursa_unpacking *unpacking, struct archive *archive, struct archive_entry *entry,
                        const char *name)
{
    int file = ursa_unpack_file(unpacking, name, archive_entry_perm(entry) & 0100);
    bool written = file >= 0 && write_file(unpacking, archive, file);
    if (file >= 0 && close(file) != 0 && written)
        written = ursa_fail(URSA_ERROR_IO, "%s: cannot be unpacked: %s", unpacking->archive, strerror(errno));
    return written;
}

static bool unpack_hardlink(ursa_unpacking *unpacking, const char *name, const char *target)
{
    char of[LONGEST_NAME];
    return ursa_unpack_name(unpacking, target, of) && ursa_unpack_copy(unpacking, name, of);
}

static bool unpack_entry(ursa_unpacking *unpacking, struct archive *archive, struct archive_entry *entry,
                         const char *name)
{
    const char *hardlink = link_of(entry, false), *symlink = link_of(entry, true);
    if (hardlink)
        return unpack_hardlink(unpacking, name, hardlink);
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        return ursa_unpack_folder(unpacking, name);
    case AE_IFREG:
        return unpack_file(unpacking, archive, entry, name);
    case AE_IFLNK:
        return ursa_unpack_symlink(unpacking, name, symlink ? symlink : "");
    default:
        return ursa_fail(URSA_ERROR_FORMAT, "%s: refused: \"%s\" is a device, a pipe or a socket", unpacking->archive,
                         ursa_unpack_shown(name));
    }
}

/* A single compressed file is called as the archive, without the ".gz". */
static const char *single_name(const ursa_unpacking *unpacking, char *room)
{
    const char *slash = strrchr(unpacking->archive, '/');
    snprintf(room, LONGEST_NAME, "%s", slash ? slash + 1 : unpacking->archive);
    room[strlen(room) - strlen(".gz")] = 0;
    return room;
}

static bool unpack_next(ursa_unpacking *unpacking, struct archive *archive, struct archive_entry *entry)
{
    char clean[LONGEST_NAME], room[LONGEST_NAME];
    const char *name = is_single_file(unpacking->archive) ? single_name(unpacking, room) : name_of(entry);
    if (!name || !*name)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: refused: an entry without a name", unpacking->archive);
    if (!ursa_unpack_name(unpacking, name, clean) || !ursa_unpack_count(unpacking))
        return false;
    if (!*clean && archive_entry_filetype(entry) != AE_IFDIR)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: refused: \"%s\" is no name for a file", unpacking->archive,
                         ursa_unpack_shown(name));
    return unpack_entry(unpacking, archive, entry, clean);
}

static void show(ursa_progress *progress, const ursa_unpacking *unpacking, struct archive *archive)
{
    char size[URSA_SIZE_TEXT], note[80];
    snprintf(note, sizeof note, "%lld files, %s", (long long)unpacking->entries,
             ursa_size_text(unpacking->bytes, size));
    ursa_progress_step(progress, archive_filter_bytes(archive, -1), note);
}

static bool unpack_entries(ursa_unpacking *unpacking, struct archive *archive, ursa_progress *progress)
{
    struct archive_entry *entry;
    while (true) {
        int code = archive_read_next_header(archive, &entry);
        if (code == ARCHIVE_EOF)
            break;
        if (code == ARCHIVE_RETRY)
            continue;
        if (code < ARCHIVE_WARN)
            return damaged(unpacking, archive);
        if (!unpack_next(unpacking, archive, entry))
            return false;
        show(progress, unpacking, archive);
    }
    return unpacking->entries > 0 ||
           ursa_fail(URSA_ERROR_FORMAT, "%s: no archive that can be unpacked, or an empty one", unpacking->archive);
}

static bool unpack_archive(ursa_unpacking *unpacking, const char *label)
{
    struct archive *archive = open_archive(unpacking->archive);
    if (!archive)
        return false;
    char *text = ursa_format("unpacking %s", label);
    ursa_progress *progress = ursa_progress_begin(text ? text : label, ursa_file_bytes(unpacking->archive));
    bool done = unpack_entries(unpacking, archive, progress);
    ursa_progress_end(progress);
    archive_read_free(archive);
    free(text);
    return done;
}

/* libarchive hands out names in the language of the thread, and none at all where that cannot express them. */
bool ursa_unpack_all(ursa_unpacking *unpacking, const char *label)
{
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = unicode ? uselocale(unicode) : (locale_t)0;
    bool done = unpack_archive(unpacking, label);
    if (unicode) {
        uselocale(before);
        freelocale(unicode);
    }
    return done;
}
