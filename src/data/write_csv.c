/* write_csv.c — a table to CSV (RFC 4180). */
#include "frame.h"

#include <ursa/io.h>

#include <string.h>

/* One text as a field. Quoted where it has to be; also where spaces at its ends could get lost. */
static bool write_field(ursa_file_writer *writer, const char *text, char delimiter, bool only)
{
    char special[] = {'"', '\n', '\r', delimiter, 0};
    size_t length = strlen(text);
    bool quoted =
        strpbrk(text, special) || (length == 0 && only) || *text == ' ' || (length && text[length - 1] == ' ');
    if (!quoted)
        return ursa_file_writer_write(writer, text, length);
    bool written = ursa_file_writer_write(writer, "\"", 1);
    while (written && *text) {
        size_t plain = strcspn(text, "\"");
        plain += text[plain] == '"';
        written = ursa_file_writer_write(writer, text, plain) &&
                  (text[plain - 1] != '"' || ursa_file_writer_write(writer, "\"", 1));
        text += plain;
    }
    return written && ursa_file_writer_write(writer, "\"", 1);
}

/* Row -1 is the header. */
static bool write_row(ursa_file_writer *writer, const ursa_frame *frame, int64_t row, char delimiter)
{
    bool written = true;
    for (int c = 0; written && c < frame->column_count; c++) {
        const char *text = row < 0 ? frame->columns[c].name : frame->columns[c].text[row];
        /* An empty line would be skipped when it is read, so the only cell of a row is never nothing. */
        written = (c == 0 || ursa_file_writer_write(writer, &delimiter, 1)) &&
                  write_field(writer, text ? text : "", delimiter, frame->column_count == 1);
    }
    return written && ursa_file_writer_write(writer, "\n", 1);
}

bool ursa_write_csv_opt(const ursa_frame *frame, const char *path, const ursa_write_csv_options *options)
{
    if (!frame || !path)
        return false;
    char delimiter = options->delimiter ? options->delimiter : ',';
    ursa_file_writer *writer = ursa_file_writer_open(path);
    bool written = writer;
    for (int64_t row = options->no_header ? 0 : -1; written && row < frame->rows; row++)
        written = write_row(writer, frame, row, delimiter);
    if (written)
        return ursa_file_writer_commit(writer);
    ursa_file_writer_abandon(writer);
    return false;
}
