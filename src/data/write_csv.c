/* write_csv.c — a table to CSV (RFC 4180). */
#include "frame.h"

#include <ursa/io.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One text as a field. Quoted where it has to be; also where spaces at its ends could get lost. */
static void write_field(FILE *out, const char *text, char delimiter, bool only)
{
    char special[] = {'"', '\n', '\r', delimiter, 0};
    size_t length = strlen(text);
    if (!strpbrk(text, special) && (length || !only) && *text != ' ' && (!length || text[length - 1] != ' ')) {
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
