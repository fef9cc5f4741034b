/* jpeg.c — parts of JPEG files by libjpeg-turbo: rows and columns outside the
 * part are skipped, reading ends below it, and a part that will be shrunk by two
 * or more is reduced within the cosine transform, by 2, 4 or 8.
 */
#include "picture.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
    MOST_SCANS = 100, /* of progressive files: each is a pass over all coefficients */
    MOST_REDUCTION = 8,
    GAP = 3, /* a reduced picture stays this much larger than wanted, so that hardly a pixel differs by more than two
                grey levels from what all of it would give */
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
    bool truncated;
    uint8_t *line;
    ursa_image *out;
};

/* ---- errors ------------------------------------------------------------------------ */

static void escape(j_common_ptr common)
{
    struct reader *reader = common->client_data;
    common->err->format_message(common, reader->message);
    longjmp(reader->escape, 1);
}

/* Warnings are for files that are read as well as can be; but one that ends
 * before its picture does is refused. */
static void warn(j_common_ptr common, int level)
{
    struct reader *reader = common->client_data;
    if (level < 0 && common->err->msg_code == JWRN_JPEG_EOF)
        reader->truncated = true;
    if (level < 0 && common->err->msg_code == JWRN_HIT_MARKER && reader->truncated)
        common->err->error_exit(common);
}

static void count_scans(j_common_ptr common)
{
    struct reader *reader = common->client_data;
    if (reader->jpeg.input_scan_number > MOST_SCANS) {
        snprintf(reader->message, sizeof reader->message, "more than %d scans", MOST_SCANS);
        longjmp(reader->escape, 1);
    }
}

static void start(struct reader *reader, FILE *file)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    jpeg->err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = escape;
    reader->errors.emit_message = warn;
    jpeg->client_data = reader;
    jpeg_create_decompress(jpeg);
    reader->progress.progress_monitor = count_scans;
    jpeg->progress = &reader->progress;
    jpeg_stdio_src(jpeg, file);
    jpeg_read_header(jpeg, TRUE);
}

/* ---- what to decode ------------------------------------------------------------------ */

static int reduction_of(const struct ursa_picture_part *part)
{
    int reduction = 1;
    while (part->least_rows > 0 && part->least_columns > 0 && reduction < MOST_REDUCTION &&
           part->rows / (2 * reduction) >= GAP * part->least_rows &&
           part->columns / (2 * reduction) >= GAP * part->least_columns)
        reduction *= 2;
    return reduction;
}

static void choose_colours(struct jpeg_decompress_struct *jpeg, int channels)
{
    if (jpeg->num_components == 4)
        jpeg->out_color_space = JCS_CMYK;
    else
        jpeg->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
}

/* Pixels of the reduced picture that the part touches. */
static struct ursa_picture_part reduced_part(const struct ursa_picture_part *part, int reduction)
{
    struct ursa_picture_part reduced = *part;
    reduced.left = part->left / reduction;
    reduced.top = part->top / reduction;
    reduced.columns = (part->left + part->columns + reduction - 1) / reduction - reduced.left;
    reduced.rows = (part->top + part->rows + reduction - 1) / reduction - reduced.top;
    return reduced;
}

static struct ursa_box box_of(const struct ursa_picture_part *part, const struct ursa_picture_part *reduced,
                              int reduction)
{
    double left = (double)part->left / reduction - reduced->left, top = (double)part->top / reduction - reduced->top;
    return (struct ursa_box){left, top, left + (double)part->columns / reduction, top + (double)part->rows / reduction};
}

/* ---- lines ----------------------------------------------------------------------------- */

/* Adobe's CMYK is stored inverted, which is what everybody writes. */
static void convert_cmyk(const uint8_t *line, int columns, int channels, uint8_t *out)
{
    for (int i = 0; i < columns; i++, line += 4, out += channels) {
        unsigned rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (line[c] * (unsigned)line[3] + 127) / 255;
        if (channels == 1)
            out[0] = (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
        else
            for (int c = 0; c < 3; c++)
                out[c] = (uint8_t)rgb[c];
    }
}

/* Limits decoding to the columns of the part, and a neighbour on either side,
 * since colour is interpolated between columns. Returns the first column that
 * comes out. */
static int crop_columns(struct jpeg_decompress_struct *jpeg, const struct ursa_picture_part *part)
{
    int first = part->left > 0 ? part->left - 1 : 0, end = part->left + part->columns + 1;
    int width = (int)jpeg->output_width;
    JDIMENSION left = (JDIMENSION)first, columns = (JDIMENSION)((end < width ? end : width) - first);
    if (columns == jpeg->output_width)
        return 0;
    jpeg_crop_scanline(jpeg, &left, &columns);
    return (int)left;
}

static void read_lines(struct reader *reader, const struct ursa_picture_part *part)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    int first = crop_columns(jpeg, part);
    reader->line = malloc((size_t)jpeg->output_width * (size_t)jpeg->output_components);
    if (!reader->line)
        ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    if (part->top > 0)
        jpeg_skip_scanlines(jpeg, (JDIMENSION)part->top);
    size_t width = (size_t)part->columns * (size_t)part->channels;
    for (int row = 0; row < part->rows; row++) {
        uint8_t *out = reader->out->pixels + (size_t)row * width;
        const uint8_t *pixels = reader->line + (size_t)(part->left - first) * (size_t)jpeg->output_components;
        jpeg_read_scanlines(jpeg, &reader->line, 1);
        if (jpeg->output_components == 4)
            convert_cmyk(pixels, part->columns, part->channels, out);
        else
            memcpy(out, pixels, width);
    }
}

/* ---- all of it -------------------------------------------------------------------------- */

static void read_part(struct reader *reader, const struct ursa_picture *picture, const struct ursa_picture_part *part,
                      struct ursa_box *box)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    start(reader, picture->file);
    if ((int)jpeg->image_width != picture->columns || (int)jpeg->image_height != picture->rows)
        ERREXIT(jpeg, JERR_BAD_LENGTH);
    int reduction = reduction_of(part);
    struct ursa_picture_part reduced = reduced_part(part, reduction);
    choose_colours(jpeg, part->channels);
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)reduction;
    *box = box_of(part, &reduced, reduction);
    *reader->out = (ursa_image){reduced.rows, reduced.columns, part->channels, NULL};
    reader->out->pixels = malloc((size_t)reduced.rows * (size_t)reduced.columns * (size_t)part->channels);
    if (!reader->out->pixels)
        ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    jpeg_start_decompress(jpeg);
    read_lines(reader, &reduced);
}

bool ursa_jpeg_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                    struct ursa_box *box)
{
    struct reader *reader = ursa_alloc(sizeof *reader);
    if (!reader)
        return false;
    reader->out = out;
    if (setjmp(reader->escape) == 0)
        read_part(reader, picture, part, box);
    bool failed = reader->message[0];
    jpeg_destroy_decompress(&reader->jpeg);
    free(reader->line);
    if (failed) {
        ursa_fail(URSA_ERROR_FORMAT, "%s: not an image that can be read: %s", picture->path, reader->message);
        ursa_image_free(out);
    }
    free(reader);
    return !failed;
}
