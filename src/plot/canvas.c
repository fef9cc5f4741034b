/* canvas.c — pages of Cairo. */
#include "canvas.h"
#include "font.h"
#include "base/memory.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double pixels_per_point = 2;

/* Bytes that grow. */
struct bytes {
    char *data;
    size_t count, room;
    bool lost; /* memory ran out */
};

struct ursa_canvas {
    char *path;
    bool is_svg;
    double width, height;
    cairo_surface_t *surface;
    cairo_t *cairo;
    struct bytes content; /* of the file */
    struct bytes texts;   /* SVG elements of the text drawn so far */
};

static cairo_status_t append(void *context, const unsigned char *data, unsigned count)
{
    struct bytes *bytes = context;
    if (bytes->count + count + 1 > bytes->room) {
        size_t room = 2 * bytes->room + count + 4096;
        char *grown = ursa_grow(bytes->data, room);
        if (!grown) {
            bytes->lost = true;
            return CAIRO_STATUS_WRITE_ERROR;
        }
        bytes->data = grown;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
    bytes->data[bytes->count] = '\0';
    return CAIRO_STATUS_SUCCESS;
}

static void append_text(struct bytes *bytes, const char *text)
{
    append(bytes, (const unsigned char *)text, (unsigned)strlen(text));
}

/* ---- measuring ------------------------------------------------------------------- */

static double width_of(cairo_t *cairo, const char *text)
{
    cairo_text_extents_t extents = {0};
    cairo_text_extents(cairo, text, &extents);
    return extents.x_advance;
}

double ursa_text_width(const char *text, double size, bool bold)
{
    char *clean = ursa_text_clean(text);
    if (!clean)
        return 0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cairo = cairo_create(surface);
    ursa_font_set(cairo, clean, size, bold);
    double width = width_of(cairo, clean);
    free(clean);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return width;
}

/* ---- pages -------------------------------------------------------------------- */

static bool ends_with(const char *path, const char *suffix)
{
    size_t length = strlen(path), end = strlen(suffix);
    return length > end && strcasecmp(path + length - end, suffix) == 0;
}

static void discard(ursa_canvas *canvas)
{
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->surface);
    free(canvas->content.data);
    free(canvas->texts.data);
    free(canvas->path);
    free(canvas);
}

static void make_surface(ursa_canvas *canvas)
{
    if (canvas->is_svg) {
        canvas->surface = cairo_svg_surface_create_for_stream(append, &canvas->content, canvas->width, canvas->height);
        cairo_svg_surface_set_document_unit(canvas->surface, CAIRO_SVG_UNIT_PX);
    } else {
        canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(canvas->width * pixels_per_point),
                                                     (int)(canvas->height * pixels_per_point));
    }
    canvas->cairo = cairo_create(canvas->surface);
    if (!canvas->is_svg)
        cairo_scale(canvas->cairo, pixels_per_point, pixels_per_point);
}

ursa_canvas *ursa_canvas_begin(const char *path, double width, double height)
{
    bool is_svg = ends_with(path, ".svg");
    if (!is_svg && !ends_with(path, ".png")) {
        ursa_fail(URSA_ERROR_ARGUMENT, "%s: pictures are written as .png or .svg", path);
        return NULL;
    }
    ursa_canvas *canvas = ursa_alloc(sizeof *canvas);
    if (!canvas)
        return NULL;
    *canvas =
        (ursa_canvas){.path = ursa_copy_string(path), .is_svg = is_svg, .width = ceil(width), .height = ceil(height)};
    make_surface(canvas);
    if (!canvas->path || cairo_status(canvas->cairo) != CAIRO_STATUS_SUCCESS) {
        ursa_fail(URSA_ERROR_MEMORY, "%s: a picture of %.0f × %.0f points cannot be drawn: %s", path, width, height,
                  cairo_status_to_string(cairo_status(canvas->cairo)));
        discard(canvas);
        return NULL;
    }
    ursa_canvas_fill(canvas, 0, 0, canvas->width, canvas->height, (ursa_ink){1, 1, 1, 1});
    return canvas;
}

static cairo_status_t finish_png(ursa_canvas *canvas)
{
    cairo_surface_flush(canvas->surface);
    return cairo_surface_write_to_png_stream(canvas->surface, append, &canvas->content);
}

/* Puts the layer of text before the end of the document. */
static cairo_status_t finish_svg(ursa_canvas *canvas)
{
    struct bytes *content = &canvas->content;
    cairo_surface_finish(canvas->surface);
    char *end = content->data ? strstr(content->data, "</svg>") : NULL;
    if (end) {
        content->count = (size_t)(end - content->data);
        append_text(content, "<g fill=\"none\" stroke=\"none\" font-family=\"DejaVu Sans, sans-serif\">\n");
        append_text(content, canvas->texts.data ? canvas->texts.data : "");
        append_text(content, "</g>\n</svg>\n");
    }
    return content->lost || canvas->texts.lost ? CAIRO_STATUS_NO_MEMORY : cairo_surface_status(canvas->surface);
}

static bool write_file(const char *path, const struct bytes *content)
{
    ursa_file_writer *writer = ursa_file_writer_open(path);
    if (!writer)
        return false;
    if (ursa_file_writer_write(writer, content->data, content->count))
        return ursa_file_writer_commit(writer);
    ursa_file_writer_abandon(writer);
    return false;
}

bool ursa_canvas_finish(ursa_canvas *canvas)
{
    if (!canvas)
        return false;
    cairo_status_t status = cairo_status(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS)
        status = canvas->is_svg ? finish_svg(canvas) : finish_png(canvas);
    bool written = status == CAIRO_STATUS_SUCCESS ? write_file(canvas->path, &canvas->content)
                                                  : ursa_fail(URSA_ERROR_IO, "%s: cannot be drawn: %s", canvas->path,
                                                              cairo_status_to_string(status));
    discard(canvas);
    return written;
}

/* ---- lines and areas ------------------------------------------------------------ */

static void set_ink(ursa_canvas *canvas, ursa_ink ink)
{
    cairo_set_source_rgba(canvas->cairo, ink.red, ink.green, ink.blue, ink.alpha);
}

static void stroke(ursa_canvas *canvas, ursa_ink ink, double line_width, bool dashed)
{
    const double dashes[] = {3.7 * line_width, 1.6 * line_width};
    set_ink(canvas, ink);
    cairo_set_line_width(canvas->cairo, line_width);
    cairo_set_dash(canvas->cairo, dashes, dashed ? 2 : 0, 0);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(canvas->cairo);
}

void ursa_canvas_fill(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink)
{
    if (!canvas)
        return;
    set_ink(canvas, ink);
    cairo_rectangle(canvas->cairo, x, y, width, height);
    cairo_fill(canvas->cairo);
}

void ursa_canvas_frame(ursa_canvas *canvas, double x, double y, double width, double height, ursa_ink ink,
                       double line_width)
{
    if (!canvas)
        return;
    cairo_rectangle(canvas->cairo, x, y, width, height);
    stroke(canvas, ink, line_width, false);
}

void ursa_canvas_line(ursa_canvas *canvas, double x0, double y0, double x1, double y1, ursa_ink ink, double line_width,
                      bool dashed)
{
    ursa_canvas_path(canvas, (double[]){x0, y0, x1, y1}, 2, ink, line_width, dashed);
}

void ursa_canvas_path(ursa_canvas *canvas, const double *points, int64_t count, ursa_ink ink, double line_width,
                      bool dashed)
{
    if (!canvas)
        return;
    bool pen_down = false;
    for (int64_t i = 0; i < count; i++) {
        double x = points[2 * i], y = points[2 * i + 1];
        bool known = isfinite(x) && isfinite(y);
        if (known && pen_down)
            cairo_line_to(canvas->cairo, x, y);
        else if (known)
            cairo_move_to(canvas->cairo, x, y);
        pen_down = known;
    }
    stroke(canvas, ink, line_width, dashed);
}

void ursa_canvas_dot(ursa_canvas *canvas, double x, double y, double radius, ursa_ink ink, bool outlined)
{
    if (!canvas)
        return;
    cairo_new_sub_path(canvas->cairo);
    cairo_arc(canvas->cairo, x, y, radius, 0, 2 * M_PI);
    set_ink(canvas, ink);
    cairo_fill_preserve(canvas->cairo);
    if (outlined)
        stroke(canvas, (ursa_ink){1, 1, 1, 1}, 1, false);
    cairo_new_path(canvas->cairo);
}

void ursa_canvas_clip(ursa_canvas *canvas, double x, double y, double width, double height)
{
    if (!canvas)
        return;
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, x, y, width, height);
    cairo_clip(canvas->cairo);
}

void ursa_canvas_unclip(ursa_canvas *canvas)
{
    if (canvas)
        cairo_restore(canvas->cairo);
}

/* ---- text -------------------------------------------------------------------------- */

/* Whether a byte is not the first of its character. */
static bool inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Writes `text` without `cut` bytes of its middle, or a few more, so that no
 * character is broken: names often differ at their ends. */
static void shorten(const char *text, size_t length, size_t cut, char *out)
{
    size_t head = (length - cut) * 5 / 8, tail = head + cut;
    while (head > 0 && (inside_character(text[head]) || text[head - 1] == ' '))
        head--;
    while (tail < length && (inside_character(text[tail]) || text[tail] == ' '))
        tail++;
    memcpy(out, text, head);
    memcpy(out + head, "…", sizeof "…" - 1);
    memcpy(out + head + sizeof "…" - 1, text + tail, length - tail + 1);
}

/* A copy of `text`, its middle cut with … until it is no wider than `limit`. */
static char *fitted(cairo_t *cairo, const char *text, double limit)
{
    size_t length = strlen(text);
    char *copy = ursa_alloc(length + sizeof "…");
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    for (size_t cut = 1; limit > 0 && cut < length && width_of(cairo, copy) > limit; cut++)
        shorten(text, length, cut, copy);
    return copy;
}

static void append_escaped(struct bytes *bytes, const char *text)
{
    for (; *text; text++) {
        char one[2] = {*text, '\0'};
        append_text(bytes, *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : one);
    }
}

/* Remembers a text, left end at (x, y) before it is turned, for the searchable layer of an SVG. */
static void note_text(ursa_canvas *canvas, double x, double y, double angle, double size, double width,
                      const char *text)
{
    char head[256];
    snprintf(head, sizeof head,
             "<text transform=\"translate(%.2f %.2f) rotate(%.4g)\" font-size=\"%.4g\" "
             "textLength=\"%.2f\">",
             x, y, -angle, size, width);
    append_text(&canvas->texts, head);
    append_escaped(&canvas->texts, text);
    append_text(&canvas->texts, "</text>\n");
}

void ursa_canvas_text(ursa_canvas *canvas, double x, double y, const char *text, const ursa_text_style *style)
{
    if (!canvas || !text || !*text)
        return;
    char *clean = ursa_text_clean(text);
    if (!clean)
        return;
    cairo_t *cairo = canvas->cairo;
    cairo_save(cairo);
    ursa_font_set(cairo, clean, style->size, style->bold);
    char *shown = fitted(cairo, clean, style->max_width);
    free(clean);
    if (shown) {
        static const double capital_height = 0.73;
        double width = width_of(cairo, shown), angle = style->angle * M_PI / 180;
        double left = -style->across * width, base = style->middle ? style->size * capital_height / 2 : 0;
        set_ink(canvas, style->ink);
        cairo_translate(cairo, x, y);
        cairo_rotate(cairo, -angle);
        cairo_move_to(cairo, left, base);
        cairo_show_text(cairo, shown);
        if (canvas->is_svg)
            note_text(canvas, x + left * cos(angle) + base * sin(angle), y - left * sin(angle) + base * cos(angle),
                      style->angle, style->size, width, shown);
        free(shown);
    }
    cairo_restore(cairo);
}

/* ---- images -------------------------------------------------------------------------- */

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

double ursa_canvas_image(ursa_canvas *canvas, const ursa_image *image, double x, double y, double width, double height,
                         double corner[2])
{
    double scale = fmin(height / image->rows, width / image->columns);
    bool sharp = scale * pixels_per_point >= 3;
    if (sharp)
        scale = floor(scale * pixels_per_point) / pixels_per_point;
    corner[0] = x + (width - scale * image->columns) / 2;
    corner[1] = y + (height - scale * image->rows) / 2;
    if (!canvas)
        return scale;
    /* On whole pixels, where the page has them. */
    corner[0] = round(corner[0] * pixels_per_point) / pixels_per_point;
    corner[1] = round(corner[1] * pixels_per_point) / pixels_per_point;
    cairo_surface_t *surface = surface_of(image);
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, corner[0], corner[1], scale * image->columns, scale * image->rows);
    cairo_clip(canvas->cairo);
    cairo_translate(canvas->cairo, corner[0], corner[1]);
    cairo_scale(canvas->cairo, scale, scale);
    cairo_set_source_surface(canvas->cairo, surface, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(canvas->cairo), CAIRO_EXTEND_PAD);
    cairo_pattern_set_filter(cairo_get_source(canvas->cairo), sharp ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BEST);
    cairo_paint(canvas->cairo);
    cairo_restore(canvas->cairo);
    cairo_surface_destroy(surface);
    return scale;
}
