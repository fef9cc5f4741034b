/* grid.c — a grid of images with captions. */
#include <ursa/plot.h>
#include "base/memory.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 112, GAP = 14, CAPTION = 34, TITLE = 44, MARGIN = 18, FONT = 12, TITLE_FONT = 17 };

/* Okabe and Ito's vermilion, which the colour-blind tell from black. */
static const double wrong_colour[3] = {0.835, 0.369, 0.0}, right_colour[3] = {0.1, 0.1, 0.1};

static cairo_surface_t *surface_of(const ursa_image *image)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->columns, image->rows);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        return surface;
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    cairo_surface_flush(surface);
    for (int row = 0; row < image->rows; row++) {
        uint32_t *line = (uint32_t *)(void *)(pixels + (size_t)row * (size_t)stride);
        for (int column = 0; column < image->columns; column++) {
            const uint8_t *p =
                image->pixels + ((size_t)row * (size_t)image->columns + (size_t)column) * (size_t)image->channels;
            uint32_t red = p[0], green = p[image->channels > 1 ? 1 : 0], blue = p[image->channels > 1 ? 2 : 0];
            line[column] = red << 16 | green << 8 | blue;
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

/* As large as the cell allows: by whole numbers upwards, smoothly downwards. */
static void draw_image(cairo_t *cairo, const ursa_image *image, double left, double top)
{
    double scale = fmin((double)CELL / image->rows, (double)CELL / image->columns);
    bool enlarged = scale >= 1;
    if (enlarged)
        scale = floor(scale);
    cairo_surface_t *surface = surface_of(image);
    cairo_save(cairo);
    cairo_translate(cairo, left + (CELL - scale * image->columns) / 2, top + (CELL - scale * image->rows) / 2);
    cairo_scale(cairo, scale, scale);
    cairo_set_source_surface(cairo, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), enlarged ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(cairo);
    cairo_restore(cairo);
    cairo_surface_destroy(surface);
}

/* Cuts `text` with … until it is no wider than `width`. */
static void fit_text(cairo_t *cairo, char *text, size_t size, double width)
{
    cairo_text_extents_t extents;
    size_t length = strlen(text);
    cairo_text_extents(cairo, text, &extents);
    while (extents.width > width && length > 1) {
        do
            length--;
        while (length > 1 && ((unsigned char)text[length] & 0xC0) == 0x80);
        if (length + 4 > size)
            continue;
        strcpy(text + length, "…");
        cairo_text_extents(cairo, text, &extents);
    }
}

static void draw_line(cairo_t *cairo, const char *text, size_t length, double left, double baseline)
{
    char line[128];
    cairo_text_extents_t extents;
    length = length < sizeof line - 4 ? length : sizeof line - 4;
    memcpy(line, text, length);
    line[length] = '\0';
    fit_text(cairo, line, sizeof line, CELL + GAP - 4);
    cairo_text_extents(cairo, line, &extents);
    cairo_move_to(cairo, left + (CELL - extents.x_advance) / 2, baseline);
    cairo_show_text(cairo, line);
}

static void draw_caption(cairo_t *cairo, const ursa_plot_cell *cell, double left, double top)
{
    const double *colour = cell->wrong ? wrong_colour : right_colour;
    const char *caption = cell->caption ? cell->caption : "", *second = strchr(caption, '\n');
    cairo_set_source_rgb(cairo, colour[0], colour[1], colour[2]);
    cairo_set_font_size(cairo, FONT);
    draw_line(cairo, caption, second ? (size_t)(second - caption) : strlen(caption), left, top + FONT + 3);
    if (second)
        draw_line(cairo, second + 1, strlen(second + 1), left, top + 2 * FONT + 6);
}

static void draw_title(cairo_t *cairo, const char *title, double width)
{
    cairo_text_extents_t extents;
    cairo_set_source_rgb(cairo, right_colour[0], right_colour[1], right_colour[2]);
    cairo_set_font_size(cairo, TITLE_FONT);
    cairo_text_extents(cairo, title, &extents);
    cairo_move_to(cairo, (width - extents.x_advance) / 2, MARGIN + TITLE_FONT);
    cairo_show_text(cairo, title);
}

static cairo_status_t append(void *context, const unsigned char *data, unsigned bytes)
{
    return ursa_file_writer_write(context, data, bytes) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool write_png(cairo_surface_t *surface, const char *path)
{
    ursa_file_writer *writer = ursa_file_writer_open(path);
    if (!writer)
        return false;
    cairo_status_t status = cairo_surface_write_to_png_stream(surface, append, writer);
    if (status == CAIRO_STATUS_SUCCESS)
        return ursa_file_writer_commit(writer);
    ursa_fail(URSA_ERROR_IO, "%s: cannot be drawn: %s", path, cairo_status_to_string(status));
    ursa_file_writer_abandon(writer);
    return false;
}

bool ursa_plot_grid_opt(const char *path, const ursa_plot_cell *cells, int count, const ursa_grid_options *options)
{
    if (count < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_grid: %d images; expected 1 or more", count);
    int columns = options->columns > 0 ? options->columns : (int)ceil(sqrt(count * 1.6));
    columns = columns < count ? columns : count;
    int rows = (count + columns - 1) / columns, title = options->title ? TITLE : 0;
    int width = 2 * MARGIN + columns * (CELL + GAP) - GAP;
    int height = 2 * MARGIN + title + rows * (CELL + CAPTION + GAP) - GAP;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    if (options->title)
        draw_title(cairo, options->title, width);
    for (int i = 0; i < count; i++) {
        double left = MARGIN + i % columns * (CELL + GAP);
        double top = MARGIN + title + i / columns * (CELL + CAPTION + GAP);
        draw_image(cairo, cells[i].image, left, top);
        draw_caption(cairo, &cells[i], left, top + CELL);
    }
    bool written = write_png(surface, path);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return written;
}
