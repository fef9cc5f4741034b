/* file_writer.c — files that appear whole or not at all: written beside their
 * place, synced, and renamed. */
#include <ursa/io.h>
#include "files.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ursa_file_writer {
    char *path, *beside;
    FILE *file;
};

static void free_writer(ursa_file_writer *writer)
{
    free(writer->path);
    free(writer->beside);
    free(writer);
}

ursa_file_writer *ursa_file_writer_open(const char *path)
{
    ursa_file_writer *writer = ursa_alloc(sizeof *writer);
    if (!writer)
        return NULL;
    writer->path = ursa_copy_string(path);
    writer->beside = ursa_format("%s.part-%ld", path, (long)getpid());
    writer->file = writer->path && writer->beside ? fopen(writer->beside, "wb") : NULL;
    if (!writer->file) {
        ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
        free_writer(writer);
        return NULL;
    }
    return writer;
}

bool ursa_file_writer_write(ursa_file_writer *writer, const void *data, size_t bytes)
{
    if (!writer)
        return false;
    if (fwrite(data, 1, bytes, writer->file) == bytes)
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s; what was there before is unchanged", writer->path,
                     strerror(errno));
}

bool ursa_file_writer_commit(ursa_file_writer *writer)
{
    if (!writer)
        return false;
    bool written = fflush(writer->file) == 0 && fsync(fileno(writer->file)) == 0;
    int reason = errno;
    written = fclose(writer->file) == 0 && written;
    writer->file = NULL;
    if (!written)
        ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s; what was there before is unchanged", writer->path,
                  strerror(reason));
    else if (rename(writer->beside, writer->path) != 0)
        written = ursa_fail(URSA_ERROR_IO, "%s: cannot be replaced: %s", writer->path, strerror(errno));
    if (!written) {
        ursa_file_writer_abandon(writer);
        return false;
    }
    ursa_sync_folder_of(writer->path);
    free_writer(writer);
    return true;
}

void ursa_file_writer_abandon(ursa_file_writer *writer)
{
    if (!writer)
        return;
    if (writer->file)
        fclose(writer->file);
    unlink(writer->beside);
    free_writer(writer);
}
