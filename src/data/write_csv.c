/* write_csv.c — a table to CSV (RFC 4180). */
#include "frame.h"

#include <ursa/io.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Quotes where they have to be; also where spaces at the ends could get lost, and where the beginning of a file could
 * be taken for a byte order mark or another format. */
static bool needs_quotes(const char *text, char delimiter, bool only)
{
    size_t length = strlen(text);
    if (length == 0)
        return only;
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == delimiter || (unsigned char)*c < 0x20)
            return true;
    return *text == ' ' || text[length - 1] == ' ' || strncmp(text, "\xef\xbb\xbf", 3) == 0;
}

static void write_field(FILE *out, const char *text, char delimiter, bool only)
{
    if (!needs_quotes(text, delimiter, only)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Row -1 is the header. */
static void write_row(FILE *out, const ursa_frame *frame, int64_t row, char delimiter)
{
    for (int c = 0; c < frame->column_count; c++) {
        const char *text = row < 0 ? frame->columns[c].name : frame->columns[c].text[row];
        if (c)
            fputc(delimiter, out);
        /* An empty line would be skipped when it is read, so the only cell of a row is never nothing. */
        write_field(out, text ? text : "", delimiter, frame->column_count == 1);
    }
    fputc('\n', out);
}

static char *make_text(const ursa_frame *frame, const ursa_write_csv_options *options, size_t *bytes)
{
    char *text = NULL, delimiter = options->delimiter ? options->delimiter : ',';
    FILE *out = open_memstream(&text, bytes);
    for (int64_t row = options->no_header ? 0 : -1; out && row < frame->rows; row++)
        write_row(out, frame, row, delimiter);
    if (out && fflush(out) == 0 && !ferror(out)) {
        fclose(out);
        return text;
    }
    if (out)
        fclose(out);
    free(text);
    ursa_fail(URSA_ERROR_MEMORY, "write_csv: out of memory for the text of a table");
    return NULL;
}

char *ursa_frame_csv_text_opt(const ursa_frame *frame, const ursa_write_csv_options *options)
{
    size_t bytes;
    return frame ? make_text(frame, options, &bytes) : NULL;
}

bool ursa_write_csv_opt(const ursa_frame *frame, const char *path, const ursa_write_csv_options *options)
{
    size_t bytes = 0;
    char *text = frame && path ? make_text(frame, options, &bytes) : NULL;
    ursa_file_writer *writer = text ? ursa_file_writer_open(path) : NULL;
    bool written = writer && ursa_file_writer_write(writer, text, bytes);
    free(text);
    if (written)
        return ursa_file_writer_commit(writer);
    ursa_file_writer_abandon(writer);
    return false;
}
